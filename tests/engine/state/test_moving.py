"""Resources that go to another stack: what goes along, what is copied, what is cut, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine import urn as urns
from engine.state.errors import EditRefused
from engine.state.invariants import problems
from engine.state.model import Operation, ResourceState, Snapshot
from engine.state.moving import Cut, Moved, Place, cuts, move
from tests.engine.state.stacks import PROVIDER, STACK_URN, bucket, component, provider_state, root_state, small_stack

PROD = Place("shop", "prod")


def name_of(state: ResourceState) -> str:
    return urns.name_of(state.urn)


def names(snapshot: Snapshot) -> list[str]:
    return [name_of(one) for one in snapshot.resources]


def named(snapshot: Snapshot, name: str) -> ResourceState:
    return next(one for one in snapshot.resources if name_of(one) == name)


def moved(
    source: Snapshot, *chosen: str, to: Place = PROD, there: Snapshot | None = None, parents: bool = False
) -> Moved:
    """The move of the resources of those names; both sides have to be valid after it."""
    done = move(source, there or Snapshot(), [named(source, one) for one in chosen], to, parents=parents)
    assert problems(done.source) == []
    assert problems(done.destination) == []
    return done


def below(parent: ResourceState, name: str, **fields: object) -> ResourceState:
    state = bucket(name, parent=parent.urn, **fields)
    return replace(state, urn=urns.make("dev", "shop", parent.urn, state.type, name))


def test_a_resource_with_its_provider_and_a_stack_to_be_in() -> None:
    done = moved(small_stack(), "second")
    assert names(done.source) == ["shop-dev", "default", "first"]
    assert names(done.destination) == ["shop-prod", "default", "second"]
    root, provider, second = done.destination.resources
    assert (second.urn, second.parent) == ("urn:pulumi:prod::shop::aws:s3/bucket:Bucket::second", root.urn)
    assert second.provider == f"{provider.urn}::8e4c"
    assert second.dependencies == ()
    assert done.urns == [bucket("second").urn]
    assert list(done.cut_there) == [Cut(bucket("second").urn, "dependency", bucket("first").urn)]
    assert list(cuts(done)) == [f"{bucket('second').urn}, which goes, loses its dependency {bucket('first').urn}"]


def test_what_stays_loses_what_has_gone() -> None:
    first = bucket("first")
    last = bucket(
        "last", dependencies=(first.urn,), property_dependencies={"acl": (first.urn,)}, deleted_with=first.urn,
        replace_with=(first.urn,),
    )  # fmt: skip
    done = moved(Snapshot((root_state(), provider_state(), first, last)), "first")
    assert named(done.source, "last") == bucket("last")
    assert sorted(one.what for one in done.cut_here) == [
        "deleted_with", "dependency", "dependency of property 'acl'", "replace_with",
    ]  # fmt: skip


def test_references_among_what_goes_stay() -> None:
    done = moved(small_stack(), "first", "second", to=Place("other", "live"))
    first, second = done.destination.resources[2:]
    assert second.dependencies == (first.urn,)
    assert first.urn == "urn:pulumi:live::other::aws:s3/bucket:Bucket::first"
    assert [*done.cut_here, *done.cut_there] == []


def family() -> Snapshot:
    """A component below another, with a bucket in it."""
    outer = component("outer")
    inner = component("inner", parent=outer.urn)
    inner = replace(inner, urn=urns.make("dev", "shop", outer.urn, inner.type, "inner"))
    return Snapshot((root_state(), provider_state(), outer, inner, below(inner, "leaf"), bucket("alone")))


def test_children_go_along_and_parents_when_they_are_asked_for() -> None:
    done = moved(family(), "inner")
    assert names(done.source) == ["shop-dev", "default", "outer", "alone"]
    inner, leaf = named(done.destination, "inner"), named(done.destination, "leaf")
    assert inner.urn == "urn:pulumi:prod::shop::shop:index:Part::inner"
    assert (leaf.parent, leaf.urn) == (
        inner.urn, "urn:pulumi:prod::shop::shop:index:Part$aws:s3/bucket:Bucket::leaf",
    )  # fmt: skip
    with_parents = moved(family(), "leaf", parents=True)
    assert names(with_parents.source) == ["shop-dev", "default", "alone"]
    assert with_parents.destination.resources[-1].urn == leaf.urn.replace("Part$aws", "Part$shop:index:Part$aws")


def test_the_stack_itself_means_all_that_it_has() -> None:
    done = moved(family(), "shop-dev")
    assert names(done.source) == ["shop-dev", "default"]
    assert names(done.destination) == ["shop-prod", "default", "outer", "inner", "leaf", "alone"]


def there(*further: ResourceState) -> Snapshot:
    """The other stack, with a provider of that name."""
    done = moved(Snapshot((root_state(), provider_state(), bucket("old"))), "old")
    return replace(done.destination, resources=(*done.destination.resources, *further))


@pytest.mark.parametrize(("id_", "region"), [("8e4c", "other"), ("another", "here")])
def test_a_provider_that_is_there_is_used(id_: str, region: str) -> None:
    """By its id it is the same one; or it is configured alike."""
    root, provider, old = there().resources
    provider = replace(provider, id=id_, inputs={"region": region})
    over_there = Snapshot((root, provider, replace(old, provider=f"{provider.urn}::{id_}")))
    here = replace(provider_state(), inputs={"region": "here"})
    done = moved(Snapshot((root_state(), here, bucket("first"))), "first", there=over_there)
    assert named(done.destination, "first").provider == f"{provider.urn}::{id_}"
    assert len(done.destination.resources) == 4


def test_another_provider_of_that_name_is_in_the_way() -> None:
    root, provider, old = there().resources
    other = replace(provider, id="another", inputs={"region": "other"})
    over_there = Snapshot((root, other, replace(old, provider=f"{other.urn}::another")))
    with pytest.raises(EditRefused, match="another provider"):
        moved(small_stack(), "second", there=over_there)


def test_a_provider_below_what_goes_goes_along_unless_others_need_it() -> None:
    outer = component("outer")
    own = replace(
        provider_state(),
        parent=outer.urn,
        id="own",
        urn=urns.make("dev", "shop", outer.urn, provider_state().type, "own"),
    )
    leaf = below(outer, "leaf", provider=f"{own.urn}::own")
    done = moved(Snapshot((root_state(), outer, own, leaf)), "outer")
    assert names(done.source) == ["shop-dev"]
    assert named(done.destination, "leaf").provider == f"{named(done.destination, 'own').urn}::own"
    stays = bucket("stays", provider=f"{own.urn}::own")
    with pytest.raises(EditRefused, match="::stays stays, and its provider"):
        moved(Snapshot((root_state(), outer, own, leaf, stays)), "outer")


def test_a_provider_that_is_copied_depends_on_nothing_that_stays() -> None:
    part = component("part")
    provider = replace(provider_state(), dependencies=(part.urn,), parent=part.urn)
    source = Snapshot((root_state(), part, provider, bucket("first")))
    done = moved(source, "first")
    copy = named(done.destination, "default")
    assert (copy.parent, copy.dependencies) == (done.destination.resources[0].urn, ())
    assert named(done.source, "default") == provider


@pytest.mark.parametrize(
    ("chosen", "over_there", "pending", "text"),
    [
        ("default", (), (), "is a provider"),
        ("first", ("first",), (), "in the other stack already"),
        ("first", (), ("first",), "interrupted while updating .*::first"),
    ],
)
def test_moves_that_are_refused(chosen: str, over_there: Sequence[str], pending: Sequence[str], text: str) -> None:
    operations = tuple(Operation(bucket(one), "updating") for one in pending)
    source = replace(small_stack(), pending_operations=operations)
    full = moved(source if not pending else small_stack(), *over_there).destination if over_there else Snapshot()
    with pytest.raises(EditRefused, match=text):
        moved(source, chosen, there=full)


def test_what_is_pending_elsewhere_stays_pending() -> None:
    waiting = (Operation(bucket("new"), "creating"),)
    done = moved(replace(small_stack(), pending_operations=waiting), "second")
    assert done.source.pending_operations == waiting
    assert done.destination.pending_operations == ()


def test_a_replaced_one_that_waits_goes_with_its_successor() -> None:
    old = bucket("first", id="old", delete=True)
    source = Snapshot((root_state(), provider_state(), bucket("first"), old))
    done = moved(source, "first")
    assert [(one.id, one.delete) for one in done.destination.resources[2:]] == [("first-1", False), ("old", True)]
    assert names(done.source) == ["shop-dev", "default"]


def test_extensions_go_with_what_needs_them() -> None:
    source = Snapshot(
        (root_state(), provider_state(), bucket("first", extension_ref="x"), bucket("second", extension_ref="y")),
        extensions={"x": {"name": "x"}, "y": {"name": "y"}},
    )
    done = moved(source, "first")
    assert done.destination.extensions == {"x": {"name": "x"}}
    assert done.source.extensions == {"y": {"name": "y"}}


def test_nothing_of_the_source_is_spoilt() -> None:
    source = small_stack()
    moved(source, "first")
    assert source == small_stack()
    assert PROVIDER in {one.provider for one in source.resources}
    assert source.resources[0].urn == STACK_URN
