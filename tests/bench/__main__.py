"""``make bench``: how long the commands take that a user waits for, beside the Pulumi CLI where it is on PATH.

Prints a table and writes it to ``tests/bench/RESULTS.md``, curves to ``curves.svg`` beside it; the README shows both.
``python -m tests.bench scale`` measures only that part (start, platform, native, scale). Nothing here is asserted.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.bench.curves import draw
from tests.bench.measure import measure
from tests.bench.peer import Peer
from tests.bench.platform_rows import native_rows, platform_rows
from tests.bench.rows import BEDPLATE, ROOT, RUNS, Row
from tests.bench.scale import LIMIT, components, scale

RESULTS: Final = Path(__file__).parent / "RESULTS.md"
CURVES: Final = Path(__file__).parent / "curves.svg"


PARTS: Final = ("start", "platform", "native", "scale")


def main(parts: Sequence[str]) -> None:
    """Measure all, and write what the README quotes; with ``parts`` only those, and write nothing but the curves."""
    unknown = set(parts) - set(PARTS)
    if unknown:
        sys.exit(f"no such part of the bench: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    os.environ["BEDPLATE_ENGINE"] = "embedded"  # where the Pulumi CLI is installed, it would be taken for some commands
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):  # else each command compiles the engine, as for hardly any user
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / ".bedplate" / "cache" / "python"))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        scratch = Path(name)
        peer = Peer(scratch / "peer")
        rows, curves = _measured(parts or PARTS, scratch, peer)
    table = render(rows, peer.version)
    if not parts:
        _put(RESULTS, table)
    if curves:
        _put(CURVES, draw(curves, f"{_machine()}, {datetime.now(UTC):%Y-%m-%d}; Pulumi CLI: {peer.version}"))
    print(table)


def _measured(parts: Sequence[str], scratch: Path, peer: Peer) -> tuple[Sequence[Row], Sequence[tuple[int, str, Row]]]:
    curves: list[tuple[int, str, Row]] = []

    def scaled() -> Iterator[Row]:
        for each in scale(scratch, peer):
            curves.append(each)
            yield each[2]

    found = {
        "start": lambda: start_up(scratch, peer), "platform": lambda: platform_rows(scratch),
        "native": lambda: native_rows(scratch), "scale": scaled,
    }  # fmt: skip
    return [_told(row) for part in PARTS if part in parts for row in found[part]()], curves


def _put(path: Path, text: str) -> None:
    """Whole or not at all: an interrupted bench leaves the figures of the last one."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)


def _told(row: Row) -> Row:
    print(" ".join(row.cells()), flush=True)  # the whole takes a quarter of an hour
    return row


def start_up(scratch: Path, peer: Peer) -> Iterator[Row]:
    yield Row("`bedplate --help`", measure([BEDPLATE, "--help"], folder=scratch, runs=RUNS))
    folder = components(scratch, 1)
    ours = measure([BEDPLATE, "preview", "dev"], folder=folder, runs=RUNS)
    yield Row("preview, 1 resource", ours, peer.preview(folder, RUNS))


def render(rows: Sequence[Row], peer: str) -> str:
    """The table in Markdown, with the machine and the date."""
    lines = [["what", "time", "memory", "Pulumi CLI", "ratio"], ["---"] * 5, *(row.cells() for row in rows)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return (
        f"{table}\n\nMedians of whole commands on {_machine()}, {datetime.now(UTC):%Y-%m-%d}, load "
        f"{os.getloadavg()[0]:.1f} at the end; memory is that of all processes of a command together. Pulumi CLI: "
        f"{peer}; what takes it long is ended after {LIMIT:g} s.\n"
    )


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("interrupted: the figures of the last bench stay")
