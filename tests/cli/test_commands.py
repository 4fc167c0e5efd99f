"""The command line as its users meet it: a process, its streams, its exit code. The programs need no emulator."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from pulumi.automation.events import EngineEvent

from cli.exits import ExitCode
from stacks.settings.schema import PATH as SCHEMA

SECRET = "hunter2-hunter2"
PROGRAM = f'''
import os
import pulumi

class Thing(pulumi.ComponentResource):
    def __init__(self, name, parent=None):
        options = pulumi.ResourceOptions(parent=parent)
        super().__init__("demo:storage:Thing", name, {{"size": os.environ.get("SIZE", "1")}}, options)

top = Thing("top")
Thing("below", top)
print("the program speaks")
pulumi.log.warn("the program warns")
pulumi.export("size", os.environ.get("SIZE", "1"))
pulumi.export("password", pulumi.Output.secret("{SECRET}"))
'''
WAITING = """
import time
print("waiting", flush=True)
time.sleep(600)
"""


@dataclass
class Project:
    """A project in a folder of its own."""

    folder: Path

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(program)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cli.main", *arguments, "--cwd", str(self.folder)]

    def environment(self, **variables: str) -> Mapping[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "BEDPLATE_"))}
        return ours | {"COLUMNS": "80", "BEDPLATE_ENGINE": "embedded"} | variables

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, env=self.environment(**variables), check=False
        )

    @property
    def has_state(self) -> bool:
        return (self.folder / ".bedplate" / "state" / ".pulumi" / "stacks").exists()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    for environment in ("dev", "staging"):
        (tmp_path / f"Pulumi.{environment}.yaml").write_text("config: {}\n")
    made = Project(tmp_path)
    made.write(PROGRAM)
    return made


@pytest.mark.slow
def test_a_plan_is_kept_and_applied_as_it_is(project: Project) -> None:
    plan = str(project.folder / "plan.json")
    kept = project.run("preview", "dev", "--save-plan", plan)
    assert (kept.returncode, f"`bedplate up dev --plan {plan}` applies it as it is" in kept.stderr) == (0, True)
    assert SECRET not in Path(plan).read_text()

    stopped = project.run("up", "dev", "--yes", "--plan", plan, SIZE="2")
    assert stopped.returncode == 1
    assert 'size: "1" was planned, "2" is due' in stopped.stdout
    applied = project.run("up", "dev", "--yes", "--plan", plan, "--output", "json")
    assert (applied.returncode, json.loads(applied.stdout)["done"]) == (0, {"create": 3})
    again = project.run("up", "dev", "--yes", "--plan", plan)
    assert (again.returncode, "the stack's state has changed since it was made" in again.stdout) == (1, True)


@pytest.mark.slow
def test_a_stack_from_its_preview_to_its_end(project: Project) -> None:
    preview = project.run("preview", "dev", "--detailed-exitcode")
    assert preview.returncode == 2
    assert "+ 3 create" in preview.stdout
    assert "the program speaks" in preview.stderr
    assert not project.has_state

    up = project.run("up", "--stack", "dev", "--yes")
    assert up.returncode == 0
    assert "+ 3 created" in up.stdout
    assert project.run("preview", "dev", "--detailed-exitcode").returncode == 0
    assert project.run("preview", "dev", "--expect-no-changes").returncode == 0

    changed = project.run("up", "dev", "--yes", "--diff", SIZE="2")
    assert '~ size: "1" → "2"' in changed.stdout
    refused = project.run("up", "dev", "--yes", "--expect-no-changes", SIZE="3")
    assert refused.returncode == 7
    assert "--expect-no-changes" in refused.stderr
    assert '"2"' in project.run("state", "show", "dev", "below").stdout

    log = project.folder / "refresh.json"
    looked = project.run("refresh", "dev", "--preview-only", "--output", "markdown", "--event-log", str(log))
    assert (looked.returncode, looked.stdout, looked.stderr) == (0, "### dev: no drift\n", "")
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event["resourcePreEvent"]["metadata"]["op"] for event in events if "resourcePreEvent" in event] == [
        "refresh"
    ] * 3
    assert events[-1]["summaryEvent"]["resourceChanges"] == {"same": 3}  # as Pulumi counts

    outputs = project.run("outputs", "dev")
    assert "[secret]" in outputs.stdout
    assert SECRET not in outputs.stdout
    assert SECRET in project.run("outputs", "dev", "--show-secrets").stdout
    assert "└─ top" in project.run("state", "list", "dev").stdout

    gone = project.run("destroy", "dev", "--yes", "--continue-on-error", "--event-log", str(log))
    assert "- 3 deleted" in gone.stdout
    assert json.loads(log.read_text().splitlines()[-1])["summaryEvent"]["resourceChanges"] == {"delete": 3}
    everything = "".join(path.read_text() for path in project.folder.rglob("*.json"))
    assert SECRET not in everything


def test_a_document_and_an_event_log(project: Project) -> None:
    log = project.folder / "events.ndjson"
    done = project.run("up", "dev", "--yes", "--event-log", str(log), BEDPLATE_OUTPUT="json")
    document = json.loads(done.stdout)
    assert done.stderr == ""
    assert next(iter(document)) == "version"
    assert (document["version"], document["exitCode"], document["applied"]) == (1, 0, True)
    assert document["done"] == {"create": 3}
    assert document["outputs"]["after"] == {"size": "1", "password": {"$secret": True}}
    assert [one["message"] for one in document["diagnostics"]] == ["the program warns"]

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    assert {len(line) for line in lines} == {3}
    events = [EngineEvent.from_json(line) for line in lines]
    created = [one.res_outputs_event.metadata.urn for one in events if one.res_outputs_event]
    assert any(urn.endswith("::below") for urn in created)
    assert [one.summary_event.resource_changes for one in events if one.summary_event][-1] == {"create": 3}
    assert SECRET not in done.stdout + log.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["preview", "stagin"], 6, "did you mean 'staging'?"),
        (["outputs", "nosuch"], 6, "dev or staging"),
        (["preview"], 2, "one of dev, staging"),
        (["preview", "dev", "--stack", "staging"], 2, "give one of them"),
        (["up", "dev"], 2, "--yes"),
        (["destroy", "dev", "--non-interactive"], 2, "--yes"),
        (["preview", "dev", "--engine", "other"], 2, "'auto', 'embedded'"),
        (["preview", "dev", "--parallel", "0"], 2, "--parallel"),
        (["preview", "dev", "--target", "nosuch"], 2, "matches no resource"),
        (["preview", "dev", "--target", "to*"], 2, "did you mean '**::to*'?"),
        (["preview", "dev", "--replace", "nosuch"], 2, "--replace 'nosuch' matches no resource of the state"),
        (["up", "dev", "--target", "top", "--exclude", "below", "--yes"], 2, "can't be given together"),
        (["up", "dev", "--plan", "p", "--target", "top", "--yes"], 2, "--plan and --target can't be given together"),
        (["up", "dev", "--plan", "nosuch", "--yes"], 2, "the plan nosuch can't be read"),
        (["state", "show", "dev", "nosuch"], 2, "no resource 'nosuch'"),
        (["sandbox", "status"], 1, ""),
    ],
)
def test_what_is_used_wrongly_is_said_in_one_message(
    project: Project, arguments: list[str], code: int, said: str
) -> None:
    done = project.run(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not project.has_state


def test_an_error_is_a_document_where_one_was_asked_for(project: Project) -> None:
    done = project.run("outputs", "stagin", "--output", "json")
    document = json.loads(done.stdout)
    assert (document["version"], document["exitCode"], done.returncode) == (1, 6, 6)
    assert "did you mean 'staging'?" in document["error"]["message"]
    (project.folder / "Pulumi.dev.yaml").write_text("config:\n  bedplate:netwrok: {}\n")
    done = project.run("config", "show", "dev", "--output", "json")
    problems = json.loads(done.stdout)["error"]["problems"]
    assert done.returncode == 2
    assert {"path": "netwrok", "line": 2} in [{key: one[key] for key in ("path", "line")} for one in problems]


def test_the_schema_that_is_written_is_the_one_that_the_files_name(project: Project) -> None:
    assert json.loads(project.run("config", "schema").stdout) == json.loads(SCHEMA.read_text())


def test_every_exit_code_is_in_the_help() -> None:
    command = [sys.executable, "-m", "cli.main", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("Exit codes:")[1]
    assert {int(number) for number in re.findall(r"(\d+)  ", said)} == {code.value for code in ExitCode}


def test_with_debug_an_error_has_its_traceback(project: Project) -> None:
    done = project.run("preview", "nosuch", "--debug")
    assert done.returncode == 6
    assert "Traceback" in done.stderr


def test_a_folder_without_a_project_is_named(tmp_path: Path) -> None:
    done = Project(tmp_path).run("preview", "dev")
    assert done.returncode == 2
    assert f"no Pulumi.yaml in {tmp_path}" in done.stderr


@pytest.mark.parametrize(
    ("program", "timeout", "code", "said"),
    [
        ("raise ValueError('boom')", "60", 1, "ValueError: boom"),
        ("import os; os._exit(3)", "60", 1, "exited with code 3"),
        ("import time; time.sleep(600)", "0.5", 9, "--program-timeout"),
    ],
)
def test_a_program_that_does_not_end_well(project: Project, program: str, timeout: str, code: int, said: str) -> None:
    project.write(program)
    done = project.run("preview", "dev", "--program-timeout", timeout)
    assert done.returncode == code
    assert said in done.stdout


def test_color_is_only_where_it_is_wanted(project: Project) -> None:
    assert "\x1b" not in "".join(project.run("preview", "dev").stdout)
    assert "\x1b[32m" in project.run("preview", "dev", FORCE_COLOR="1").stdout
    assert "\x1b" not in project.run("preview", "dev", FORCE_COLOR="1", NO_COLOR="1").stdout


def test_a_new_value_of_an_output_alone_is_a_change_for_every_verb(project: Project) -> None:
    project.write("import pulumi, os; pulumi.export('size', os.environ['SIZE'])")
    assert project.run("up", "dev", "--yes", SIZE="1").returncode == 0
    assert project.run("up", "dev", "--yes", "--expect-no-changes", SIZE="1").returncode == 0
    for verb in (["preview"], ["up", "--yes"]):
        assert project.run(*verb, "dev", "--expect-no-changes", SIZE="2").returncode == 7
    assert '"1"' in project.run("outputs", "dev", "--output", "json").stdout


def test_what_can_not_be_written_stops_nothing(project: Project) -> None:
    done = project.run("up", "dev", "--yes", "--event-log", "/dev/full")
    assert done.returncode == 1
    assert "error: /dev/full: No space left on device; the event log is not complete" in done.stderr
    assert "+ 3 created" in done.stdout
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            project.command("destroy", "dev", "--yes"), stdout=subprocess.PIPE, stderr=full, text=True, check=False,
            env=project.environment(),
        )  # fmt: skip
        assert done.returncode == 0, "progress that can't be shown is no failure"
        assert "- 3 deleted" in done.stdout
        done = subprocess.run(
            project.command("preview", "dev"), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=project.environment(),
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.endswith("error: the result can't be written: No space left on device\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(project: Project, number: signal.Signals) -> None:
    project.write(WAITING)
    with subprocess.Popen(
        project.command("up", "dev", "--yes"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=project.environment(),
    ) as process:  # fmt: skip
        assert process.stderr and process.stdout
        assert "waiting" in process.stderr.readline()
        process.send_signal(number)
        assert "Ctrl-C again stops at once" in process.stderr.read()
        assert "cancelled" in process.stdout.read()
        assert process.wait() == 8


@pytest.mark.parametrize(("answer", "code"), [("n\n", 8), ("\x03", 8), (signal.SIGTERM, 8), ("y\n", 0)])
def test_somebody_at_a_terminal_is_asked(project: Project, answer: str | signal.Signals, code: int) -> None:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in project.environment(TERM="xterm").items() if name != "CI"}
    with subprocess.Popen(
        project.command("up", "dev"), stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
        start_new_session=True, preexec_fn=_take_terminal,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = ""
        answered = False
        while process.poll() is None or not answered:
            try:
                shown += os.read(ours, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                break
            if "Apply these changes?" in shown and not answered:
                answered = True
                if isinstance(answer, signal.Signals):
                    process.send_signal(answer)
                else:
                    os.write(ours, answer.encode())
        os.close(ours)
        assert process.wait() == code
    assert "+ 3 create" in shown
    assert project.has_state == (code == 0)


def _take_terminal() -> None:
    """Make standard input the controlling terminal, so that Ctrl-C in it is a signal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_environments(project: Project, shell: str) -> None:
    line = "bedplate preview st"
    variables = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": "2"},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = subprocess.run(
        [sys.executable, "-m", "cli.main"], cwd=project.folder, capture_output=True, text=True, check=False,
        env=project.environment(_BEDPLATE_COMPLETE=f"complete_{shell}", **variables),
    )  # fmt: skip
    assert "staging" in done.stdout
    assert "dev" not in done.stdout


def test_a_program_starts_before_the_command_line_is_imported() -> None:
    script = (
        "import sys; from cli import main; sys.argv = ['bedplate', 'preview', 'dev']\n"
        "main.start_early = lambda words: sys.exit(f'{words} {sorted(sys.modules)}')\n"
        "main.main()"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stderr
    assert said.startswith("['preview', 'dev']")
    assert [name for name in ("typer", "click", "cli.declare", "cli.commands", "engine") if f"'{name}'" in said] == []


def test_an_interruption_before_the_command_begins_is_no_fault_of_ours() -> None:
    script = (
        "import sys; from cli import main; sys.argv = ['bedplate', 'preview', 'dev']\n"
        "def interrupted(words): raise KeyboardInterrupt\n"
        "main.start_early = lambda words: None; main.application = interrupted; main.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (ExitCode.CANCELLED, "")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from cli.main import main; sys.argv = ['bedplate', '--help']\n"
        "try: main()\n"
        "except SystemExit: print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    heavy = {
        "asyncio",
        "boto3",
        "botocore",
        "google",
        "grpc",
        "moto",
        "pulumi",
        "pydantic",
        "rich",
        "yaml",
        "engine",
        "stacks",
    }
    assert [name for name in sorted(heavy) if f"'{name}'" in loaded] == []
