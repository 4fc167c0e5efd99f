"""Every rule of every pack says what people need, has cases for both of its answers, and is explained on a page."""

from __future__ import annotations

import re
import typing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from engine.analyzer.case_files import case_files, load
from policies.docs.pages import FOLDER, packs, page
from policies.kit import Pack
from policies.kit.rules import LEVELS, Rule, Severity
from policies.kit.schemas import KEYWORDS, faults
from policies.kit.settings import parse

ROOT = Path(__file__).parents[2]
ROWS = range(1, 84)  # of the rules' table
PACKS = packs()
RULES = [rule for pack in PACKS for rule in pack.rules.values()]
every_pack = pytest.mark.parametrize("pack", PACKS, ids=[pack.name for pack in PACKS])


def test_each_row_of_the_table_has_a_rule() -> None:
    assert {rule.number for rule in RULES} == set(ROWS)


def test_ids_are_unique_over_all_packs() -> None:
    assert [name for name, times in Counter(rule.id for rule in RULES).items() if times > 1] == []


@every_pack
def test_rules_say_what_people_need(pack: Pack) -> None:
    assert [f"{rule.id}: {wrong}" for rule in pack.rules.values() for wrong in _unsaid(rule)] == []


def _unsaid(rule: Rule) -> Iterator[str]:
    if rule.severity not in typing.get_args(Severity) or rule.level not in LEVELS:
        yield "a severity and a level that there are"
    if not rule.title or rule.title.endswith(".") or rule.title == rule.id:
        yield "a title that is a sentence without its full stop"
    if not rule.fix.endswith("."):
        yield "a fix that is a sentence"
    if not rule.why:
        yield "a docstring that says what is checked and why"
    if not rule.frameworks and not rule.tags:
        yield "a standard, or what other scanners call it"
    if not all(re.fullmatch(r"[^:\s][^:]*:\S.*", name) for name in (*rule.frameworks, *rule.tags)):
        yield "standards and tags as NAME:CONTROL"
    if rule.mend_risk and not rule.mend:
        yield "a mend for its risk"


@every_pack
def test_parameters_are_described_and_their_defaults_fit(pack: Pack) -> None:
    wrong = [f"{rule.id}.{name}" for rule in pack.rules.values() for name in rule.parameters if not _fits(rule, name)]
    assert wrong == [], "a description, a default that fits, and only keywords that policies/kit/schemas.py checks"


def _fits(rule: Rule, name: str) -> bool:
    schema = rule.parameters[name]
    fits = "default" not in schema or not list(faults(schema["default"], schema, name))
    return bool(schema.get("description")) and set(schema) <= KEYWORDS and fits


@every_pack
def test_rules_have_cases_that_break_them_and_that_keep_them(pack: Pack) -> None:
    assert [f"{rule.id}: {wrong}" for rule in pack.rules.values() for wrong in _unshown(pack, rule)] == []


def _unshown(pack: Pack, rule: Rule) -> Iterator[str]:
    file = load(ROOT / "policies" / pack.name / "cases" / f"{rule.id}.yaml")
    if file.rule != rule.id:
        yield f"a file of its own, not of {file.rule}"
    if not any(case.findings for case in file.cases):
        yield "a case that breaks it"
    if not any({one.name for one in case.resources} - {one.resource for one in case.findings} for case in file.cases):
        yield "a case with a resource that keeps it"
    if rule.mend and not any(case.mended for case in file.cases):
        yield "a case that shows what it mends"


@every_pack
def test_each_file_of_cases_is_of_a_rule(pack: Pack) -> None:
    assert {path.stem for path in case_files(ROOT / "policies" / pack.name)} == set(pack.rules)


@every_pack
def test_each_rule_is_explained_where_its_url_points(pack: Pack) -> None:
    text = (FOLDER / f"{pack.name}.md").read_text(encoding="utf-8")
    anchors = set(re.findall(r"^## (.+)$", text, re.MULTILINE))
    for rule in pack.rules.values():
        path, _, anchor = pack.url(rule).partition("#")
        assert ROOT / path == FOLDER / f"{pack.name}.md"
        assert anchor in anchors, f"{pack.url(rule)}: write the pages anew with `python -m policies.docs`"


@every_pack
def test_the_pages_are_fresh(pack: Pack) -> None:
    written = (FOLDER / f"{pack.name}.md").read_text(encoding="utf-8")
    assert written == page(pack), "write the pages anew with `python -m policies.docs`"


def test_the_settings_in_the_readme_are_well_formed() -> None:
    [block] = re.findall(r"```yaml\n(bedplate:policy:.*?)```", (FOLDER / "README.md").read_text("utf-8"), re.DOTALL)
    settings = parse(yaml.safe_load(block)["bedplate:policy"])
    known = {rule.id: rule for rule in RULES}
    assert settings.problems == () and settings.rules.keys() <= known.keys()
    assert not [problem for name in settings.rules for problem in settings.problems_of(known[name])]
    assert {one.rule for one in settings.exemptions} <= known.keys()
