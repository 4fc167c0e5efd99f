"""The command line as its users run it: a process in a project's folder, of which only text and exit code are seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

BEDPLATE: Final = Path(sys.executable).parent / "bedplate"
REPOSITORY: Final = Path(__file__).parents[2]
LIMIT: Final = 150  # seconds; a command that takes longer hangs
BYTECODE: Final = REPOSITORY / ".bedplate" / "cache" / "python"  # compiled once, not once for each test's own folder


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return f"{self.out}\n{self.err}"

    def expect(self, code: int, *texts: str) -> Ended:
        """Assert the exit code and that each text was written somewhere."""
        assert self.code == code, f"exit code {self.code} instead of {code}:\n{self.text}"
        for text in texts:
            assert text in self.text, f"{text!r} is not in:\n{self.text}"
        return self

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Workplace:
    """A folder to run commands in, and the environment that they get."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        """Start a command; ``changes`` are environment variables."""
        return subprocess.Popen(
            [str(BEDPLATE), *arguments], cwd=self.folder, env=self.environment(**changes), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, **changes: str) -> Ended:
        """Run a command to its end."""
        with self.start(*arguments, **changes) as process:
            try:
                out, err = process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Ended(process.returncode, out, err)

    def environment(self, **changes: str) -> dict[str, str]:
        """The test's own environment without what would make a difference."""
        kept = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("PULUMI_", "BEDPLATE_", "AWS_", "FORCE_COLOR", "CLICOLOR"))
            and name != "PYTHONDONTWRITEBYTECODE"
        }  # fmt: skip
        bytecode = {"PYTHONPYCACHEPREFIX": str(BYTECODE)}
        ours = {"NO_COLOR": "1", "COLUMNS": "120", "BEDPLATE_ENGINE": "embedded"}  # also where there is a `pulumi`
        return {**kept, **bytecode, **ours, **self.variables, **changes}

    def write(self, **files: str) -> None:
        """Write files by name, in which ``__`` stands for a slash and ``_`` before the extension for a dot."""
        for name, text in files.items():
            stem, _, extension = name.rpartition("_")
            path = self.folder / f"{stem.replace('__', '/')}.{extension}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def state(self, stack: str) -> list[dict[str, Any]]:
        """The resources in a stack's state, secrets masked."""
        return self.run("state", "show", stack, "--output", "json").expect(0).json()["resources"]

    def checkpoint(self, stack: str, project: str) -> Path:
        """The file that holds a stack's state."""
        return self.folder / ".bedplate" / "state" / ".pulumi" / "stacks" / project / f"{stack}.json"

    def kept(self) -> bytes:
        """Every byte of every file below ``.bedplate``."""
        return b"\n".join(path.read_bytes() for path in (self.folder / ".bedplate").rglob("*") if path.is_file())


def platform(folder: Path) -> Workplace:
    """The repository's own project in a folder of its own; its components are those that are installed."""
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "Pulumi.yaml", folder)
    shutil.copytree(REPOSITORY / "stacks", folder / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    return Workplace(folder)


def project(folder: Path, program: str, *, name: str = "demo", stacks: Mapping[str, str] | None = None) -> Workplace:
    """A project of one file; ``stacks`` are configuration files by stack."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    (folder / "__main__.py").write_text(program)
    for stack, text in (stacks or {}).items():
        (folder / f"Pulumi.{stack}.yaml").write_text(text)
    return Workplace(folder)
