"""What a session holds to whatever happens: the plan that was agreed to, what was begun, secrets, other stacks."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from engine.events import Cancelled, OutputsRegistered, ProgramOutput, RunEnded, RunStarted
from engine.plan import Op
from engine.project import ProjectError
from engine.providers.base import Created, PartialFailure, ProviderError
from engine.run import Result
from engine.state import files, journal, secrets
from engine.state.errors import StateError, WrongPassphrase
from engine.state.secrets import new_salt
from engine.values import UNKNOWN, Secret
from tests.engine.opened import Opened

ONE = "thing('a')\n"
WORD = "correct-horse-battery"


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    made = Opened(tmp_path)
    made.write(ONE)
    return made


# Nothing to do


def test_an_up_with_nothing_to_do_touches_no_file(opened: Opened) -> None:
    opened.up()
    before = opened.files()
    assert opened.up().result is Result.SUCCEEDED
    assert opened.files() == before


# The plan that was agreed to


def test_a_deletion_that_was_not_in_the_plan_stops_the_run(opened: Opened) -> None:
    opened.write("thing('a')\nthing('b')\n")
    opened.up()
    # The preview declares both, the apply only one, and changes it, so that there is something to apply.
    opened.write("thing('a', size=2)\nif pulumi.runtime.is_dry_run():\n    thing('b')\n")
    assert opened.up().result is Result.PLAN_VIOLATED
    assert "delete was not in the plan" in opened.said
    assert opened.cloud.names() == ["a", "b"]


def test_what_was_not_in_the_plan_stops_what_still_waits(opened: Opened) -> None:
    later = "thing('b', of=thing('c').arn, size={size})\n"  # asks when it has an answer about another, so behind ``a``
    opened.write("thing('a')\n" + later.format(size=1))
    opened.up()
    changed = "thing('a', key=None if pulumi.runtime.is_dry_run() else 'k')\n"
    opened.write(changed + later.format(size=2))
    assert opened.up().result is Result.PLAN_VIOLATED
    assert [str(call) for call in opened.cloud.calls if call.verb == "update"] == []


# No plan


def test_what_is_done_at_once_is_declared_once_and_nobody_is_asked(opened: Opened) -> None:
    opened.write("print('declaring')\nthing('a')\nthing('b')\n")
    assert opened.up(agree=False, skip_preview=True).result is Result.SUCCEEDED
    assert [event.text.strip() for event in opened.events if isinstance(event, ProgramOutput)] == ["declaring"]
    assert [event.preview for event in opened.events if isinstance(event, RunStarted)] == [False]
    opened.write("thing('b')\n")
    assert opened.up(agree=False, skip_preview=True).result is Result.SUCCEEDED
    assert opened.cloud.names() == ["b"]
    assert [past.kind for past in opened.session().history()[0]] == ["update", "update"]


def test_what_is_done_at_once_starts_from_what_a_refresh_has_found(opened: Opened) -> None:
    opened.up()
    opened.cloud.live.clear()
    outcome = opened.up(skip_preview=True, refresh=True)
    assert outcome.result is Result.SUCCEEDED
    assert [step.op for step in outcome.plan.drift] == [Op.DELETE]
    assert opened.cloud.names() == ["a"]


def test_nothing_is_done_at_once_where_a_secret_could_not_be_kept(opened: Opened) -> None:
    (opened.folder / "state").mkdir()
    opened.environment = {"PULUMI_BACKEND_URL": f"file://{opened.folder / 'state'}"}
    opened.write("thing('a', size=pulumi.Output.secret(1))\n")
    with pytest.raises(WrongPassphrase, match="PULUMI_CONFIG_PASSPHRASE"):
        opened.up(skip_preview=True)
    assert opened.cloud.names() == []


def test_no_key_is_derived_for_a_stack_that_has_no_secret(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def derived(*_: object) -> bytes:
        raise AssertionError("that takes half a second")

    monkeypatch.setattr(secrets, "derive_key", derived)
    assert opened.up(skip_preview=True).result is Result.SUCCEEDED


def test_a_type_that_nobody_knows_is_told_where_it_would_be_made_at_once(opened: Opened) -> None:
    """With a preview it would have been told before anything is made."""
    strange = "pulumi.CustomResource('test:index:Strange', 's', {})\n"
    opened.write("thing('a')\n" + strange)
    assert opened.up(skip_preview=True).result is Result.RESOURCE_FAILED
    assert any("can preview but not create test:index:Strange" in error for error in opened.errors)
    assert opened.cloud.names() == ["a"]


def test_a_cancellation_while_an_interrupted_run_is_recovered_stops_what_is_to_be_done_at_once(opened: Opened) -> None:
    opened.cloud.faults["create a"] = "lost"
    opened.up()
    opened.cloud.faults.clear()
    session = opened.session()
    opened.on_event = lambda event: session.cancel() if "had been created" in getattr(event, "message", "") else None
    opened.write("thing('a', size=2)\n")
    assert opened.up(session, skip_preview=True).result is Result.CANCELLED
    assert opened.started == []


# Cancelling


def test_a_cancellation_while_an_interrupted_run_is_recovered_stops_before_the_preview(opened: Opened) -> None:
    opened.write("thing('a')\nthing('b')\n")
    opened.cloud.faults["create a"] = opened.cloud.faults["create b"] = "lost"
    opened.up()
    opened.cloud.faults.clear()
    session = opened.session()
    opened.on_event = lambda event: session.cancel() if "had been created" in getattr(event, "message", "") else None
    assert opened.up(session).result is Result.CANCELLED
    assert opened.started == []
    assert len(opened.session().snapshot().pending_operations) == 1
    opened.on_event = lambda _event: None
    assert opened.up().result is Result.SUCCEEDED
    assert opened.cloud.names() == ["a", "b"]


def test_a_cancellation_between_preview_and_apply_applies_nothing(opened: Opened) -> None:
    session = opened.session()
    opened.on_event = lambda event: session.cancel() if isinstance(event, RunEnded) else None
    assert opened.up(session).result is Result.CANCELLED
    assert opened.cloud.names() == []


def test_a_cancelled_refresh_says_so(opened: Opened) -> None:
    opened.up()
    session = opened.session()
    opened.on_event = lambda event: None if isinstance(event, RunEnded | Cancelled) else session.cancel()
    assert opened.refresh(session).result is Result.CANCELLED
    (end,) = [event for event in opened.events if isinstance(event, RunEnded)]
    assert end.result == "cancelled"


def test_stopping_at_once_ends_the_program_and_forgets_nothing_even_on_a_full_disk(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = opened.cloud.hold("create a")
    session = opened.session()
    opened.write("thing('a')\nthing('b')\n")
    stopped: list[bool] = []

    def watch() -> None:
        opened.cloud.begun["create a"].wait(60)
        with monkeypatch.context() as broken:
            broken.setattr(journal, "_write_all", _full)
            session.abandon()
        stopped.append(True)
        gate.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    opened.up(session, parallel=2)
    watcher.join()
    assert stopped == [True]
    assert opened.up().result is Result.SUCCEEDED
    assert opened.cloud.names() == ["a", "b"]


def _full(*_arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


# What breaks


def test_a_disk_that_is_full_is_the_disks_fault_and_nothing_starts_unrecorded(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(journal, "_write_all", _full)
        outcome = opened.up()
    assert outcome.result is Result.STATE_FAILED
    assert "No space left on device" in opened.said
    assert "bug" not in opened.said
    assert opened.cloud.names() == []


def test_a_disk_that_is_full_at_a_deletion(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.write("thing('a')\nthing('b')\n")
    opened.up()
    with monkeypatch.context() as broken:
        broken.setattr(journal, "_write_all", _full)
        assert opened.destroy().result is Result.STATE_FAILED
    assert opened.cloud.names() == ["a", "b"]
    assert opened.destroy().result is Result.SUCCEEDED


def test_a_checkpoint_that_cannot_be_written_says_what_is_kept(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.up()
    opened.write("thing('a')\nthing('b')\n")
    with monkeypatch.context() as broken:
        broken.setattr(files, "write", _full)
        with pytest.raises(StateError, match=r"dev\.json: can't be written: No space left") as failed:
            opened.up()
    assert "journal" in str(failed.value)
    assert opened.up().result is Result.SUCCEEDED
    assert opened.cloud.names() == ["a", "b"]


def test_what_was_in_flight_when_the_program_died_is_recorded(opened: Opened) -> None:
    gate = opened.cloud.hold("create a")
    sign = opened.folder / "begun"
    opened.write(
        "import os, pathlib, threading, time\n"
        "def watch():\n"
        f"    while not pathlib.Path({str(sign)!r}).exists():\n"
        "        time.sleep(0.01)\n"
        "    os._exit(3)\n"
        "if not pulumi.runtime.is_dry_run():\n    threading.Thread(target=watch).start()\n"
        "first = thing('a')\nthing('b', takes=first.arn)\n"
    )

    def kill_the_program() -> None:
        opened.cloud.begun["create a"].wait(60)
        sign.touch()

    killer = threading.Thread(target=kill_the_program)
    killer.start()
    # The engine says so once it has seen the program's end; what is in flight is still in flight then.
    opened.on_event = lambda event: gate.set() if "exited with code 3" in getattr(event, "message", "") else None
    outcome = opened.up()
    killer.join()
    assert outcome.result is Result.PROGRAM_FAILED
    assert opened.cloud.names() == ["a"]
    snapshot = opened.session().snapshot()
    assert snapshot.pending_operations == ()
    assert [state.id for state in snapshot.resources if state.type == "test:index:Thing"] == ["a-1"]


def test_a_provider_that_breaks_in_a_refresh_fails_that_resource(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.up()

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError(WORD)

    monkeypatch.setattr("tests.engine.lifecycle.cloud.CloudProvider.read", broken)
    assert opened.refresh().result is Result.RESOURCE_FAILED
    assert "the provider broke: ZeroDivisionError" in opened.said


def test_a_refresh_leaves_references_to_other_stacks_alone(opened: Opened) -> None:
    opened.write("pulumi.export('x', 1)\n")
    opened.up()
    reader = Opened(opened.folder, opened.cloud)
    reader.write("pulumi.StackReference('dev')\nthing('a')\n", config="config: {}\n", stack="dev")
    (opened.folder / "Pulumi.reader.yaml").write_text("config: {}\n")
    session = reader.session("reader")
    assert reader.up(session).result is Result.SUCCEEDED
    assert reader.refresh(reader.session("reader")).result is Result.SUCCEEDED, reader.said


# Secrets


def test_a_secret_that_is_only_an_output_is_masked_in_what_is_said_later(opened: Opened) -> None:
    opened.write(
        f"import atexit\npulumi.export('word', pulumi.Output.secret('{WORD}'))\n"
        f"atexit.register(lambda: print('it is {WORD}'))\n"
    )
    opened.up()
    registered = [event.step.new for event in opened.events if isinstance(event, OutputsRegistered)]
    assert [state.outputs for state in registered if state] == [{"word": Secret(WORD)}] * 2
    assert "it is [secret]" in [getattr(event, "text", "") for event in opened.events]


def test_what_a_provider_says_of_a_secret_is_masked_in_the_state_and_in_a_refresh(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(*_arguments: object, preview: bool, **_options: object) -> object:
        if preview:
            return Created("", {})
        raise PartialFailure("a-1", {}, [f"password {WORD} is too weak"])

    def read(*_arguments: object) -> object:
        raise ProviderError(f"{WORD} is not welcome")

    monkeypatch.setattr("tests.engine.lifecycle.cloud.CloudProvider.create", create)
    monkeypatch.setattr("tests.engine.lifecycle.cloud.CloudProvider.read", read)
    opened.write(f"thing('a', password=pulumi.Output.secret('{WORD}'))\n")
    opened.up()
    kept = opened.session().snapshot().resources[-1].init_errors
    assert kept == ("password [secret] is too weak",)
    opened.refresh()
    assert "[secret] is not welcome" in opened.said
    assert WORD not in opened.said
    assert [name for name, kept in opened.files().items() if name.startswith("state") and WORD.encode() in kept] == []


def test_what_a_provider_says_of_a_secret_in_a_recovery_is_masked(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused(ProviderError):
        def __init__(self, code: str, status: int) -> None:
            super().__init__(f"{code} {WORD}: {status}")

    def find(*_arguments: object, **_options: object) -> object:
        raise Refused("no", 400)

    opened.write(f"thing('a', password=pulumi.Output.secret('{WORD}'))\n")
    opened.cloud.faults["create a"] = "lost"
    opened.up()
    monkeypatch.setattr("tests.engine.lifecycle.cloud.CloudProvider.find", find)
    with pytest.raises(Refused, match=r"no \[secret\]: 400"):
        opened.up()
    assert len(opened.session().snapshot().pending_operations) == 1


def test_a_secret_without_a_passphrase_is_refused_before_anything_is_made(opened: Opened, tmp_path: Path) -> None:
    opened.environment = {"PULUMI_BACKEND_URL": f"file://{tmp_path}/elsewhere"}
    opened.write(f"thing('a')\nthing('b', word=pulumi.Output.secret('{WORD}'))\n")
    with pytest.raises(WrongPassphrase, match="has a secret to store and no passphrase"):
        opened.up()
    assert opened.cloud.names() == []


def test_a_passphrase_that_is_not_the_configurations_is_refused_before_anything_is_made(opened: Opened) -> None:
    opened.write(f"thing('a', word=pulumi.Output.secret('{WORD}'))\n", config=f"encryptionsalt: {new_salt('theirs')}\n")
    opened.environment = {"PULUMI_CONFIG_PASSPHRASE": "another"}
    with pytest.raises(WrongPassphrase, match="wrong passphrase"):
        opened.up()
    assert opened.cloud.names() == []


def test_a_kept_passphrase_seals_the_state_and_never_opens_the_configuration(opened: Opened) -> None:
    salt = new_salt("theirs")
    config = f"encryptionsalt: {salt}\nconfig:\n  shop:word:\n    secure: v1:AAAAAAAAAAAAAAAA:AAAA\n"
    opened.write(f"thing('a', word=pulumi.Output.secret('{WORD}'))\n", config=f"encryptionsalt: {salt}\n")
    assert opened.up().result is Result.SUCCEEDED
    opened.write("thing('a', word=pulumi.Config().require_secret('word'))\n", config=config)
    assert opened.preview().result is Result.SUCCEEDED
    assert "shop:word is encrypted and no passphrase is set" in opened.said
    with pytest.raises(WrongPassphrase, match="PULUMI_CONFIG_PASSPHRASE"):
        opened.up()


# Other stacks and other backends


def test_a_reference_to_a_stack_with_another_passphrase_fails_that_resource_alone(opened: Opened) -> None:
    backend = f"file://{opened.folder}/backend"
    opened.environment = {"PULUMI_BACKEND_URL": backend, "PULUMI_CONFIG_PASSPHRASE": "one"}
    opened.write(f"pulumi.export('word', pulumi.Output.secret('{WORD}'))\n")
    opened.up()
    reader = Opened(opened.folder, opened.cloud, {**opened.environment, "PULUMI_CONFIG_PASSPHRASE": "two"})
    reader.write("pulumi.StackReference('dev')\n")
    outcome = reader.preview("reader")
    assert outcome.result in (Result.RESOURCE_FAILED, Result.PROGRAM_FAILED)
    assert "wrong passphrase for stack dev" in reader.said
    assert "broke" not in reader.said


def test_a_reference_to_a_stack_whose_name_is_not_known_yet_is_unknown_in_a_preview(opened: Opened) -> None:
    opened.write("other = pulumi.StackReference('r', stack_name=thing('a').arn)\npulumi.export('x', other.outputs)\n")
    outcome = opened.preview()
    assert outcome.result is Result.SUCCEEDED, opened.said
    assert outcome.plan.outputs_after == {"x": UNKNOWN}


@pytest.mark.parametrize("url", ["s3://acme-pulumi", "https://api.pulumi.com", "azblob://x"])
def test_a_preview_works_where_the_state_is_out_of_reach_and_says_what_it_compares_with(
    opened: Opened, url: str
) -> None:
    opened.environment = {"PULUMI_BACKEND_URL": url}
    assert opened.preview().result is Result.SUCCEEDED
    assert url in opened.said
    assert ".bedplate/state" in opened.said
    for verb in (opened.up, opened.destroy, opened.refresh):
        with pytest.raises(ProjectError, match="files only"):
            verb()


def test_a_preview_of_a_folder_that_cannot_be_written_to(opened: Opened) -> None:
    (opened.folder / ".bedplate").mkdir()
    (opened.folder / ".bedplate" / "run").write_text("in the way of every file of ours")
    assert opened.preview().result is Result.SUCCEEDED


def test_a_line_that_is_too_long_to_show_holds_up_nothing(opened: Opened) -> None:
    opened.write("print('x' * (20 << 20))\nprint('then')\n")
    assert opened.preview().result is Result.SUCCEEDED
    assert "then" in [getattr(event, "text", "") for event in opened.events]
