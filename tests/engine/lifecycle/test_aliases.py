"""Resources that were known by another name, type or parent."""

from __future__ import annotations

from engine.goals import Alias
from engine.run import Result
from tests.engine.lifecycle.harness import ROOT, Engine, Out, component, get, old_names, provider, thing, urn


def test_a_renamed_resource_stays(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", of=Out("a")))
    report = engine.up(thing("new", aliases=old_names("a")), thing("b", of=Out("new")))
    assert report.operations == []
    assert report.names == ["new", "b"]
    assert report.state("b").dependencies == (urn("new"),)
    assert engine.up(thing("new"), thing("b", of=Out("new"))).operations == []


def test_a_renamed_resource_is_changed_under_its_new_name(engine: Engine) -> None:
    engine.up(thing("a", size=1))
    assert engine.up(thing("new", size=2, aliases=old_names("a"))).operations == ["~ new"]


def test_a_renamed_resource_that_is_replaced_loses_its_old_one(engine: Engine) -> None:
    engine.up(thing("a", key=1), thing("b", of=Out("a")))
    report = engine.up(thing("new", key=2, aliases=old_names("a")), thing("b", of=Out("new")))
    assert report.operations[:3] == ["++ new", "± new", "~ b"]
    assert engine.cloud.names() == ["b", "new"]
    assert report.names == ["new", "b"]


def test_a_renamed_resource_that_is_deleted_before_its_replacement(engine: Engine) -> None:
    engine.up(thing("a", type="Named", key=1), thing("b", key=Out("a")))
    report = engine.up(thing("new", type="Named", key=2, aliases=old_names("a")), thing("b", key=Out("new")))
    assert engine.cloud.names() == ["b", "new"]
    assert report.names == ["new", "b"]


def test_a_retyped_resource_stays(engine: Engine) -> None:
    engine.up(thing("a"))
    report = engine.up(thing("a", type="Other", aliases=(Alias(type="test:index:Thing"),)))
    assert report.operations == []
    assert report.state("a").type == "test:index:Other"


def test_a_resource_that_moves_below_a_parent_stays(engine: Engine) -> None:
    engine.up(thing("a"))
    program = [component("part"), thing("a", parent="part", aliases=(Alias(parent=ROOT),))]
    assert engine.up(*program).operations == ["+ part"]
    assert engine.up(thing("a", aliases=(Alias(parent=urn("part", "shop:index:Part")),))).operations == ["- part"]


def test_a_resource_that_had_no_parent_at_all(engine: Engine) -> None:
    engine.up(thing("a", parent=""))
    assert engine.up(component("part"), thing("a", parent="part", aliases=(Alias(no_parent=True),))).operations == [
        "+ part"
    ]


def test_children_follow_a_renamed_parent_by_its_name_too(engine: Engine) -> None:
    engine.up(component("old"), thing("old-a", parent="old"), thing("b", parent="old"))
    program = [component("new", aliases=old_names("old")), thing("new-a", parent="new"), thing("b", parent="new")]
    assert engine.up(*program).operations == []
    assert engine.up(*program).operations == []


def test_grandchildren_follow_too(engine: Engine) -> None:
    engine.up(component("old"), component("mid", parent="old"), thing("a", parent="mid"))
    report = engine.up(
        component("new", type="Whole", aliases=(Alias(name="old", type="shop:index:Part"),)),
        component("mid", parent="new"), thing("a", parent="mid"),
    )  # fmt: skip
    assert report.operations == []


def test_children_with_aliases_of_their_own_below_a_renamed_parent(engine: Engine) -> None:
    engine.up(component("old"), thing("a", parent="old"))
    report = engine.up(component("new", aliases=old_names("old")), thing("z", parent="new", aliases=old_names("a")))
    assert report.operations == []


def test_what_is_read_below_a_renamed_parent_is_the_same(engine: Engine) -> None:
    id_ = engine.cloud.make("urn:pulumi:x::y::test:index:Thing::found", "test:index:Thing", {"size": 1}, "")
    engine.up(component("old"), get("a", id_, parent="old"))
    report = engine.up(component("new", aliases=old_names("old")), get("a", id_, parent="new"))
    assert report.operations == ["> a"]


def test_a_whole_urn_as_an_alias(engine: Engine) -> None:
    engine.up(thing("a"))
    assert engine.up(thing("b", aliases=(Alias(urn=urn("a")),))).operations == []


def test_an_alias_of_what_is_still_declared_is_refused(engine: Engine) -> None:
    engine.up(thing("a"))
    report = engine.up(thing("a"), thing("b", aliases=old_names("a")), expect=Result.PROGRAM_FAILED)
    assert "alias" in report.errors[0]
    report = engine.up(thing("b", aliases=old_names("a")), thing("a"), expect=Result.PROGRAM_FAILED)
    assert "already taken over" in report.errors[0]


def test_two_with_one_alias_are_refused(engine: Engine) -> None:
    engine.up(thing("a"))
    program = [thing("b", aliases=old_names("a")), thing("c", aliases=old_names("a"))]
    report = engine.up(*program, expect=Result.PROGRAM_FAILED)
    assert "is that resource already" in report.errors[0]


def test_an_alias_that_never_was_does_no_harm(engine: Engine) -> None:
    assert engine.up(thing("a", aliases=old_names("never", "was"))).operations == ["+ a"]


def test_a_renamed_provider_replaces_nothing(engine: Engine) -> None:
    engine.up(provider("p", region="here"), thing("a", provider="p"), thing("b", provider="p"))
    report = engine.up(provider("q", region="here", aliases=old_names("p")), thing("a", provider="q"))
    assert report.operations == ["- b"]
    assert engine.cloud.calls[-1].region == "here"
    assert "::q::" in report.state("a").provider


def test_a_dependency_renamed_while_its_dependent_fails(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", of=Out("a"), size=1))
    engine.cloud.faults["update b"] = "fail"
    program = [thing("new", aliases=old_names("a")), thing("b", of=Out("new"), size=2)]
    report = engine.up(*program, expect=Result.RESOURCE_FAILED)
    assert report.state("b").dependencies == (urn("new"),)
    engine.cloud.faults.clear()
    assert engine.up(*program).operations == ["~ b"]


def test_a_dependent_that_was_renamed_is_made_again_under_its_new_name(engine: Engine) -> None:
    engine.cloud.lenient = True
    engine.up(thing("a", key=1), thing("b", key=Out("a")))
    renamed = thing("new", key=Out("a"), aliases=old_names("b"))
    report = engine.up(thing("a", key=2, delete_before_replace=True), renamed)
    assert report.operations == ["-- b", "-- a", "± a", "++ a", "± new", "++ new"]
    assert engine.cloud.names() == report.names == ["a", "new"]
    assert engine.up(thing("a", key=2), renamed).operations == []


def test_a_swap_of_two_names(engine: Engine) -> None:
    """As Pulumi 3.260 does: a resource of the name wins over an alias, so nothing is swapped."""
    engine.up(thing("a", size=1), thing("b", size=2))
    report = engine.up(thing("b", size=1, aliases=old_names("a")), thing("a", size=2, aliases=old_names("b")))
    assert report.operations == ["~ b", "~ a"]
