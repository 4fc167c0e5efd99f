"""Every rule of every pack says what people need, has cases for both of its answers, and is explained on a page."""

from __future__ import annotations

import re
import typing
from collections import Counter
from pathlib import Path

import pytest
import yaml

from engine.analyzer.case_files import CaseFile, case_files, load
from policies.docs.pages import FOLDER, packs
from policies.kit import Pack
from policies.kit.rules import LEVELS, Rule, Severity
from policies.kit.schemas import KEYWORDS, faults
from policies.kit.settings import parse

ROOT = Path(__file__).parents[2]
ROWS = range(1, 84)  # of the rules' table
PACKS = packs()
RULES = [(pack, rule) for pack in PACKS for rule in pack.rules.values()]
every_rule = pytest.mark.parametrize(("pack", "rule"), RULES, ids=[rule.id for _, rule in RULES])


def cases_of(pack: Pack, rule: Rule) -> CaseFile:
    return load(ROOT / "policies" / pack.name / "cases" / f"{rule.id}.yaml")


def test_each_row_of_the_table_has_a_rule() -> None:
    assert {rule.number for _, rule in RULES} == set(ROWS)


def test_ids_are_unique_over_all_packs() -> None:
    assert [name for name, times in Counter(rule.id for _, rule in RULES).items() if times > 1] == []


@every_rule
def test_a_rule_says_what_people_need(pack: Pack, rule: Rule) -> None:
    assert rule.severity in typing.get_args(Severity) and rule.level in LEVELS
    assert rule.title and not rule.title.endswith(".") and rule.title != rule.id
    assert rule.fix.endswith("."), "a sentence that says what to do"
    assert rule.why, "the docstring says what is checked and why"
    assert rule.frameworks or rule.tags, "a standard, or what other scanners call it"
    assert all(re.fullmatch(r"[^:\s][^:]*:\S.*", name) for name in (*rule.frameworks, *rule.tags)), "NAME:CONTROL"
    assert rule.mend or not rule.mend_risk


@every_rule
def test_parameters_are_described_and_their_defaults_fit(pack: Pack, rule: Rule) -> None:
    for name, schema in rule.parameters.items():
        assert schema.get("description"), name
        assert set(schema) <= KEYWORDS, "a keyword that policies/kit/schemas.py doesn't check"
        assert "default" not in schema or not list(faults(schema["default"], schema, name))


@every_rule
def test_a_rule_has_cases_that_break_it_and_that_keep_it(pack: Pack, rule: Rule) -> None:
    file = cases_of(pack, rule)
    assert file.rule == rule.id
    assert any(case.findings for case in file.cases), "no case breaks it"
    kept = (
        case for case in file.cases if {one.name for one in case.resources} - {one.resource for one in case.findings}
    )
    assert any(kept), "no case has a resource that keeps it"
    assert not rule.mend or any(case.mended for case in file.cases), "no case shows what it mends"


@pytest.mark.parametrize("pack", PACKS, ids=[pack.name for pack in PACKS])
def test_each_file_of_cases_is_of_a_rule(pack: Pack) -> None:
    assert {path.stem for path in case_files(ROOT / "policies" / pack.name)} == set(pack.rules)


@pytest.mark.parametrize("pack", PACKS, ids=[pack.name for pack in PACKS])
def test_each_rule_is_explained_where_its_url_points(pack: Pack) -> None:
    text = (FOLDER / f"{pack.name}.md").read_text(encoding="utf-8")
    anchors = set(re.findall(r"^## (.+)$", text, re.MULTILINE))
    for rule in pack.rules.values():
        path, _, anchor = pack.url(rule).partition("#")
        assert ROOT / path == FOLDER / f"{pack.name}.md"
        assert anchor in anchors, f"{pack.url(rule)}: write the pages anew with `python -m policies.docs`"


def test_the_settings_in_the_readme_are_well_formed() -> None:
    [block] = re.findall(r"```yaml\n(bedplate:policy:.*?)```", (FOLDER / "README.md").read_text("utf-8"), re.DOTALL)
    settings = parse(yaml.safe_load(block)["bedplate:policy"])
    known = {rule.id: rule for _, rule in RULES}
    assert settings.problems == () and settings.rules.keys() <= known.keys()
    assert not [problem for name in settings.rules for problem in settings.problems_of(known[name])]
    assert {one.rule for one in settings.exemptions} <= known.keys()
