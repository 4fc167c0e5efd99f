"""A folder with a program, the plugins that it needs and a backend, where either engine brings it up."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.events import Diagnostic, Event
from engine.project import Project
from engine.run import Options, Outcome, Result
from engine.session import Session
from engine.state.secrets import new_salt
from tests.engine.remote.serving import REPOSITORY, install_toy
from tests.remote_components.cases import HEAD

PASSPHRASE: Final = "correct horse"
STACK: Final = "dev"
_DROPPED: Final = ("created", "modified", "id", "sourcePosition", "stackTrace")
Json = Any


@dataclass
class Place:
    """The project ``shop`` in ``folder``."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    written: int = 0

    def __post_init__(self) -> None:
        (self.folder / "made").mkdir()
        (self.folder / "state").mkdir()
        install_toy(self.folder / "bin")
        install(self.folder / "bin", "parts", "tests.remote_components.parts")
        (self.folder / "Pulumi.yaml").write_text(
            "name: shop\nruntime:\n  name: python\n  options: {virtualenv: .venv}\n"
        )
        (self.folder / "Pulumi.dev.yaml").write_text('config:\n  shop:suffix: ".json"\n')
        (self.folder / ".venv").symlink_to(Path(sys.executable).parents[1])

    def write(self, program: str) -> None:
        path = self.folder / "__main__.py"
        path.write_text(HEAD + program)
        self.written += 1  # to Python a file that is as long as before and of the same second is the same file
        os.utime(path, (self.written, self.written))

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}:{REPOSITORY / '.bedplate' / 'tools' / 'bin'}",
            "TOY_FOLDER": str(self.folder / "made"),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.variables,
        }

    def made(self) -> list[str]:
        """What exists, the plugins' own notes aside."""
        return sorted(path.name for path in (self.folder / "made").iterdir() if not path.name.startswith("process-"))

    def comparable(self, export: Mapping[str, Any]) -> list[Json]:
        """The resources of a state without what each run draws anew: times, ids of providers, folders."""
        found = [_lasting(one) for one in export["deployment"].get("resources") or ()]
        text = json.dumps(sorted(found, key=lambda one: str(one["urn"])))
        return json.loads(text.replace(str(self.folder), "FOLDER"))


class WithTheCli(Place):
    """The Pulumi CLI, from PATH."""

    def pulumi(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=250,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def begin(self) -> None:
        self.pulumi("stack", "init", STACK)

    def up(self) -> tuple[list[str], list[Json]]:
        steps = json.loads(self.pulumi("preview", "--stack", STACK, "--json")).get("steps") or ()
        self.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")
        return sorted(f"{step['op']} {step['urn']}" for step in steps), self.state()

    def destroy(self) -> list[Json]:
        self.pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview")
        return self.state()

    def state(self) -> list[Json]:
        return self.comparable(json.loads(self.pulumi("stack", "export", "--stack", STACK, "--show-secrets")))


class Embedded(Place):
    """Our own engine, as a command opens it."""

    def begin(self) -> None:
        self.said: list[Diagnostic] = []
        with (self.folder / "Pulumi.dev.yaml").open("a") as file:
            file.write(f"encryptionsalt: {_salt()}\n")

    def session(self) -> Session:
        return Session.open(Project.load(self.folder), STACK, {}, environment=self.environment)

    def _emit(self, event: Event) -> None:
        if isinstance(event, Diagnostic):
            self.said.append(event)

    def _succeeded(self, outcome: Outcome) -> Outcome:
        assert outcome.result is Result.SUCCEEDED, self.said
        return outcome

    def up(self) -> tuple[list[str], list[Json]]:
        """Bring it up, as its own preview, which comes first, has it."""
        steps: list[str] = []

        def agree(preview: Outcome) -> bool:
            steps.extend(f"{step.op} {step.urn}" for step in preview.plan.steps)
            return True

        self._succeeded(asyncio.run(self.session().up(self._emit, Options(), agree)))
        return sorted(steps), self.state()

    def destroy(self) -> list[Json]:
        self._succeeded(asyncio.run(self.session().destroy(self._emit, Options(), lambda _preview: True)))
        return self.state()

    def state(self) -> list[Json]:
        return self.comparable(json.loads(self.session().exported(reveal=True)))


def _lasting(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {key: value for key, value in resource.items() if key not in _DROPPED}
    if "provider" in kept:
        kept["provider"] = kept["provider"].rpartition("::")[0]
    if "dependencies" in kept:
        kept["dependencies"] = sorted(kept["dependencies"])
    if "propertyDependencies" in kept:
        kept["propertyDependencies"] = {key: sorted(urns) for key, urns in kept["propertyDependencies"].items()}
    return kept


@functools.cache
def _salt() -> str:
    """One for all stacks: a key takes a few tenths of a second to derive."""
    return new_salt(PASSPHRASE)


def install(folder: Path, package: str, module: str) -> None:
    """The plugin of ``package``, which is ``module`` of ours, as an executable in ``folder``."""
    path = folder / f"pulumi-resource-{package}"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -m {module} "$@"\n')
    path.chmod(0o755)


def is_there() -> bool:
    """Whether the CLI is."""
    return shutil.which("pulumi") is not None
