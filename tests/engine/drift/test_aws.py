"""Every property of every AWS type, changed behind a stack's back: it alone is seen; repaired; deleted, made again."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest

from engine import paths
from engine.providers.aws import registry
from tests.engine.drift import table
from tests.engine.drift.stack import Found, Stack
from tests.engine.drift.wire import DirectCaller

FILES = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem == "ec2" else []) for path in table.files()
]


@pytest.mark.parametrize("path", FILES)
def test_what_somebody_changes_is_seen_and_repaired(path: Path, tmp_path: Path, direct: DirectCaller) -> None:
    declared = table.load(path).resources
    stack = Stack(tmp_path, direct, declared)
    stack.up(planned=False)
    wrong = unlike("just made", {}, stack.refresh()[0])
    for number, drifts in enumerate(zip_longest(*(one.drifts for one in declared))):
        changed = {one.name: drift for one, drift in zip(declared, drifts, strict=True) if drift is not None}
        stack.behind(*((name, drift.calls) for name, drift in changed.items()))
        expected = {name: sorted(drift.shows) for name, drift in changed.items()}
        seen, _ = stack.refresh(*changed)
        wrong += unlike(f"drift {number + 1}", expected, seen)
        wrong += unlike(f"repair {number + 1}", {name: ["update"] for name in expected}, stack.up())
    lost = [one for one in declared if one.lost]
    stack.behind(*((one.name, one.gone) for one in reversed(lost)))
    seen, _ = stack.refresh()
    wrong += unlike("deletion", {one.name: ["deleted"] for one in lost}, seen)
    wrong += unlike("making again", {one.name: ["create"] for one in lost}, stack.up(planned=False))
    wrong += unlike("in the end", {}, stack.refresh()[0])
    for one in declared:
        for drift in one.lasting:
            stack.behind((one.name, drift.calls))
            wrong += unlike("for good", {one.name: sorted(drift.shows)}, stack.refresh(one.name)[0])
    assert not wrong, "\n".join(wrong)


def unlike(when: str, expected: Found, seen: Found) -> list[str]:
    return [
        f"{when}: {name}: expected {expected.get(name, 'nothing')}, got {seen.get(name, 'nothing')}"
        for name in sorted(expected.keys() | seen.keys())
        if expected.get(name) != seen.get(name)
    ]


@pytest.mark.parametrize("type_", registry.types())
def test_every_property_has_a_case_or_a_reason(type_: str) -> None:
    spec = registry.load(type_)
    assert spec is not None
    shown, reasons = table.shown(type_), table.reasons(type_)
    wanted = [*table.updatable(spec), *(["tagsAll.*"] if spec.taggable else [])]
    excused = {path for path in wanted if any(paths.contains(paths.parse(why), paths.parse(path)) for why in reasons)}
    missing = [path for path in wanted if path not in shown and path not in excused]
    assert not missing, f"no case in tests/cases/drift/aws and no reason there: {', '.join(missing)}"
    needless = [why for why in reasons if not any(paths.contains(paths.parse(why), paths.parse(p)) for p in wanted)]
    assert not needless, f"reasons for what there is not: {', '.join(needless)}"
    assert not shown & excused, f"shown, and said not to be: {', '.join(sorted(shown & excused))}"
    assert table.deleted(type_), f"no case deletes a {spec.name}"
