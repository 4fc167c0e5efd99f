from __future__ import annotations

from typing import Any

from engine.graph import DependencyGraph
from engine.state.model import ResourceState


def _state(name: str, **fields: Any) -> ResourceState:
    urn = f"urn:pulumi:dev::shop::test:index:Thing::{name}"
    return ResourceState(urn, "test:index:Thing", **fields)


A, B, C = _state("a"), _state("b", dependencies=(_state("a").urn,)), _state("c", parent=_state("b").urn)


def test_dependents_and_requirements_reach_all_the_way() -> None:
    graph = DependencyGraph([A, B, C])
    assert graph.dependents(0) == [1, 2]
    assert graph.requirements(2) == {0, 1}
    assert graph.needed_by(0) == {1}


def test_a_parent_counts_only_where_asked() -> None:
    assert DependencyGraph([A, B, C], parents=False).dependents(0) == [1]


def test_two_generations_are_kept_apart() -> None:
    """What stands behind the new one depends on it, what stood behind the old one on the old one."""
    new, old = A, _state("a", delete=True)
    graph = DependencyGraph([new, B, old, _state("d", dependencies=(A.urn,))])
    assert graph.dependents(0) == [1]
    assert graph.dependents(2) == [3]


def test_every_way_to_depend_counts() -> None:
    ways: list[dict[str, Any]] = [
        {"property_dependencies": {"x": (A.urn,)}},
        {"deleted_with": A.urn},
        {"replace_with": (A.urn,)},
        {"provider": f"{A.urn}::id"},
    ]
    for way in ways:
        assert DependencyGraph([A, _state("z", **way)]).dependents(0) == [1], way
