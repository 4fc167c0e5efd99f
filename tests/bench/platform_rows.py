"""The platform itself, in a copy of this project: previewed, brought up in each kind of sandbox, simulated."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.sandbox.native import cache_of, find
from tests.bench.measure import Measured, measure
from tests.bench.rows import BEDPLATE, ROOT, RUNS, Row

OBJECTS: Final = 400
PROGRAMS: Final = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Place:
    """A folder with a project in it."""

    folder: Path

    def run(self, *arguments: str) -> None:
        subprocess.run([BEDPLATE, *arguments], cwd=self.folder, check=True, capture_output=True)

    def measured(self, *arguments: str, runs: int = RUNS) -> Measured:
        return measure([BEDPLATE, *arguments], folder=self.folder, runs=runs)

    def from_nothing(self, flavor: str, *, cold: bool) -> Measured:
        """Sandbox and platform, as ``make up``; ``cold`` is the first time ever: nothing is compiled or kept."""
        forget = self._forget_all if cold else self._forget_state
        command = [BEDPLATE, "sandbox", "up", "sandbox", "--kubernetes", flavor]
        return measure(command, folder=self.folder, runs=2, before=forget)

    def _forget_state(self) -> None:
        self.run("sandbox", "down")
        shutil.rmtree(self.folder / ".bedplate" / "state", ignore_errors=True)

    def _forget_all(self) -> None:
        self.run("sandbox", "down")
        shutil.rmtree(self.folder / ".bedplate", ignore_errors=True)


def platform_rows(scratch: Path) -> Iterator[Row]:
    """What its users wait for every day."""
    place = _copied(scratch)
    yield Row("preview of prod, AWS and Kubernetes", place.measured("preview", "prod"))
    _with_packs(place)
    yield Row("the same, judged by the three packs", place.measured("preview", "prod"))
    yield Row("`cost prod`, with its preview", place.measured("cost", "prod"))
    yield Row("embedded sandbox with the platform, first time", place.from_nothing("embedded", cold=True))
    yield Row("the same, later", place.from_nothing("embedded", cold=False))
    yield Row("`up` again, nothing to change", place.measured("up", "sandbox", "--yes"))
    place.run("sandbox", "down")


def native_rows(scratch: Path) -> Iterator[Row]:
    """The same with a real control plane, where it is built."""
    if find(cache_of(ROOT)) is None:
        print("the native control plane is not built: its rows are left out; `make control-plane` builds it")
        return
    place = _with_packs(_copied(scratch / "native", native=True))
    yield Row("native sandbox with the platform", place.from_nothing("native", cold=False))
    place.run("sandbox", "down")
    yield Row("`simulate prod`", place.measured("simulate", "prod", runs=3))
    pods = _program(scratch, "pods", "{}")
    yield Row("`simulate`, 50 nodes and 500 pods", pods.measured("simulate", "dev", runs=3))
    yield _objects(scratch)


def _objects(scratch: Path) -> Row:
    place = _program(
        scratch, "objects", f'{{objects:count: "{OBJECTS}", objects:kubeconfig: .bedplate/sandbox/default/kubeconfig}}'
    )
    place.run("sandbox", "up", "--kubernetes", "native")
    try:
        up = [BEDPLATE, "up", "dev", "--yes"]
        measured = measure(up, folder=place.folder, runs=3, before=lambda: place.run("destroy", "dev", "--yes"))
    finally:
        place.run("sandbox", "down")
    return Row(
        f"`up` of {OBJECTS} objects on the native API server ({OBJECTS / measured.seconds:.0f} a second)", measured
    )


def _copied(scratch: Path, *, native: bool = False) -> Place:
    folder = scratch / "platform"
    for part in ("stacks", "components"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    return _with_control_plane(folder) if native else Place(folder)


def _with_packs(place: Place) -> Place:
    shutil.copytree(ROOT / "policies", place.folder / "policies", ignore=shutil.ignore_patterns("__pycache__"))
    return place


def _program(scratch: Path, name: str, config: str) -> Place:
    folder = scratch / name
    shutil.copytree(PROGRAMS / name, folder)
    (folder / "Pulumi.dev.yaml").write_text(f"config: {config}\n")
    return _with_control_plane(folder)


def _with_control_plane(folder: Path) -> Place:
    cache_of(folder).parent.mkdir(parents=True)
    cache_of(folder).symlink_to(cache_of(ROOT))
    return Place(folder)
