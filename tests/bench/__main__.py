"""``make bench``: how long the commands take that a user waits for, beside the Pulumi CLI where it is on PATH.

Prints a table and writes it to ``tests/bench/RESULTS.md``, which the README quotes. Nothing here is asserted.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.measure import Measured, measure, once
from tests.bench.platform_rows import native_rows, platform_rows
from tests.bench.rows import BEDPLATE, RUNS, Row

RESULTS: Final = Path(__file__).parent / "RESULTS.md"


class Peer:
    """The Pulumi CLI on a program, with state in a folder of its own; None where it is not installed."""

    def __init__(self, scratch: Path) -> None:
        self._pulumi = shutil.which("pulumi")
        self._environment = {
            "PULUMI_BACKEND_URL": f"file://{scratch}", "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_HOME": str(scratch / "home"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip
        scratch.mkdir()

    @property
    def version(self) -> str:
        if self._pulumi is None:
            return "not on PATH, so there is nothing to compare with"
        return subprocess.run([self._pulumi, "version"], capture_output=True, text=True, check=True).stdout.strip()

    def preview(self, folder: Path, runs: int) -> Measured | None:
        return self._run(folder, runs, "preview")

    def up(self, folder: Path) -> Measured | None:
        return self._run(folder, 0, "up", "--yes", "--skip-preview")

    def _run(self, folder: Path, runs: int, *verb: str) -> Measured | None:
        if self._pulumi is None:
            return None
        init = [self._pulumi, "stack", "select", "--create", "dev"]
        subprocess.run(init, cwd=folder, env={**os.environ, **self._environment}, check=True, capture_output=True)
        command = [self._pulumi, *verb, "--stack", "dev", "--non-interactive"]
        if runs:
            return measure(command, folder=folder, runs=runs, environment=self._environment)
        return once(command, folder=folder, environment=self._environment)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        scratch = Path(name)
        peer = Peer(scratch / "peer")
        found = (start_up(scratch, peer), platform_rows(scratch), native_rows(scratch), scale(scratch, peer))
        table = render([_told(row) for rows in found for row in rows], peer.version)
    RESULTS.write_text(table)
    print(table)


def _told(row: Row) -> Row:
    print(" ".join(row.cells()), flush=True)  # the whole takes a quarter of an hour
    return row


def start_up(scratch: Path, peer: Peer) -> Iterator[Row]:
    yield Row("`bedplate --help`", measure([BEDPLATE, "--help"], folder=scratch, runs=RUNS))
    folder = components(scratch, 1)
    ours = measure([BEDPLATE, "preview", "dev"], folder=folder, runs=RUNS)
    yield Row("preview, 1 resource", ours, peer.preview(folder, 3))


def scale(scratch: Path, peer: Peer) -> Iterator[Row]:
    """Component resources, which ask nothing of a provider."""
    for count in (1000, 5000):
        folder = components(scratch, count)
        runs = 3 if count == 1000 else 1
        ours = measure([BEDPLATE, "preview", "dev"], folder=folder, runs=runs)
        yield Row(f"preview, {count:,} components", ours, peer.preview(folder, 1) if count == 1000 else None)
        up = measure([BEDPLATE, "up", "dev", "--yes"], folder=folder, runs=runs, before=partial(forget, folder))
        yield Row(f"`up` with its preview, {count:,} components", up, peer.up(folder) if count == 1000 else None)


def components(scratch: Path, count: int) -> Path:
    """A copy of the components program, set to ``count`` of them."""
    folder = scratch / f"components-{count}"
    shutil.copytree(Path(__file__).parent / "programs" / "components", folder)
    (folder / "Pulumi.dev.yaml").write_text(f'config:\n  components:count: "{count}"\n')
    return folder


def forget(folder: Path) -> None:
    """Remove the state, so that everything is created anew."""
    shutil.rmtree(folder / ".bedplate" / "state", ignore_errors=True)


def render(rows: Sequence[Row], peer: str) -> str:
    """The table in Markdown, with the machine and the date."""
    lines = [["what", "time", "memory", "Pulumi CLI", "ratio"], ["---"] * 5, *(row.cells() for row in rows)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return (
        f"{table}\n\nMedians of whole commands on {machine}, {datetime.now(UTC):%Y-%m-%d}; memory is that of all "
        f"processes of a command together. Pulumi CLI: {peer}; its `up` runs without a preview, ours with one.\n"
    )


if __name__ == "__main__":
    main()
