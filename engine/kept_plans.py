"""Keeping plans to be reviewed, and holding to them: what they were made for, and what became another since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from engine import saved_plan_file
from engine.events import Consumer, Diagnostic, Severity
from engine.plan import Plan
from engine.project import Project
from engine.run import Options
from engine.saved_plan import Circumstances, SavedPlan
from engine.stack_config import mapping_in
from engine.state.format import deployment_of
from engine.state.secrets import Keyring, SecretCodec
from engine.state.storage import StackStore
from engine.targets import Targets

_AGAIN: Final = "nothing was done. Preview again with --save-plan, and review what changed"


@dataclass(frozen=True)
class KeptPlans:
    """The plans of one stack; ``sealing`` is what their secrets are encrypted with."""

    project: Project
    store: StackStore
    sealing: Keyring

    def text(self, plan: Plan, seeds: Mapping[str, str], options: Options) -> str:
        """The file of ``plan``. Raises StateError where a secret can't be encrypted."""
        return saved_plan_file.encode(SavedPlan.of(plan, seeds, self._circumstances(options)), self._codec())

    def read(self, path: Path) -> SavedPlan:
        """The plan in a file. Raises BadPlan, and StateError where its secrets can't be opened."""
        return saved_plan_file.read(path, self._codec())

    def is_stale(self, reviewed: SavedPlan, options: Options, emit: Consumer) -> bool:
        """Tell what the plan was made for and is another now; whether there is any."""
        made_for = reviewed.made_for
        if made_for is None:
            return False
        settings = self.project.stack_file(self.store.stack)
        found = list(_changed(made_for, self._circumstances(options), settings))
        for one in found:
            emit(Diagnostic(Severity.ERROR, f"the plan can't be applied: {one}; {_AGAIN}"))
        return bool(found)

    def _codec(self) -> SecretCodec:
        return SecretCodec(self.sealing, self.store.codec.provider)

    def _circumstances(self, options: Options) -> Circumstances:
        state, settings = _state(self.store), _settings(self.project, self.store.stack)
        return Circumstances(self.project.name, self.store.stack, state, settings, _flags(options))


def as_planned(reviewed: SavedPlan, options: Options) -> Options:
    """``options`` with the targets of a plan, and refreshed where that was; Pulumi's own plans don't say."""
    if reviewed.made_for is None:
        return options
    flags = reviewed.made_for.flags
    only, exclude, renewed = (tuple(map(str, flags.get(key) or ())) for key in ("target", "exclude", "replace"))
    targets = Targets(
        only, exclude, bool(flags.get("targetDependents")), bool(flags.get("excludeDependents")), renewed
    )  # fmt: skip
    return replace(options, targets=targets, refresh=bool(flags.get("refresh")))


def tell(differences: Sequence[tuple[str, str]], emit: Consumer) -> bool:
    """Tell where what is due is not what was reviewed; whether there is any."""
    for urn, difference in differences:
        emit(Diagnostic(Severity.ERROR, f"not as in the plan: {difference}", urn))
    if differences:
        emit(Diagnostic(Severity.ERROR, f"what is due is not what was reviewed; {_AGAIN}"))
    return bool(differences)


def _changed(made_for: Circumstances, now: Circumstances, settings: Path) -> Iterator[str]:
    if (made_for.project, made_for.stack) != (now.project, now.stack):
        yield f"it is of {made_for.project}'s stack {made_for.stack}, not of {now.project}'s {now.stack}"
        return
    if made_for.state != now.state:
        yield "the stack's state has changed since it was made"
    if made_for.settings != now.settings:
        yield f"the settings have changed since it was made: {settings}, or Pulumi.yaml"


def _flags(options: Options) -> dict[str, Any]:
    targets = options.targets
    return {
        "target": list(targets.only),
        "exclude": list(targets.exclude),
        "targetDependents": targets.dependents,
        "excludeDependents": targets.exclude_dependents,
        "replace": list(targets.replace),
        "refresh": options.refresh,
    }


def _state(store: StackStore) -> str:
    """The resources as they are stored, secrets encrypted; who saves them again unchanged leaves this as it is."""
    content = store.content()
    deployment = (deployment_of(content)["deployment"] or {}) if content else {}
    return _hash([deployment.get("resources") or [], deployment.get("pending_operations") or []])


def _settings(project: Project, stack: str) -> str:
    """What the settings say, whatever comments stand beside it; secrets are encrypted there, too."""
    paths = [path for path in (project.root / "Pulumi.yaml", project.stack_file(stack)) if path.is_file()]
    return _hash([mapping_in(path) for path in paths])


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
