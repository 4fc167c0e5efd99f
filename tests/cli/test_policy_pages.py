"""Pages of rules: the part that a rule's url names, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.policies import page_of
from cli.views.rules import one_rule
from engine.analyzer.findings import Level, PackInfo, PolicyInfo

PAGE = """\
# Shop

## no-lid-open

None of these.

## lid-open

Lids are shut.

### More

## Its own words!

End.
"""


def page(url: str, root: Path) -> str:
    (root / "shop.md").write_text(PAGE, encoding="utf-8")
    return page_of(PolicyInfo("lid-open", "Lids are shut", Level.MANDATORY, url=url), root)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("shop.md#lid-open", "Lids are shut.\n\n### More"),
        ("shop.md#no-lid-open", "None of these."),
        ("shop.md#its-own-words", "End."),
        ("shop.md#lid", ""),
        ("shop.md", ""),
        ("none.md#lid-open", ""),
        ("https://shop.example/rules#lid-open", ""),
    ],
)
def test_the_part_that_is_about_the_rule(url: str, expected: str, tmp_path: Path) -> None:
    assert page(url, tmp_path) == expected


def test_long_names_of_parameters_stand_apart_from_what_they_mean() -> None:
    schema = {"days": {"description": "How long."}, "largest_size_ever": {"description": "In metres."}}
    policy = PolicyInfo("small", "Things are small", Level.MANDATORY, schema=schema)
    lines = [line.plain for line in one_rule(PackInfo("sizes", "1", (policy,), "."), policy, "", width=80)]
    assert lines[-2:] == ["    days               How long.", "    largest_size_ever  In metres."]
