"""What the real CLI came to with random programs: one compressed file, with the version that made it and when.

The programs are not in it, they come from their seeds; a digest of each tells when the generator draws other ones.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.parity.comparison import deletes_what_is_in_use
from tests.parity.expectations import Recorded
from tests.parity.generate import case_of
from tests.parity.observed import Json
from tests.parity.programs import Case, Run

FILE: Final = Path(__file__).parent / "random.json.xz"
REPORT: Final = Path(__file__).parent / "REPORT.md"


@dataclass
class RandomRuns:
    """Recorded runs by seed."""

    by_seed: dict[int, Recorded] = field(default_factory=dict[int, Recorded])

    @classmethod
    def load(cls) -> RandomRuns:
        if not FILE.exists():
            return cls()
        content: Mapping[str, Any] = json.loads(lzma.decompress(FILE.read_bytes()))
        return cls({int(seed): Recorded(**recorded) for seed, recorded in content.items()})

    def save(self) -> None:
        content = {
            str(seed): {"digest": each.digest, "pulumi": each.pulumi, "at": each.at, "runs": each.runs}
            for seed, each in sorted(self.by_seed.items())
        }
        text = json.dumps(content, separators=(",", ":"))
        FILE.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))

    def due(self, seed: int) -> bool:
        """Whether ``seed`` has to be recorded: it never was, or makes another program by now."""
        recorded = self.by_seed.get(seed)
        return recorded is None or recorded.digest != case_of(seed).digest

    def compared(self, case: Case, seed: int) -> tuple[int, str]:
        """How many runs of ``case`` can be compared, and why not all: from there on the states are not the same."""
        runs = self.of(case, seed)
        for number, (run, theirs) in enumerate(zip(case.runs, runs, strict=True)):
            before = runs[number - 1]["state"] if number else []
            if not run.faults and _broke(theirs):
                return number, "Pulumi fails by itself"
            if run.faults and deletes_what_is_in_use(theirs, before):
                return number, "Pulumi deletes what is still in use"
            if _without_providers(theirs["state"]):
                return number, "Pulumi leaves a state that it then refuses"
            if number and _has_versions(before):
                return number, "Pulumi takes the plugin's version from the state, for want of a program that names it"
            if _imports_twice(run):
                return number, "two import the same, and the second finds what the first has changed"
        return len(runs), ""

    def of(self, case: Case, seed: int) -> list[Json]:
        recorded = self.by_seed[seed]
        assert recorded.digest == case.digest, (
            f"seed {seed} makes another program: python -m tests.parity.record --seeds"
        )
        return recorded.runs


def _broke(theirs: Json) -> bool:
    applied, previewed = theirs["apply"], theirs["preview"]
    return bool(applied and previewed and previewed["succeeded"] and not applied["succeeded"])


def _without_providers(state: Json) -> bool:
    """Whether a provider is not there that something needs."""
    there = {f"{each['urn']}::{each.get('id')}" for each in state}
    return any(each["provider"] not in there for each in state if "provider" in each)


def _has_versions(state: Json) -> bool:
    """Whether a provider has the version of its plugin.

    Where the language host names no plugin, as in these programs, all default providers are of that version from then
    on. A Python program's host names those of all packages.
    """
    return any(each["type"].startswith("pulumi:providers:") and "version" in each.get("inputs", {}) for each in state)


def _imports_twice(run: Run) -> bool:
    ids = [each["options"]["import_"] for each in run.program.values() if "import_" in each.get("options", {})]
    return len(set(ids)) < len(ids)
