"""Cases of packs: what a file says, what is wrong with it, and how a pack answers otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.analyzer.case_files import CaseError, case_files, load, valued
from engine.analyzer.cases import Outcome, outcomes
from engine.analyzer.client import Analyzer, Limits
from engine.values import UNKNOWN, Secret
from tests.engine.analyzer.packs import SMALL, Asking

CASES = """\
rule: small
cases:
  - name: as it is
    resources:
      - {type: "t:i:Thing", name: big, properties: {size: 5}}
      - {type: "t:i:Thing", name: bigger, properties: {size: 55}}
      - {type: "t:i:Thing", name: fine, properties: {size: 2}}
    findings: [{resource: big, contains: 5 is}, {resource: bigger, contains: 55 is too big}]
  - name: configured
    config: {small: {limit: 9}}
    resources: [{type: "t:i:Thing", name: big, properties: {size: 5}}]
    findings: []
  - name: otherwise
    resources: [{type: "t:i:Thing", name: big, properties: {size: 5}}, {type: "t:i:Thing", name: fine}]
    findings: [{resource: fine, contains: is too small}]
"""


def written(folder: Path, text: str, name: str = "small") -> Path:
    path = folder / "cases" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def asked(asking: Asking, program: str, path: Path, limits: Limits | None = None) -> list[Outcome]:
    async def question(pack: Analyzer) -> list[Outcome]:
        return await outcomes(load(path), pack)

    return asking(program, question, limits=limits)


def test_each_case_says_what_the_pack_answers_otherwise(asking: Asking, tmp_path: Path) -> None:
    as_it_is, configured, otherwise = asked(asking, SMALL, written(tmp_path, CASES))
    assert as_it_is.passed and configured.passed
    assert (otherwise.rule, otherwise.case, otherwise.wrong) == (
        "small", "otherwise", ("missing     fine: …is too small…", "unexpected  big: 5 is too big"),
    )  # fmt: skip


def test_a_finding_about_the_stack_and_one_by_dependency(asking: Asking, tmp_path: Path) -> None:
    program = """\
from pulumi_policy import *

def linked(args, report):
    for resource in args.resources:
        to = [one.name for one in resource.property_dependencies.get("to", [])]
        report(f"{resource.name} {resource.parent and resource.parent.name} {resource.opts.protect} {to}")

PolicyPack("links", [StackValidationPolicy("linked", "Things are linked", linked)])
"""
    text = """\
rule: linked
cases:
  - name: all
    resources:
      - {type: "t:i:Thing", name: a, protect: true}
      - {type: "t:i:Thing", name: b, parent: a, properties: {to: "${unknown}"}, refers: {to: a}}
    findings: [{contains: "a None True []"}, {contains: "b a False ['a']"}]
"""
    [outcome] = asked(asking, program, written(tmp_path, text))
    assert outcome.wrong == ()


MENDING = """\
from pulumi_policy import *

def small(args, report):
    if args.props["size"] > 3:
        report("too big")

def shrink(args):
    return {**args.props, "size": 3} if args.props["size"] > 3 else None

PolicyPack("sizes", [ResourceValidationPolicy("small", "Things are small", small, remediate=shrink)])
"""


@pytest.mark.parametrize(
    ("size", "wrong"), [(3, ()), (4, ('mended      big: expected {"size": 4}, seen {"size": 3}',))]
)
def test_what_is_mended_is_compared(size: int, wrong: tuple[str, ...], asking: Asking, tmp_path: Path) -> None:
    text = f"""\
rule: small
cases:
  - name: shrinks
    resources:
      - {{type: "t:i:Thing", name: big, properties: {{size: 5, other: x}}}}
      - {{type: "t:i:Thing", name: fine, properties: {{size: 1}}}}
    findings: [{{resource: big, contains: too big}}]
    mended: {{big: {{size: {size}}}}}
"""
    [outcome] = asked(asking, MENDING, written(tmp_path, text))
    assert outcome.wrong == wrong


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no such thing')", "the pack raised in Analyze"),
        ("import time; time.sleep(9)", "the pack did not answer Analyze"),
        ("import os; os._exit(3)", "the pack broke off in Analyze"),
    ],
)
def test_a_pack_that_breaks_is_what_is_wrong_with_the_case(
    body: str, message: str, asking: Asking, tmp_path: Path
) -> None:
    program = f"""\
from pulumi_policy import *

def small(args, report):
    {body}

PolicyPack("sizes", [ResourceValidationPolicy("small", "Things are small", small)])
"""
    limits = Limits(start=30, call=0.5, stack=0.5)
    for outcome in asked(asking, program, written(tmp_path, CASES), limits):
        assert outcome.wrong and outcome.wrong[0].startswith("the pack ")
        assert outcome.case != "as it is" or outcome.wrong[0].startswith(message)


def test_a_rule_that_the_pack_does_not_have_is_named_with_those_that_it_has(asking: Asking, tmp_path: Path) -> None:
    [outcome] = asked(asking, SMALL, written(tmp_path, CASES.replace("rule: small", "rule: smal")))
    assert outcome.wrong == ("the pack has no rule 'smal'; it has small, named",)


def test_a_configuration_that_the_schema_refuses_is_what_is_wrong(asking: Asking, tmp_path: Path) -> None:
    outcome = asked(asking, SMALL, written(tmp_path, CASES.replace("limit: 9", "limit: 0")))[1]
    assert "small.limit: 0 is less than the minimum of 1" in outcome.wrong[0]


def test_unknowns_and_secrets_are_written_as_such(tmp_path: Path) -> None:
    text = """\
rule: small
cases:
  - name: all
    resources: [{type: t, name: a, properties: {x: "${unknown}", y: ["${secret:a b}"], at: 2026-01-01, z: "${other}"}}]
    findings: []
"""
    [case] = load(written(tmp_path, text)).cases
    expected = {"x": UNKNOWN, "y": [Secret("a b")], "at": "2026-01-01", "z": "${other}"}
    assert valued(case.resources[0].properties) == expected


def test_the_files_of_a_pack_are_those_in_its_folder_of_cases(tmp_path: Path) -> None:
    assert case_files(tmp_path) == []
    paths = [written(tmp_path, CASES, name) for name in ("b", "a")]
    assert case_files(tmp_path) == sorted(paths)


ONE = "rule: small\ncases:\n  - name: a\n    findings: []\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cases: [", "can't be read"),
        ("- 1", "rule   is missing"),
        ("rule: small", "cases  expected a list of cases, seen None"),
        ("rule: small\ncases: [3]", "cases[0]  expected a case with a name, seen 3"),
        ("rule: small\ncases: [{name: a}]", "cases[0].findings  is missing; write []"),
        (f"{ONE}  - name: a\n    findings: []\n", "cases[0].name  'a' is the name of another case, too"),
        (f"{ONE}    finding: []\n", "cases[0].finding  is not known; expected config, findings, mended, name"),
        (f"{ONE}    resources: 3\n", "cases[0].resources  expected a list, seen 3"),
        (f"{ONE}    resources: [{{name: a}}]\n", "cases[0].resources[0]  expected type and name, seen {'name': 'a'}"),
        (f"{ONE}    resources: [{{name: a, type: t, props: 1}}]\n", "cases[0].resources[0].props  is not known"),
        (f"{ONE}    resources: [{{name: a, type: t, properties: 1}}]\n", "properties  expected values by name, seen 1"),
        (f"{ONE}    settings: 3\n", "cases[0].settings  expected values by name, seen 3"),
        (f"{ONE}    mended: {{b: {{x: 1}}}}\n", "cases[0]  'b' is none of the resources of the case"),
        ("rule: small\ncases: [{name: a, findings: [{resource: b, contains: x}]}]", "'b' is none of the resources"),
        ("rule: small\ncases: [{name: a, findings: [{resource: b}]}]", "findings[0]  expected contains, seen"),
    ],
)
def test_a_malformed_file_is_refused_with_every_place(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CaseError) as refused:
        load(path)
    assert str(refused.value).startswith(str(path)) and message in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="can't be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "some.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaseError, match="can't be read"):
        load(tmp_path / "some.yaml")
