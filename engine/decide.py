"""Deciding what is to be done with one resource: pure, from its prior state, its goal and the provider's comparison.

Source of the rules: Pulumi's documentation of resource options, and its engine's step generator, whose order of
questions is kept so that both answer alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine import paths
from engine.differ import equal
from engine.goals import Goal
from engine.plan import Op, Reason
from engine.providers.base import NO_DIFF, Diff, DiffKind
from engine.state.model import ResourceState
from engine.values import Secret, Value, has_unknown, marked_like, reveal, secret

ALL_INPUTS = "__inputs"  # the output in which Pulumi's Kubernetes provider, and so ours, keeps all inputs
INIT_ERROR = "#initerror"  # the path by which replace_on_changes can name a resource that did not become ready


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a resource, and why."""

    op: Op
    reason: Reason
    detailed: Mapping[str, DiffKind] = field(default_factory=dict[str, DiffKind])
    replace_keys: Sequence[str] = ()
    delete_before_replace: bool = False


def new_state(goal: Goal, urn: str, old: ResourceState | None) -> ResourceState:
    """The state that ``goal`` leads to, as far as it is known before the provider has spoken."""
    return ResourceState(
        urn=urn,
        type=goal.type,
        custom=goal.custom,
        inputs=goal.inputs,
        parent=goal.parent,
        provider=goal.provider if goal.custom else "",
        dependencies=goal.dependencies,
        property_dependencies=goal.property_dependencies,
        protect=bool(goal.protect),
        additional_secret_outputs=goal.additional_secret_outputs,
        aliases=() if old is None or old.urn == urn else (old.urn,),
        custom_timeouts=goal.custom_timeouts,
        import_id=goal.import_id,
        retain_on_delete=bool(goal.retain_on_delete),
        deleted_with=goal.deleted_with,
        replace_with=goal.replace_with,
        replacement_trigger=goal.replacement_trigger,
        ignore_changes=goal.ignore_changes,
        replace_on_changes=goal.replace_on_changes,
        hide_diff=tuple(map(paths.canonical, goal.hide_diffs)),
        resource_hooks=goal.resource_hooks,
        created=old.created if old else None,
        modified=old.modified if old else None,
        source_position=goal.source_position,
        refresh_before_update=old.refresh_before_update if old else False,
    )


def wants_import(goal: Goal, old: ResourceState | None) -> bool:
    """Whether ``import_`` asks for something that the state does not have yet."""
    if not (goal.custom and goal.import_id):
        return False
    return old is None or old.external or goal.import_id != (old.import_id or old.id)


def triggered(old: ResourceState, new: ResourceState) -> bool:
    """Whether the replacement trigger says to replace: both are set, and they differ or may differ."""
    before, after = reveal(old.replacement_trigger), reveal(new.replacement_trigger)
    if has_unknown(before) or has_unknown(after):
        return True
    return before is not None and after is not None and not equal(before, after)


def forced_replacement(
    old: ResourceState, new: ResourceState, replaced: frozenset[str] | set[str], *, asked: bool = False
) -> Decision | None:
    """A replacement that is due whatever the provider says; ``replaced`` are the URNs replaced in this run.

    ``asked`` says that the user has named it with ``--replace``.
    """
    if triggered(old, new):
        return Decision(Op.REPLACE, Reason.TRIGGERED)
    if asked or old.taint:
        return Decision(Op.REPLACE, Reason.ASKED if asked else Reason.TAINTED, replace_keys=("id",))
    if bool(old.provider) != bool(new.provider) or old.custom != new.custom:
        return Decision(Op.REPLACE, Reason.KIND_CHANGED, replace_keys=("provider",))
    if any(urn in replaced for urn in new.replace_with):
        return Decision(Op.REPLACE, Reason.REPLACED_WITH, replace_keys=("replaceWith",))
    if new.deleted_with in replaced:
        return Decision(Op.REPLACE, Reason.DELETED_WITH, replace_keys=("deletedWith",))
    return None


def component_diff(old: ResourceState, new: ResourceState) -> Diff:
    """How a component differs: by its inputs alone, and never so that it must be replaced."""
    return NO_DIFF if equal(old.inputs, new.inputs) else Diff(changes=True)


def decide(old: ResourceState, goal: Goal, diff: Diff) -> Decision:
    """What becomes of a resource that exists, given the provider's ``diff``."""
    diff, chosen = _with_replace_on_changes(diff, goal.replace_on_changes, bool(old.init_errors))
    before = diff.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
    if diff.replaces or any(kind.replaces for kind in diff.detailed.values()):
        reason = Reason.REPLACE_ON_CHANGES if chosen else Reason.IMMUTABLE
        keys = diff.replaces if chosen else diff.replaces or _replacing(diff.detailed)
        return Decision(Op.REPLACE, reason, diff.detailed, keys, before)
    if old.pending_replacement:
        return Decision(Op.REPLACE, Reason.INTERRUPTED_REPLACEMENT, diff.detailed, (), before)
    if diff.changes:
        return Decision(Op.UPDATE, Reason.CHANGED, diff.detailed)
    if old.init_errors:
        return Decision(Op.UPDATE, Reason.UNFINISHED)
    return Decision(Op.SAME, Reason.UNCHANGED)


def _replacing(detailed: Mapping[str, DiffKind]) -> tuple[str, ...]:
    return tuple(sorted({str(paths.parse(path)[0]) for path, kind in detailed.items() if kind.replaces}))


def _with_replace_on_changes(diff: Diff, patterns: Sequence[str], unfinished: bool) -> tuple[Diff, bool]:
    """``diff`` with what ``replace_on_changes`` names turned into replacements, and whether that turned anything."""
    if not patterns or not (diff.changes or unfinished):
        return diff, False
    wanted = [paths.parse(pattern) for pattern in patterns]
    detailed = dict(diff.detailed)
    if unfinished:
        detailed[INIT_ERROR] = DiffKind.UPDATE
    if diff.changes and not diff.detailed:
        detailed.update(dict.fromkeys(diff.replaces, DiffKind.UPDATE))
    turned = [
        path for path, kind in detailed.items()
        if not kind.replaces and any(paths.contains(pattern, paths.parse(path)) for pattern in wanted)
    ]  # fmt: skip
    if not turned:
        return diff, False
    detailed = {path: DiffKind(f"{kind}-replace") if path in turned else kind for path, kind in detailed.items()}
    # A key is told only where a pattern names it as a whole, as Pulumi has it: for ``tags.*`` the details must do.
    changed = {str(paths.parse(path)[0]) for path in detailed}
    if INIT_ERROR not in turned or not diff.detailed:
        detailed.pop(INIT_ERROR, None)
    keys = {*diff.replaces, *(key for key in changed if any(paths.contains(pattern, (key,)) for pattern in wanted))}
    return replace(diff, changes=True, detailed=detailed, replaces=tuple(sorted(keys))), not diff.replaces


def same_state(old: ResourceState, new: ResourceState) -> bool:
    """Whether an apply would write the same state for a resource that is unchanged (options may have moved)."""
    return replace(new, id=old.id, outputs=old.outputs, aliases=(), extra=old.extra,
                   stack_trace=old.stack_trace, source_position=old.source_position,
                   ) == replace(old, aliases=())  # fmt: skip


def secret_again(state: ResourceState) -> ResourceState:
    """A state that is taken over as it was, with those outputs marked secret that its options or its inputs now say."""
    names = _secret_names(state)
    outputs = {key: secret(value) if key in names else value for key, value in state.outputs.items()}
    return state if outputs == state.outputs else replace(state, outputs=outputs)


def _secret_names(state: ResourceState) -> set[str]:
    names = {key for key, value in state.inputs.items() if isinstance(value, Secret)}
    return names.union(name for name in state.additional_secret_outputs if name != "id")


def annotate_secrets(outputs: Mapping[str, Value], state: ResourceState) -> dict[str, Value]:
    """Outputs with those marked secret that came in as secrets or are listed in ``additional_secret_outputs``."""
    names = _secret_names(state)
    return {
        key: secret(reveal(value))
        if key in names
        else marked_like(value, state.inputs if key == ALL_INPUTS else state.inputs.get(key))
        for key, value in outputs.items()
    }
