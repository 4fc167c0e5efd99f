"""No option of Pulumi's is without a case, unless it is said why; the table that says so is up to date."""

from __future__ import annotations

import inspect

import pulumi

from tests.parity import coverage
from tests.parity.programs import hand_written

CASES = hand_written()


def test_each_resource_option_has_a_case_or_a_reason() -> None:
    offered = set(inspect.signature(pulumi.ResourceOptions).parameters)
    held = set(coverage.held(CASES))
    assert offered - held - set(coverage.ELSEWHERE) == set()
    assert held & set(coverage.ELSEWHERE) == set()
    assert held - offered == set()


def test_each_option_of_a_function_has_a_case_or_a_reason() -> None:
    offered = set(inspect.signature(pulumi.InvokeOutputOptions).parameters)
    calls = [one for case in CASES for run in case.runs for one in run.program.values() if one.get("is") == "call"]
    held = {option for one in calls for option in one.get("options", {})}
    assert offered - held == set()


def test_what_the_issue_names_has_cases() -> None:
    named = {
        "verb up", "verb refresh", "verb destroy", "verb preview", "drift", "a read", "a call", "a component",
        "a provider", "a outputs", "flag targets", "flag excludes", "flag target_dependents", "flag exclude_dependents",
        "flag replace", "flag refresh", "flag continue_on_error", "transforms of functions", "fault of a create: fail",
        "fault of a create: partial", "fault of a update: fail", "fault of a update: partial",
        "fault of a delete: fail",
    }  # fmt: skip
    assert named - set(coverage.flags_of(CASES)) == set()


def test_the_table_is_up_to_date() -> None:
    assert coverage.FILE.read_text() == coverage.written(), "python -m tests.parity.coverage"
