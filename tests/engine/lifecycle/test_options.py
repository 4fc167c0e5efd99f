"""Resource options, one by one and where two of them meet."""

from __future__ import annotations

from engine.plan import Reason
from engine.run import Result
from engine.state.model import CustomTimeouts
from engine.values import ResourceRef
from tests.engine.lifecycle.harness import Engine, Out, component, get, provider, thing, urn


def test_protect_stops_a_deletion_and_the_rest_goes(engine: Engine) -> None:
    engine.up(thing("a", protect=True), thing("b"))
    report = engine.up(expect=Result.RESOURCE_FAILED)
    assert "protected" in report.errors[0]
    assert "a" in engine.cloud.names()


def test_protect_holds_what_the_protected_one_needs(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", of=Out("a"), protect=True))
    engine.destroy(expect=Result.RESOURCE_FAILED)
    assert engine.cloud.names() == ["a", "b"]


def test_dropping_protect_changes_the_state_alone(engine: Engine) -> None:
    engine.up(thing("a", protect=True))
    report = engine.up(thing("a"))
    assert report.operations == []
    assert report.plan.state_only_changes
    assert not report.state("a").protect
    assert engine.up().operations == ["- a"]


def test_ignore_changes_keeps_what_was(engine: Engine) -> None:
    engine.up(thing("a", size=1, tags={"x": 1, "y": 1}))
    ignored = ("size", "tags.x")
    assert engine.up(thing("a", size=2, tags={"x": 2, "y": 1}, ignore_changes=ignored)).operations == []
    report = engine.up(thing("a", size=2, tags={"x": 2, "y": 2}, ignore_changes=ignored))
    assert report.operations == ["~ a"]
    assert report.state("a").inputs == {"size": 1, "tags": {"x": 1, "y": 2}}


def test_ignore_changes_on_what_was_not_there(engine: Engine) -> None:
    engine.up(thing("a"))
    assert engine.up(thing("a", size=2, ignore_changes=("size",))).operations == []


def test_ignore_changes_on_what_is_not_declared_any_more(engine: Engine) -> None:
    engine.up(thing("a", size=2))
    report = engine.up(thing("a", ignore_changes=("size",)))
    assert report.operations == []
    assert report.state("a").inputs == {"size": 2}


def test_ignored_changes_replace_nothing(engine: Engine) -> None:
    engine.up(thing("a", key=1))
    assert engine.up(thing("a", key=2, ignore_changes=("key",))).operations == []


def test_a_replacement_is_made_with_what_the_program_says_even_where_changes_are_ignored(engine: Engine) -> None:
    """As Pulumi 3.260 does: the inputs of a replacement are checked anew, from the program's alone."""
    engine.up(thing("a", key=1, size=1))
    report = engine.up(thing("a", key=2, size=2, ignore_changes=("size",)))
    assert report.operations == ["++ a", "± a", "-- a"]
    assert report.state("a").inputs["size"] == 2


def test_retain_on_delete_forgets_and_leaves(engine: Engine) -> None:
    engine.up(thing("a", retain_on_delete=True))
    report = engine.up()
    assert report.operations == ["- a"]
    assert report.steps[-1].retained
    assert engine.cloud.names() == ["a"]
    assert report.names == []


def test_retain_on_delete_leaves_what_was_replaced(engine: Engine) -> None:
    engine.up(thing("a", key=1, retain_on_delete=True))
    engine.up(thing("a", key=2, retain_on_delete=True))
    assert engine.cloud.names() == ["a", "a"]


def test_deleted_with_is_not_deleted_by_itself(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", deleted_with="a"))
    report = engine.up()
    assert sorted(report.operations) == ["- a", "- b"]
    assert [str(call) for call in engine.cloud.calls[2:]] == ["delete a"]
    assert report.names == []


def test_deleted_with_is_deleted_when_only_it_goes(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", deleted_with="a"))
    engine.up(thing("a"))
    assert engine.cloud.names() == ["a"]


def test_deleted_with_means_the_generation_that_it_was_made_with(engine: Engine) -> None:
    engine.up(thing("a", key=1), thing("b", deleted_with="a"))
    engine.cloud.faults = {"delete a": "fail"}
    engine.up(thing("a", key=2), thing("b", deleted_with="a"), expect=Result.RESOURCE_FAILED)
    engine.cloud.faults = {}
    old = len(engine.cloud.calls)
    engine.up(thing("a", key=2))
    assert sorted(str(call) for call in engine.cloud.calls[old:]) == ["delete a", "delete b"]


def test_deleted_with_is_replaced_along(engine: Engine) -> None:
    engine.up(thing("a", key=1), thing("b", deleted_with="a"))
    report = engine.up(thing("a", key=2), thing("b", deleted_with="a"))
    assert report.steps[3].reason is Reason.DELETED_WITH
    assert [operation for operation in report.operations if operation[:2] == "++"] == ["++ a", "++ b"]
    assert [str(call) for call in engine.cloud.calls[2:]] == ["create a", "create b", "delete a"]


def test_custom_timeouts_and_secret_outputs_are_kept(engine: Engine) -> None:
    timeouts = CustomTimeouts(create=300, update=5, delete=1.5)
    report = engine.up(thing("a", text="t", custom_timeouts=timeouts, additional_secret_outputs=("text", "arn")))
    state = report.state("a")
    assert state.custom_timeouts == timeouts
    assert repr(state.outputs["arn"]) == "Secret([secret])"
    assert repr(state.outputs["text"]) == "Secret([secret])"


def test_an_automatic_name_stays_and_is_new_for_a_replacement(engine: Engine) -> None:
    def name(key: int, size: int) -> str:
        return engine.up(thing("a", autoname=True, key=key, size=size)).state("a").outputs["name"]

    first = name(1, 1)
    assert name(1, 2) == first
    assert name(2, 2) != first


def test_import_brings_in_what_exists(engine: Engine) -> None:
    id_ = engine.cloud.make("urn:pulumi:x::y::test:index:Thing::found", "test:index:Thing", {"size": 1}, "")
    report = engine.up(thing("a", size=1, import_id=id_))
    assert report.operations == ["< a"]
    assert report.state("a").id == id_
    assert engine.up(thing("a", size=1, import_id=id_)).operations == []
    assert engine.up(thing("a", size=2)).operations == ["~ a"]
    assert engine.up().operations == ["- a"]
    assert engine.cloud.live == {}


def test_an_import_that_differs_is_updated_at_once(engine: Engine) -> None:
    """As Pulumi 3.260 does."""
    id_ = engine.cloud.make("urn:pulumi:x::y::test:index:Thing::found", "test:index:Thing", {"size": 1}, "")
    report = engine.up(thing("a", size=7, import_id=id_))
    assert report.operations == ["< a", "~ a"]
    assert engine.cloud.live[id_].inputs == {"size": 7}


def test_a_preview_that_asks_nobody_guesses_what_is_read_and_imported(engine: Engine) -> None:
    preview = engine.preview(get("a", "nothing"), thing("b", of=Out("a")), thing("c", size=1, import_id="nothing"))
    assert preview.operations == ["> a", "+ b", "< c"]
    assert engine.cloud.calls == []


def test_a_reference_to_a_resource_reaches_the_provider_as_its_id(engine: Engine) -> None:
    """As Pulumi 3.260 does for a provider that takes no references."""
    report = engine.up(thing("a", of=ResourceRef(urn("x"), "x-1"), part=ResourceRef(urn("p", "shop:index:Part"))))
    assert report.state("a").inputs == {"of": "x-1", "part": urn("p", "shop:index:Part")}


def test_import_of_nothing_fails(engine: Engine) -> None:
    report = engine.up(thing("a", import_id="nothing"), expect=Result.RESOURCE_FAILED)
    assert "'nothing' does not exist" in report.errors[0]
    assert report.names == []


def test_an_import_in_place_of_a_managed_resource_replaces_it(engine: Engine) -> None:
    engine.up(thing("a", size=1))
    id_ = engine.cloud.make("urn:pulumi:x::y::test:index:Thing::found", "test:index:Thing", {"size": 1}, "")
    report = engine.up(thing("a", size=1, import_id=id_))
    assert report.operations == ["<± a", "± a", "-- a"]
    assert report.state("a").id == id_
    assert list(engine.cloud.live) == [id_]


def test_what_is_only_read_is_never_deleted(engine: Engine) -> None:
    id_ = engine.cloud.make("urn:pulumi:x::y::test:index:Thing::found", "test:index:Thing", {"size": 1}, "")
    report = engine.up(get("a", id_), thing("b", of=Out("a")))
    assert report.operations == ["> a", "+ b"]
    assert report.state("a").external
    assert report.state("a").inputs == {}  # as Pulumi 3.260 has it: what was read is in the outputs alone
    assert report.state("b").inputs == {"of": f"arn:{id_}"}
    engine.up(get("a", id_))
    report = engine.up()
    assert report.names == []
    assert list(engine.cloud.live) == [id_]


def test_reading_what_does_not_exist_fails(engine: Engine) -> None:
    report = engine.up(get("a", "nothing"), thing("b", of=Out("a")), expect=Result.RESOURCE_FAILED)
    assert "'nothing' does not exist" in report.errors[0]
    assert report.skipped == ["b"]


def test_from_reading_to_managing_creates_one_of_its_own(engine: Engine) -> None:
    id_ = engine.cloud.make("urn:pulumi:x::y::test:index:Thing::found", "test:index:Thing", {"size": 1}, "")
    engine.up(get("a", id_))
    report = engine.up(thing("a", size=1))
    assert report.operations == ["++ a", "± a", "xx a"]
    assert report.steps[0].reason is Reason.ADOPTED
    assert not report.state("a").external
    assert len(engine.cloud.live) == 2


def test_from_managing_to_reading_deletes_what_was_managed(engine: Engine) -> None:
    id_ = engine.cloud.make("urn:pulumi:x::y::test:index:Thing::found", "test:index:Thing", {"size": 1}, "")
    engine.up(thing("a", size=1))
    report = engine.up(get("a", id_))
    assert report.operations == [">± a", "± a", "-- a"]
    assert list(engine.cloud.live) == [id_]


def test_what_is_read_by_the_id_that_was_managed_is_let_go_of(engine: Engine) -> None:
    id_ = engine.up(thing("a", size=1)).state("a").id
    report = engine.up(get("a", id_))
    assert report.operations == ["> a"]
    assert report.state("a").external
    engine.destroy()
    assert list(engine.cloud.live) == [id_]


def test_reading_by_the_id_of_another(engine: Engine) -> None:
    report = engine.up(thing("a"), get("b", Out("a", "id")))
    assert report.state("b").id == report.state("a").id
    engine.destroy()
    assert engine.cloud.live == {}


def test_explicit_providers_come_first_and_go_last(engine: Engine) -> None:
    engine.up(provider("p", region="here"), thing("a", provider="p"))
    assert engine.cloud.calls[0].region == "here"
    assert engine.up().operations == ["- a", "- p"]
    assert engine.cloud.calls[-1].region == "here"


def test_a_changed_provider_changes_nothing_that_it_manages(engine: Engine) -> None:
    engine.up(provider("p", region="here", retries=1), thing("a", provider="p"))
    report = engine.up(provider("p", region="here", retries=2), thing("a", provider="p"))
    assert report.operations == ["~ p"]


def test_a_replaced_provider_replaces_what_it_manages(engine: Engine) -> None:
    """The old ones are deleted where they are: with the old provider."""
    engine.up(provider("p", region="here"), thing("a", provider="p"), thing("b", provider="p", of=Out("a")))
    program = provider("p", region="there"), thing("a", provider="p"), thing("b", provider="p", of=Out("a"))
    report = engine.up(*program)
    assert report.operations == ["++ p", "± p", "++ a", "± a", "++ b", "± b", "-- b", "-- a", "-- p"]
    assert [(str(call), call.region) for call in engine.cloud.calls[2:]] == [
        ("create a", "there"), ("create b", "there"), ("delete b", "here"), ("delete a", "here"),
    ]  # fmt: skip
    assert engine.up(*program).operations == []


def test_a_resource_that_moves_to_an_equal_provider_stays(engine: Engine) -> None:
    engine.up(provider("p", region="here"), provider("q", region="here"), thing("a", provider="p"))
    report = engine.up(provider("p", region="here"), provider("q", region="here"), thing("a", provider="q"))
    assert report.operations == []
    assert "::q::" in report.state("a").provider


def test_a_resource_that_moves_to_another_region_is_replaced(engine: Engine) -> None:
    engine.up(provider("p", region="here"), provider("q", region="there"), thing("a", provider="p"))
    report = engine.up(provider("p", region="here"), provider("q", region="there"), thing("a", provider="q"))
    assert report.operations == ["++ a", "± a", "-- a"]
    assert report.steps[2].reason is Reason.UNCHANGED or report.reason("a") is Reason.REPLACED
    assert [call.region for call in engine.cloud.calls] == ["here", "there", "here"]


def test_a_provider_that_refuses_its_configuration(engine: Engine) -> None:
    report = engine.up(provider("p", region="nowhere"), thing("a", provider="p"), expect=Result.RESOURCE_FAILED)
    assert "region: there is no such region" in report.errors
    assert report.skipped == ["a"]


def test_a_component_becomes_a_resource(engine: Engine) -> None:
    engine.up(component("part"))
    engine.up(thing("part"))
    assert engine.cloud.names() == ["part"]


def test_destroy_takes_children_before_parents_and_providers_last(engine: Engine) -> None:
    engine.up(
        component("part"), provider("p", parent="part"), thing("a", parent="part", provider="p"),
        thing("b", of=Out("a"), parent="part"), thing("c", parent="b"),
    )  # fmt: skip
    report = engine.destroy()
    assert report.operations == ["- c", "- b", "- a", "- p", "- part"]
    assert report.snapshot.resources == ()
