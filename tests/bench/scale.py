"""How time grows with the number of resources, on both engines: components, which ask nothing of a provider."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.measure import measure
from tests.bench.peer import Peer
from tests.bench.rows import BEDPLATE, Row

COUNTS: Final = (100, 1_000, 3_000, 10_000)
LIMIT: Final = 120.0  # seconds: the CLI takes minutes for an `up` of thousands, and longer than this proves enough
PREVIEW, UP = "preview", "`up` with its preview"


def scale(scratch: Path, peer: Peer) -> Iterator[tuple[int, str, Row]]:
    """Number of resources, verb and figures."""
    for count in COUNTS:
        folder = components(scratch, count)
        compared = count < COUNTS[-1]
        ours = measure([BEDPLATE, "preview", "dev"], folder=folder, runs=3 if count < 3_000 else 1)
        theirs = peer.preview(folder, runs=2 if count < 3_000 else 1) if compared else None
        yield count, PREVIEW, Row(f"preview, {count:,} components", ours, theirs)
        command = [BEDPLATE, "up", "dev", "--yes"]
        runs = 3 if count < 3_000 else 1
        ours = measure(command, folder=folder, runs=runs, before=partial(forget, folder))
        theirs = peer.up(folder, LIMIT) if compared else None
        yield count, UP, Row(f"`up` with its preview, {count:,} components", ours, theirs)


def components(scratch: Path, count: int) -> Path:
    """A copy of the components program, set to ``count`` of them."""
    folder = scratch / f"components-{count}"
    shutil.copytree(Path(__file__).parent / "programs" / "components", folder)
    (folder / "Pulumi.dev.yaml").write_text(f'config:\n  components:count: "{count}"\n')
    return folder


def forget(folder: Path) -> None:
    """Remove the state, so that everything is created anew."""
    shutil.rmtree(folder / ".bedplate" / "state", ignore_errors=True)
