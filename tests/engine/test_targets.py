from __future__ import annotations

import pytest

from engine.targets import Selection, Targets

BUCKET = "urn:pulumi:dev::shop::shop:index:Part$aws:s3/bucket:Bucket::data"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("data", True),
        ("dat", False),
        (BUCKET, True),
        ("**", True),
        ("**::data", True),
        ("**aws:s3/bucket:Bucket::*", True),
        ("urn:pulumi:dev::shop::*::data", False),
        ("urn:pulumi:dev::shop::**::data", True),
        ("d*", False),
        ("**::d*", True),
    ],
)
def test_patterns(pattern: str, matches: bool) -> None:
    assert Selection(Targets((pattern,))).means(BUCKET, ()) is matches
    assert Selection(Targets((), (pattern,))).means(BUCKET, ()) is not matches


def test_the_stack_and_providers_always_take_part_but_are_not_named() -> None:
    provider = "urn:pulumi:dev::shop::pulumi:providers:aws::default"
    targets = Targets(("data",))
    assert Selection(targets).means(provider, ())
    assert not targets.name(provider)


def test_a_target_that_matches_nothing_is_told() -> None:
    assert Targets(("data", "dtaa")).unmatched([BUCKET]) == ["dtaa"]
