"""One run of the CLI, as it is asked for: its command, its flags, the files that they name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.analyzer.config import written
from engine.analyzer.packs import Packs
from engine.run import Options
from engine.targets import Targets

GO: Final = ("--yes", "--skip-preview")
PLAN: Final = "plan.json"  # what a preview keeps in the folder of its run


@dataclass(frozen=True)
class Asked:
    """One run of the CLI: its command, whether policy packs judge it, what it is for, whether it previews first."""

    arguments: Sequence[str]
    judged: bool = False
    preview: bool = False
    destroying: bool = False
    refreshing: bool = False
    twice: bool = False

    def flags(self, options: Options, message: str, packs: Packs | None, folder: Path) -> list[str]:
        """What follows the command; ``folder`` takes the files of this run."""
        flags = ["--parallel", str(options.parallel), "--suppress-outputs", "--suppress-progress"]
        targets = options.targets
        flags += _targets(targets)
        given = {
            "--debug": options.debug, "--refresh": options.refresh and not self.refreshing,
            "--target-dependents": targets.dependents, "--exclude-dependents": targets.exclude_dependents,
            "--continue-on-error": options.continue_on_error and self.arguments[0] in ("up", "destroy"),
        }  # fmt: skip
        flags += [flag for flag, said in given.items() if said]
        if message:
            flags += ["--message", message]
        if self.arguments[0] == "up" and options.plan is not None:
            flags += ["--plan", str(options.plan.resolve())]
        if self.arguments[0] == "preview":
            flags += ["--save-plan", str(folder / PLAN)]
        return flags + (pack_flags(packs, folder) if self.judged else [])


DESTROY: Final = Asked(("destroy",), destroying=True)
REFRESH: Final = Asked(("refresh",), refreshing=True)


def pack_flags(packs: Packs | None, folder: Path) -> list[str]:
    """The packs, each with its configuration, as the CLI takes them."""
    flags: list[str] = []
    for number, pack in enumerate(packs.chosen if packs is not None else ()):
        path = folder / f"policy-{number}.json"
        path.write_text(json.dumps(written(pack.config)), encoding="utf-8")
        flags += ["--policy-pack", str(pack.folder.folder), "--policy-pack-config", str(path)]
    return flags


def _targets(targets: Targets) -> list[str]:
    """Our globs in the CLI's form, which has no short one for a resource's name."""
    flags: list[str] = []
    for flag, globs in (("--target", targets.only), ("--exclude", targets.exclude), ("--replace", targets.replace)):
        for glob in globs:
            flags += [flag, glob if "::" in glob or "*" in glob else f"**::{glob}"]
    return flags
