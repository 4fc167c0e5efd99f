"""The small parts: arguments, interrupts, bugs, lines, lists."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer
from typer.models import OptionInfo

from cli import failures, sandboxes
from cli.declare import parameters, variable, with_diff_level
from cli.event_log import EventLog
from cli.exits import ExitCode
from cli.interrupts import Interrupts
from cli.requests.machine import StartingSandbox
from cli.requests.manner import Manner
from cli.requests.runs import Applying, Previewing
from cli.requests.stack import ShowingOne
from cli.views.changes import between
from cli.views.lines import Line, cells, clean
from cli.views.markers import LOOKS
from cli.views.report import nothing_to_do
from engine import urn as urns
from engine.events import RunEnded, StepDone
from engine.paths import join
from engine.plan import Op, Plan, Reason, Step
from engine.project import Project
from engine.sandbox import Flavor, KubernetesApi, PartStatus, Sandbox, SandboxState, SandboxStatus
from engine.sandbox.providers import factories
from engine.state.model import ResourceState


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        (["preview", "dev", "--diff"], ["preview", "dev", "--diff=brief"]),
        (["preview", "--diff", "dev"], ["preview", "--diff=brief", "dev"]),
        (["preview", "--diff", "full", "dev"], ["preview", "--diff=full", "dev"]),
        (["preview", "--diff=full"], ["preview", "--diff=full"]),
        (["preview", "--", "--diff"], ["preview", "--", "--diff"]),
        (["preview", "--diff", "--yes"], ["preview", "--diff=brief", "--yes"]),
    ],
)
def test_the_level_of_a_diff_may_be_left_out(given: list[str], understood: list[str]) -> None:
    assert with_diff_level(given) == understood


@pytest.mark.parametrize("request_", [Previewing, Applying, ShowingOne, StartingSandbox])
def test_every_option_has_its_variable_and_its_help(request_: type[Manner]) -> None:
    options = [one for one in (_option(parameter.annotation) for parameter in parameters(request_)) if one]
    assert options
    for option in options:
        flags = [option.default, *(option.param_decls or ())]
        long = [flag for flag in flags if isinstance(flag, str) and flag.startswith("--")]
        assert option.envvar == [variable(flag) for flag in long]
        assert option.help


def _option(annotation: object) -> OptionInfo | None:
    info = getattr(annotation, "__metadata__")[0]  # noqa: B009 - Annotated has no public name for it
    return info if isinstance(info, OptionInfo) else None


def test_the_second_interrupt_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[object] = []

    def exit_(code: int) -> None:
        said.append(("exit", code))

    monkeypatch.setattr(os, "_exit", exit_)
    interrupts = Interrupts(lambda: said.append("cancel"), lambda: said.append("stop"))
    interrupts.arrived()
    assert said == ["cancel"]
    interrupts.arrived()
    assert said == ["cancel", "stop", ("exit", ExitCode.CANCELLED)]


def test_a_bug_of_ours_says_what_to_report(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("lost")
    except KeyError as error:
        assert failures.report(error, Manner()) == 255
    said = capsys.readouterr().err
    assert "bug of ours" in said
    assert "--debug" in said
    assert "Traceback" not in said


def test_a_file_that_can_not_be_written_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.report(PermissionError(13, "Permission denied", "/etc/shadow"), Manner()) == 1
    assert capsys.readouterr().err == "error: /etc/shadow: Permission denied\n"


def test_the_event_log_counts_as_pulumi_does(tmp_path: Path) -> None:
    urn = "urn:pulumi:dev::demo::aws:s3/bucket:Bucket::data"
    default = "urn:pulumi:dev::demo::pulumi:providers:aws::default_7_51_1"
    ops = [(urn, Op.CREATE_REPLACEMENT), (urn, Op.REPLACE), (urn, Op.DELETE_REPLACED), (default, Op.CREATE)]
    with EventLog(tmp_path / "log") as log:
        for one, op in ops:
            state = ResourceState(one, urns.type_of(one), True)
            log(StepDone(Step(op, one, state.type, Reason.IMMUTABLE, state, state), 0.0))
        log(RunEnded(False, 1.0, {op: 1 for _, op in ops}, "succeeded"))
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["resOutputsEvent"]["metadata"]["op"] for line in lines[:-1]] == [op.value for _, op in ops[:3]]
    assert lines[-1]["summaryEvent"]["resourceChanges"] == {"replace": 1}


def test_what_is_only_read_is_no_change() -> None:
    urn = "urn:pulumi:dev::demo::aws:s3/bucket:Bucket::data"
    state = ResourceState(urn, urns.type_of(urn), True, id="data", external=True)
    read = Step(Op.READ, urn, state.type, Reason.READ, state, state)
    assert nothing_to_do(Plan((read,), {}, {}))
    assert not nothing_to_do(Plan((read,), {}, {"url": "x"}))


def test_every_operation_has_its_look() -> None:
    assert set(LOOKS) == set(Op)


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("👩\u200d🚀", 4), ("", 0), ("ｶﾅ", 2)]
)
def test_columns(text: str, columns: int) -> None:
    assert cells(text) == columns


@pytest.mark.parametrize("width", range(1, 12))
def test_a_cut_line_fits(width: int) -> None:
    assert Line().add("日本語").add("abc").add("日").cut(width).width <= width


def test_what_could_move_the_cursor_is_written_out() -> None:
    assert clean("a\x1b[2Jb\u202ec\td") == "a\\x1b[2Jb\\u202ec    d"


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ([1, 2, 3], [0, 1, 2, 3], ["[0]"]),
        ([1, 2, 3], [1, 3], ["[1]"]),
        ([{"id": "a", "n": 1}, {"id": "b", "n": 1}], [{"id": "b", "n": 2}], ["[0]", "[0].n"]),
        ([{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 3}], ["[1].n"]),
        ('{"a": 1, "b": [1]}', '{"b": [1, 2], "a": 1}', ["b[1]"]),
        ("{broken", "{broken too", ["(all)"]),
    ],
)
def test_a_difference_is_no_larger_than_it_has_to_be(old: object, new: object, paths: list[str]) -> None:
    assert [join(change.path) or "(all)" for change in between(old, new)] == paths


def test_a_state_whose_emulator_was_started_anew_is_stale(tmp_path: Path) -> None:
    def sandbox(instance: str) -> Sandbox:
        return Sandbox("default", tmp_path, "http://127.0.0.1:1", "moto", 1, "now", instance, None, "us-east-1",
                       tmp_path / "passphrase", tmp_path / "log")  # fmt: skip

    assert not sandboxes.is_stale(tmp_path, "dev", sandbox("one"))
    sandboxes.remember(tmp_path, "dev", sandbox("one"))
    assert not sandboxes.is_stale(tmp_path, "dev", sandbox("one"))
    assert sandboxes.is_stale(tmp_path, "dev", sandbox("two"))
    assert not sandboxes.is_stale(tmp_path, "dev", None)
    assert not sandboxes.is_stale(tmp_path, "staging", sandbox("two"))


def test_the_kubernetes_api_of_a_sandbox_that_ended_is_gone_unless_the_next_one_listens_there(tmp_path: Path) -> None:
    def sandbox(instance: str, server: str) -> Sandbox:
        api = KubernetesApi(Flavor.EMBEDDED, server, tmp_path / "kubeconfig", "1.35")
        return Sandbox("default", tmp_path, "http://127.0.0.1:1", "moto", 1, "now", instance, None, "us-east-1",
                       tmp_path / "passphrase", tmp_path / "log", (), api)  # fmt: skip

    sandboxes.remember(tmp_path, "dev", sandbox("one", "http://127.0.0.1:2"))
    assert sandboxes.stacks_in(tmp_path, sandbox("one", "http://127.0.0.1:2")) == ["dev"]
    assert sandboxes.gone_servers(tmp_path, "dev", sandbox("one", "http://127.0.0.1:2")) == frozenset()
    assert sandboxes.gone_servers(tmp_path, "dev", sandbox("two", "http://127.0.0.1:3")) == {"http://127.0.0.1:2"}
    assert sandboxes.gone_servers(tmp_path, "dev", sandbox("two", "http://127.0.0.1:2")) == frozenset()
    assert sandboxes.gone_servers(tmp_path, "dev", None) == frozenset()


@pytest.mark.parametrize(
    ("dead", "said"),
    [
        (("aws", "kubernetes"), "the sandbox's process 1 has ended, and what it held is gone"),
        (("kubernetes",), "the sandbox's Kubernetes half is gone: native: etcd ended"),
    ],
)
def test_what_is_missing_of_a_sandbox_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: tuple[str, ...], said: str
) -> None:
    sandbox = Sandbox("default", tmp_path, "http://127.0.0.1:1", "moto", 1, "now", "one", None, "us-east-1",
                      tmp_path / "passphrase", tmp_path / "log")  # fmt: skip
    parts = tuple(
        PartStatus(name, SandboxState.DEAD if name in dead else SandboxState.RUNNING, "")
        for name in ("aws", "kubernetes")
    )
    found = SandboxStatus(SandboxState.DEAD, sandbox, "native: etcd ended", parts)

    def status(_: Path, __: str) -> SandboxStatus:
        return found

    monkeypatch.setattr(sandboxes, "status", status)
    error = sandboxes.missing(tmp_path)
    assert said in str(error)
    assert "`bedplate sandbox up`" in str(error)


def test_a_request_that_is_no_dataclass_of_options_is_refused() -> None:
    with pytest.raises(TypeError):
        parameters(typer.Typer)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ("config:\n  p:cluster: {kubernetes_version: '1.36'}\n", True),
        ("config:\n  p:cluster: {kubernetes_version: '1.35'}\n", False),
        ("config:\n  p:cluster: {kubernetes_version: '1.12'}\n", False),
        ("config:\n  p:cluster: [1]\n", False),
        ("config: {}\n", False),
        ("", False),
    ],
)
def test_manifests_are_checked_against_the_declared_version(tmp_path: Path, settings: str, found: bool) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    (tmp_path / "__main__.py").write_text("")
    (tmp_path / "Pulumi.dev.yaml").write_text(settings)
    project = Project.load(tmp_path)
    provider = factories(None, lambda: sandboxes.declared_kubernetes(project, "dev"))["kubernetes"]()
    type_ = "kubernetes:admissionregistration.k8s.io/v1:MutatingAdmissionPolicy"  # of 1.36
    news = {"metadata": {"name": "x"}, "spec": {}}
    checked = provider.check(f"urn:pulumi:dev::p::{type_}::x", type_, None, news, seed="s")
    refused = [failure.reason for failure in checked.failures if failure.property in ("apiVersion", "kind")]
    assert bool(refused) is not found
