"""Compares what two engines came to. What is meant to differ (DIFFERENCES.md) is allowed for here, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.parity.observed import Json, differences

ROOT_TYPE: Final = "pulumi:pulumi:Stack"


def of_runs(expected: Sequence[Json], seen: Sequence[Json]) -> list[str]:
    """Where the runs of a case differ, each line with the number of its run. ``expected`` is what Pulumi came to."""
    lines: list[str] = []
    before: Json = []
    for number, (theirs, ours) in enumerate(zip(expected, seen, strict=True)):
        allowed = _without_second_deletions(theirs, before)
        allowed, ours = _without_unknown_outputs(allowed, ours)
        ours = _without_details_of_what_is_read(allowed, ours, before)
        lines += differences(allowed, _as_far_as(allowed, ours), f"run {number}")
        before = theirs["state"]
    return lines


def of_recordings(recorded: Sequence[Json], seen: Sequence[Json]) -> list[str]:
    """Where two runs of Pulumi's own differ: nothing is allowed for."""
    both = zip(recorded, seen, strict=True)
    return [line for number, (then, now) in enumerate(both) for line in differences(then, now, f"run {number}")]


def _as_far_as(theirs: Json, ours: Json) -> Json:
    """``ours`` without what its passes found where Pulumi's had ended: at the first resource that cannot be."""
    return ours | {name: _cut(theirs[name], ours[name]) for name in ("preview", "apply")}


def _cut(short: Json, whole: Json) -> Json:
    if short is None or whole is None or short["succeeded"] or whole["succeeded"]:
        return whole
    if not set(short["answers"]) < set(whole["answers"]):
        return whole
    seen = {key: [item for item in whole[key] if item in short[key]] for key in ("steps", "failed", "errors")}
    answers = {label: answer for label, answer in whole["answers"].items() if label in short["answers"]}
    return whole | seen | {"answers": answers}


def _without_second_deletions(theirs: Json, before: Json) -> Json:
    """``theirs`` without deletions of what was deleted before this run already, and waits to be made again."""
    waiting = [state for state in before if state.get("pending_replacement")]
    steps = {f"delete-replaced {state['urn']}" for state in waiting}
    ids = {f" {state['id']}" for state in waiting if "id" in state}
    passes = {
        name: theirs[name] and theirs[name] | {"steps": [step for step in theirs[name]["steps"] if step not in steps]}
        for name in ("preview", "apply")
    }
    deleted = [call for call in theirs["deleted"] if not call.endswith(tuple(ids))]
    return theirs | passes | {"deleted": deleted} if waiting else theirs


def _without_details_of_what_is_read(theirs: Json, ours: Json, before: Json) -> Json:
    """``ours`` without what a refresh tells of resources that are only read, of which Pulumi says no more than that."""
    bare = {f"update {state['urn']}" for state in before if state.get("external")}
    told = bare.intersection(theirs["preview"]["steps"] if theirs["preview"] else ())
    if not told or ours["preview"] is None:
        return ours
    steps = [next((step for step in told if line.startswith(f"{step} ")), line) for line in ours["preview"]["steps"]]
    return ours | {"preview": ours["preview"] | {"steps": steps}}


def _without_unknown_outputs(theirs: Json, ours: Json) -> tuple[Json, Json]:
    """Both without those of the stack's outputs that Pulumi writes down as unknown after a failure."""
    roots = [state for state in theirs["state"] if state["type"] == ROOT_TYPE]
    unknown = {key for root in roots for key, value in root.get("outputs", {}).items() if "UNKNOWN" in str(value)}
    if not unknown:
        return theirs, ours
    return _without_outputs(theirs, unknown), _without_outputs(ours, unknown)


def _without_outputs(run: Json, names: set[str]) -> Json:
    return run | {"state": [_root_without(state, names) for state in run["state"]]}


def _root_without(state: Json, names: set[str]) -> Json:
    if state["type"] != ROOT_TYPE or "outputs" not in state:
        return state
    kept = {key: value for key, value in state["outputs"].items() if key not in names}
    rest = {key: value for key, value in state.items() if key != "outputs"}
    return rest | ({"outputs": kept} if kept else {})


def deletes_what_is_in_use(theirs: Json, before: Json) -> bool:
    """Whether Pulumi, after a failure, deleted what something that it then skipped still needs."""
    if theirs["apply"] is None or theirs["apply"]["succeeded"]:
        return False
    ids = {call.rpartition(" ")[2] for call in theirs["deleted"]}
    gone = {state["urn"] for state in before if state.get("id") in ids}
    touched = {step.split(" ")[1] for step in theirs["apply"]["steps"]}
    left = [state for state in before if state["urn"] not in touched and state["urn"] not in gone]
    return any(gone & _needs(state) for state in left)


def _needs(state: Json) -> set[str]:
    by_property = [urn for urns in state.get("property_dependencies", {}).values() for urn in urns]
    named = [state.get(field, "") for field in ("parent", "deleted_with")]
    return {*state.get("dependencies", ()), *state.get("replace_with", ()), *by_property, *named}
