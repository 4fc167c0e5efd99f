"""Which engine a command uses where nobody says it, and commands that use the Pulumi CLI: a fake one, which tells."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import engines, sandboxes
from cli.exits import ExitCode
from cli.main import application
from cli.requests.runs import Running
from cli.requests.stack import Engine
from engine.project import Project
from engine.providers.remote.finding import pulumi_home
from engine.pulumi_cli import reach
from engine.sandbox import Sandbox, native
from engine.state.model import ResourceState, Snapshot
from engine.urn import STACK_TYPE
from tests.cli.standing import Standing
from tests.cli.test_sandboxes import sandbox
from tests.engine.pulumi_cli.fake import EMPTY, RECORDED, FakePulumi, event, recorded

ROOT = ResourceState("urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", STACK_TYPE)
SEALED = {"version": 3, "deployment": {"secrets_providers": {"type": "passphrase", "state": {"salt": "v1:..."}}}}


@dataclass
class Machine:
    """A project, a `pulumi` that is logged in to a backend and has its plugins, and the sandboxes that run."""

    standing: Standing
    fake: FakePulumi
    sandboxes: dict[str, Sandbox]

    @property
    def project(self) -> Project:
        return Project.load(self.standing.folder)

    def choice(self, *, changes: bool = False, stack: str = "dev", name: str = "default") -> engines.Choice:
        return engines.chosen(Running(sandbox=name), self.project, stack, changes=changes)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in [name for name in os.environ if name.startswith(("PULUMI_", "BEDPLATE_"))]:
        monkeypatch.delenv(name)
    for folder in ("work", "backend", "home"):
        (tmp_path / folder).mkdir()
    fake = FakePulumi(tmp_path / "bin")
    variables = {
        "PATH": f"{fake.folder}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_DEBUG_PROVIDERS": "aws:1,kubernetes:2",
        "BEDPLATE_ENGINE": "auto",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "home" / "credentials.json").write_text(json.dumps({"current": f"file://{tmp_path / 'backend'}"}))
    running: dict[str, Sandbox] = {}

    def find(_root: Path, name: str) -> Sandbox | None:
        return running.get(name)

    monkeypatch.setattr(sandboxes, "find", find)
    return Machine(Standing(tmp_path / "work", dict(variables)), fake, running)


# The choice


def test_a_preview_takes_the_cli_where_it_reaches_the_stack(machine: Machine) -> None:
    machine.fake.has_stack()
    assert machine.choice() == engines.Choice(Engine.PULUMI)


def test_without_a_cli_there_is_no_choice_and_nothing_to_say(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine.standing.folder))
    assert machine.choice() == machine.choice(changes=True) == engines.Choice(Engine.EMBEDDED)


def test_where_nobody_has_logged_in_a_preview_asks_the_cli_nothing(machine: Machine) -> None:
    (machine.standing.folder.parent / "home" / "credentials.json").unlink()
    choice = machine.choice()
    assert choice == engines.Choice(Engine.EMBEDDED, "the Pulumi CLI is here, but it is not logged in to any backend")
    assert machine.fake.calls == []


def test_a_change_of_what_is_in_no_sandbox_is_for_the_cli_whatever_stands_in_its_way(machine: Machine) -> None:
    (machine.standing.folder.parent / "home" / "credentials.json").unlink()
    assert machine.choice(changes=True) == engines.Choice(Engine.PULUMI)


def test_a_plugin_that_is_not_there_is_not_fetched_for_a_preview(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_DEBUG_PROVIDERS")
    assert "its plugin aws" in machine.choice().why
    assert machine.fake.calls == []
    machine.fake.has_stack()
    for plugin in reach.required(machine.project):
        (pulumi_home(os.environ) / "plugins" / f"resource-{plugin.name}-v{plugin.version}").mkdir(parents=True)
    assert machine.choice().engine is Engine.PULUMI


def test_a_plugin_on_path_is_installed(machine: Machine) -> None:
    plugin = reach.Plugin("toy", "1.0.0")
    assert not reach.installed(plugin, os.environ)
    (machine.fake.folder / "pulumi-resource-toy").write_text("")
    assert reach.installed(plugin, os.environ)


@pytest.mark.parametrize(
    ("environment", "said", "why"),
    [
        ({"PULUMI_BACKEND_URL": "file:///nowhere/at/all"}, "", "its backend file:///nowhere/at/all is not there"),
        ({}, "error: no stack named 'dev' found", "no stack named 'dev' found"),
        ({}, "error: PULUMI_ACCESS_TOKEN must be set for login", "PULUMI_ACCESS_TOKEN must be set for login"),
        ({}, 'error: performing HTTP request: Get "https://x/": i/o timeout', "performing HTTP request"),
    ],
)
def test_what_does_not_reach_the_stack_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], said: str, why: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    machine.fake.answer("stack", "export", err=f"{said}\n", code=6)
    choice = machine.choice()
    assert choice.engine is Engine.EMBEDDED and why in choice.why and "\n" not in choice.why


def test_a_backend_that_does_not_answer_is_given_up(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "PATIENCE", 0.5)
    machine.fake.answer("stack", "export", events=["wait"])
    assert "has not answered within 0.5 s" in machine.choice().why


def test_the_cli_needs_a_passphrase_where_the_stack_has_one(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.fake.has_stack(SEALED)
    assert "no passphrase is set" in machine.choice().why
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    assert machine.choice().engine is Engine.PULUMI
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/nowhere")
    assert "no passphrase is set" in machine.choice().why


@pytest.mark.parametrize("changes", [False, True])
def test_what_is_or_will_be_in_a_sandbox_stays_with_the_embedded_engine(machine: Machine, changes: bool) -> None:
    machine.fake.has_stack()
    embedded = engines.Choice(Engine.EMBEDDED)
    machine.sandboxes["default"] = sandbox(machine.standing.folder, "default", "one")
    assert machine.choice(changes=changes) == embedded, "one runs"
    del machine.sandboxes["default"]
    assert machine.choice(changes=changes, stack="sandbox") == embedded, "its name says it"
    settings = machine.standing.folder / "Pulumi.dev.yaml"
    settings.write_text("config:\n  shop:environment: {stage: sandbox}\n")
    assert machine.choice(changes=changes) == embedded, "its settings say it"
    settings.write_text("config:\n  shop:environment: {stage: prod}\n")
    assert machine.choice(changes=changes).engine is Engine.PULUMI
    machine.standing.save(Snapshot((ROOT,)))
    assert machine.choice(changes=changes) == embedded, "it is up"
    machine.standing.save(Snapshot())
    assert machine.choice(changes=changes).engine is Engine.PULUMI, "it was taken down"
    assert machine.fake.calls == machine.fake.called("stack", "export")


def test_who_names_a_sandbox_never_gets_the_cli(machine: Machine) -> None:
    machine.fake.has_stack()
    work = machine.standing
    work.run("outputs", "dev", "--sandbox", "default").expect(0, "dev has no outputs")
    work.run("outputs", "dev", BEDPLATE_SANDBOX="default").expect(0, "dev has no outputs")
    assert machine.fake.calls == []
    done = work.run("outputs", "dev", "--sandbox", "default", "--engine", "pulumi")
    done.expect(ExitCode.USAGE, "give one of them")
    work.run("outputs", "dev")
    assert machine.fake.called("stack", "export"), "without the option it is asked"


# Commands


def test_a_preview_by_the_cli_looks_like_any_other(machine: Machine) -> None:
    machine.fake.has_stack()
    machine.fake.answer("preview", events=recorded("preview-replace"))
    done = machine.standing.run("preview", "dev", "--diff", "brief").expect(0)
    head = done.out.splitlines()[0]
    assert head.startswith("bedplate preview dev") and "Pulumi CLI 3.260.0, state in file://" in head
    assert "├─ +- a    Thing  key 1 → 2" in done.out
    assert "~ pw" not in done.out and "hunter2" not in done.out
    assert "~ 1 update   +- 3 replace   - 1 delete   1 unchanged" in done.out
    document = machine.standing.run("preview", "dev", "--output", "json", "--detailed-exitcode").expect(2).json()
    assert (document["engine"], document["result"]) == ("pulumi", "succeeded")
    assert document["planned"] == {"delete": 1, "replace": 3, "same": 1, "update": 1}
    machine.standing.run("preview", "dev", "--expect-no-changes").expect(ExitCode.CHANGES)


def test_a_program_in_another_language_is_for_the_cli(machine: Machine) -> None:
    (machine.standing.folder / "Pulumi.yaml").write_text("name: shop\nruntime: yaml\n")
    machine.fake.has_stack()
    machine.fake.answer("preview", events=recorded("preview-replace"))
    machine.standing.run("preview", "dev").expect(0, "Pulumi CLI 3.260.0")
    done = machine.standing.run("preview", "dev", "--engine", "embedded")
    done.expect(ExitCode.USAGE, "runtime is 'yaml'", "--engine pulumi")


def test_the_event_log_has_every_payload(machine: Machine, tmp_path: Path) -> None:
    machine.fake.has_stack()
    further = event(progressEvent={"type": "plugin-download", "id": "1", "message": "", "done": False})
    machine.fake.answer("preview", events=[*recorded("preview-replace")[:1], further, *recorded("preview-replace")[1:]])
    log = tmp_path / "log"
    machine.standing.run("preview", "dev", "--event-log", str(log)).expect(0)
    found = [json.loads(line) for line in log.read_text().splitlines()]
    assert found[1]["progressEvent"]["type"] == "plugin-download"
    assert [one["sequence"] for one in found] == list(range(1, len(found) + 1))
    summary = found[-1]["summaryEvent"]
    assert summary["resourceChanges"] == {"delete": 1, "replace": 3, "same": 1, "update": 1}


def test_an_up_that_fails_at_a_resource_exits_as_any_other(machine: Machine) -> None:
    machine.fake.has_stack()
    machine.fake.answer("preview", events=recorded("preview-replace"))
    machine.fake.answer("up", events=recorded("up-fails"), code=1)
    done = machine.standing.run("up", "dev", "--yes").expect(ExitCode.RESOURCE_FAILED, "update b: refused")
    assert "updating b failed" in done.out and "KeyboardInterrupt" not in done.text


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", ExitCode.CREDENTIALS),
        ("error: getting stack configuration: get stack secrets manager: incorrect passphrase", ExitCode.CREDENTIALS),
        ("error: no stack named 'dev' found", ExitCode.NO_ENVIRONMENT),
        ("error: the stack is currently locked by 1 lock(s).", ExitCode.FAILED),
    ],
)
def test_what_the_cli_refuses_has_the_exit_code_of_its_kind(machine: Machine, said: str, code: ExitCode) -> None:
    machine.fake.answer("stack", "export", err=f"{said}\n", code=1)
    machine.standing.run("destroy", "dev", "--yes").expect(code, said.removeprefix("error: "))
    document = machine.standing.run("destroy", "dev", "--yes", "--output", "json").json()
    assert document["exitCode"] == code


def test_a_refused_run_is_refused_with_the_finding(machine: Machine) -> None:
    begun, *rest = recorded("preview-replace")
    finding = event(policyEvent={
        "resourceUrn": "urn:pulumi:dev::demo::test:index:Thing::b", "message": "Sizes are small\nsize is 2\n",
        "policyName": "sizes", "policyPackName": "pack", "policyPackVersion": "1.0.0", "enforcementLevel": "mandatory",
    })  # fmt: skip
    machine.fake.has_stack()
    machine.fake.answer("preview", events=[begun, finding, *rest], code=1)
    done = machine.standing.run("preview", "dev").expect(ExitCode.REFUSED, "refused by policy", "size is 2")
    assert "mandatory: sizes (pack)" in done.out


BUCKET = {"bucket": "acme-media", "forceDestroy": False, "tags": {"team": "ml"}}


def imported(log: str, folder: Path) -> list[str]:
    """A log of the CLI's in which a bucket was imported, and not what was."""
    text = (folder / f"{log}.ndjson").read_text().replace("test:index:Thing", "aws:s3/bucket:Bucket")
    text = text.replace("providers:test", "providers:aws")
    return re.sub(r'"inputs":\{"key":"2".*?\},"size":2\}', f'"inputs":{json.dumps(BUCKET)}', text).splitlines()


def test_an_import_by_the_cli_shows_its_plan_and_gives_our_code(machine: Machine, tmp_path: Path) -> None:
    provider = "urn:pulumi:dev::demo::pulumi:providers:aws::default"
    urn = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::b"
    known = {"version": 3, "deployment": {"resources": [
        {"urn": provider, "type": "pulumi:providers:aws", "custom": True, "id": "1"},
        {"urn": urn, "type": "aws:s3/bucket:Bucket", "custom": True, "id": "b-2", "inputs": BUCKET, "protect": True,
         "provider": f"{provider}::1"},
    ]}}  # fmt: skip
    machine.fake.answer("stack", "export", flags=["--show-secrets"], out=json.dumps(known))
    machine.fake.has_stack()
    for flag, log in (("--preview-only", "import-preview"), ("--yes", "import")):
        events = [line.replace("::demo::", "::shop::") for line in imported(log, RECORDED)]
        machine.fake.answer("import", flags=[flag], events=events)
    command = ("import", "dev", "aws:s3/bucket:Bucket", "b", "b-2")
    machine.standing.run(*command).expect(ExitCode.USAGE, "--yes")
    shown = machine.standing.run(*command, "--preview-only").expect(0, "= b", "= 1 import", "Pulumi CLI 3.260.0")
    assert not [call for call in machine.fake.called("import") if "--yes" in call]
    done = machine.standing.run(*command, "--yes", "--no-protect").expect(0, "= 1 imported")
    code = 'b = aws.s3.Bucket("b", bucket="acme-media", tags={"team": "ml"})'
    assert code in done.out
    assert 'bucket="acme-media"' in shown.out and "force_destroy" not in shown.out and "protect=True" in shown.out
    assert "hunter2" not in shown.text + done.text
    *_, call = machine.fake.called("import")
    assert {"--generate-code=false", "--protect=false", "--skip-preview", "--event-log", "--file"} <= set(call)
    given = tmp_path / "resources.json"
    given.write_text(json.dumps({"resources": [{"type": "aws:s3/bucket:Bucket", "name": "b", "id": "b-2"}]}))
    document = machine.standing.run("import", "dev", "--file", str(given), "--yes", "--output", "json").expect(0).json()
    assert (document["engine"], document["applied"]) == ("pulumi", True)
    assert str(given) in machine.fake.called("import")[-1]
    (machine.standing.folder / "Pulumi.yaml").write_text("name: shop\nruntime: yaml\n")
    other = machine.standing.run(*command, "--yes").expect(0, "no code: the program is in yaml")
    assert "aws.s3" not in other.text


def test_an_import_that_fails_exits_as_any_other(machine: Machine) -> None:
    machine.fake.has_stack()
    failed = event(diagnosticEvent={"severity": "error", "message": "resource 'x' does not exist\n"})
    events = [*recorded("import-preview")[:1], failed]
    machine.fake.answer("import", events=events, code=1)
    done = machine.standing.run("import", "dev", "test:index:Thing", "b", "x", "--yes")
    done.expect(ExitCode.RESOURCE_FAILED, "resource 'x' does not exist")
    assert len(machine.fake.called("import")) == 1


# What each command that takes --engine does with it: the first words of what the CLI is asked, or what is refused.
WITH_PULUMI: Mapping[str, str] = {
    "preview": "preview", "up": "preview", "destroy": "destroy", "refresh": "refresh", "simulate": "preview",
    "cost": "preview", "import": "import", "outputs": "stack export", "history": "stack history", "cancel": "cancel",
    "state list": "stack export", "state show": "stack export", "state unprotect": "stack export",
    "state rename": "stack export", "state delete": "stack export", "state move": "stack export",
    "state repair": "stack export", "state export": "stack export", "state import": "stack export",
    "policy run": "preview",
    "watch": "",
    # about settings and packs alone, which no engine is asked about
    "config show": "", "config set": "", "config rm": "",
    "dashboards list": "", "dashboards preview": "", "dashboards export": "", "policy list": "",
}  # fmt: skip
FURTHER: Mapping[str, Sequence[str]] = {
    "import": ("test:index:Thing", "b", "b-2"), "state unprotect": ("--all",), "state delete": ("--all",),
    "state rename": ("a", "b"), "state move": ("a", "--to", "prod"), "policy run": ("--policy-pack", "pack"),
}  # fmt: skip


def commands_with_an_engine() -> set[str]:
    found: set[str] = set()

    def walk(command: Any, words: str) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{words} {name}".strip())
        if any(one.name == "engine" for one in command.params):
            found.add(words)

    walk(typer.main.get_command(application()), "")
    return found


def test_every_command_that_takes_an_engine_is_accounted_for() -> None:
    assert commands_with_an_engine() == WITH_PULUMI.keys()


@pytest.mark.parametrize("command", [command for command, asked in WITH_PULUMI.items() if asked])
def test_every_command_asks_the_cli_where_it_is_told_to(
    machine: Machine, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused by a backend that lets nobody in, and says so with its own exit code."""
    monkeypatch.setattr(native, "required", str)  # what `simulate` builds first
    (machine.standing.folder / "pack").mkdir()
    (machine.standing.folder / "pack" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (machine.standing.folder / "pack" / "__main__.py").write_text("")
    words, refused = WITH_PULUMI[command].split(), "error: PULUMI_ACCESS_TOKEN must be set for login\n"
    if words[0] != "stack":
        machine.fake.has_stack()
    machine.fake.answer(*words, err=refused, code=3)
    agreed = "--yes" in {flag for one in _command(command).params for flag in one.opts}
    arguments = [*command.split(), "dev", *FURTHER.get(command, ()), *(["--yes"] if agreed else [])]
    backend = {"PULUMI_BACKEND_URL": "https://api.pulumi.example", "BEDPLATE_ENGINE": "pulumi"}
    given = json.dumps(EMPTY) if command == "state import" else ""
    monkeypatch.chdir(machine.standing.folder)
    done = machine.standing.run(*arguments, given=given, **backend)
    done.expect(ExitCode.CREDENTIALS, "PULUMI_ACCESS_TOKEN must be set")
    assert machine.fake.called(*words)


def test_watching_is_refused_in_a_line(machine: Machine) -> None:
    done = machine.standing.run("watch", "dev", "--engine", "pulumi").expect(ExitCode.USAGE, "`watch` is for sandboxes")
    assert machine.fake.calls == [] and len(done.err.splitlines()) == 2


def _command(words: str) -> Any:
    command: Any = typer.main.get_command(application())
    for word in words.split():
        command = command.commands[word]
    return command


def test_nobody_is_asked_where_nobody_answers_and_a_stack_is_made_by_who_does(machine: Machine) -> None:
    machine.fake.has_no_stack()
    machine.standing.run("up", "dev").expect(ExitCode.USAGE, "--yes")
    machine.standing.ask("n\n", "up", "dev").expect(ExitCode.CANCELLED, "there is no stack dev yet; make it?")
    machine.fake.answers.clear()
    machine.fake.answer("version", out="v3.260.0\n")
    machine.fake.has_no_stack(once=True)
    machine.fake.has_stack(EMPTY)
    machine.fake.answer("stack", "init")
    machine.fake.answer("preview", events=recorded("preview-replace"))
    machine.standing.ask("y\nn\n", "up", "dev").expect(ExitCode.CANCELLED, "make it?", "Apply these changes?")
    assert machine.fake.called("up") == []


def test_who_asks_for_a_cli_that_is_not_there_is_told_how_to_get_it(machine: Machine) -> None:
    nowhere = str(machine.standing.folder)
    for command in (["preview"], ["up", "--yes"], ["outputs"], ["state", "list"]):
        done = machine.standing.run(*command, "dev", "--engine", "pulumi", PATH=nowhere)
        done.expect(ExitCode.FAILED, "there is no `pulumi` command on PATH", "bedplate setup")


def test_without_a_sandbox_it_is_said_where_the_real_environment_goes(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = str(sandboxes.missing(machine.standing.folder))
    assert "start one with `bedplate sandbox up`" in here and "--engine pulumi" in here and "setup" not in here
    monkeypatch.setenv("PATH", str(machine.standing.folder))
    assert "`bedplate setup`" in str(sandboxes.missing(machine.standing.folder))


def test_a_preview_that_falls_back_says_why_in_one_line(machine: Machine) -> None:
    machine.fake.has_no_stack()
    (machine.standing.folder / "__main__.py").write_text("")
    done = machine.standing.run("preview", "dev").expect(0, "embedded engine, state in .bedplate/state")
    first = done.err.splitlines()[0]
    assert first == "the Pulumi CLI is here, but no stack named 'dev' found: the embedded engine is used"
    assert sys.executable  # the program ran in our own interpreter


@pytest.mark.parametrize("engine", ["pulumi", "embedded"])
def test_a_diagnostic_is_told_once(machine: Machine, engine: str) -> None:
    """By the report of the preview or the apply; by nobody's report where there is none."""
    program = "import pulumi\npulumi.warn('soon no more')\n"
    (machine.standing.folder / "__main__.py").write_text(program)
    warned = event(diagnosticEvent={"severity": "warning", "message": "soon no more\n"})
    late = event(diagnosticEvent={"severity": "warning", "message": "only when it is applied\n"})
    begun, *rest = recorded("preview-replace")
    machine.fake.has_stack()
    machine.fake.answer("preview", events=[begun, warned, *rest])
    machine.fake.answer("up", events=[begun.replace('"isPreview":true', ""), warned, late, *recorded("up-replace")[1:]])
    shown = machine.standing.run("preview", "dev", "--engine", engine).expect(0)
    assert shown.text.count("soon no more") == shown.out.count("soon no more") == 1
    done = machine.standing.run("up", "dev", "--yes", "--engine", engine).expect(0)
    assert done.text.count("soon no more") == 1
    assert done.text.count("only when it is applied") == (engine == "pulumi")
    cost = machine.standing.run("cost", "dev", "--engine", engine).expect(0)
    assert cost.err.count("soon no more") == cost.text.count("soon no more") == 1


URN = "urn:pulumi:dev::demo::test:index:Thing::a"


def test_a_refused_plan_is_told_once(machine: Machine, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"resourcePlans": {}}')
    refusal = f"resource {URN} violates plan: properties changed: ~~size[{{2}}!={{3}}]"
    refused = event(diagnosticEvent={"severity": "error", "urn": URN, "message": f"{refusal}\n"})
    machine.fake.has_stack()
    machine.fake.answer("preview", events=recorded("preview-replace"))
    machine.fake.answer("up", events=[recorded("preview-replace")[0], refused], code=255)
    done = machine.standing.run("up", "dev", "--yes", "--plan", str(plan), "--engine", "pulumi")
    assert done.text.count(refusal) == 1, done.expect(ExitCode.FAILED).text
