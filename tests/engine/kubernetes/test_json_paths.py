"""JSON paths: what they select of a document; cases are files. And what a program waits for, which is written so."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from engine.providers.kubernetes import json_path
from engine.providers.kubernetes.conditions import BadExpression, wanted_conditions
from tests.conftest import REPOSITORY

CASES: dict[str, Any] = yaml.safe_load((REPOSITORY / "tests/cases/kubernetes/json_paths.yaml").read_text())


@pytest.mark.parametrize(("path", "selected"), CASES["selects"].items())
def test_a_path_selects(path: str, selected: list[Any]) -> None:
    assert json_path.read(path)(CASES["document"]) == selected


@pytest.mark.parametrize(("path", "said"), CASES["refused"].items())
def test_what_is_no_path_is_refused(path: str, said: str) -> None:
    with pytest.raises(json_path.BadPath, match=re.escape(said)):
        json_path.read(path)


def missing(expression: str, **status: Any) -> tuple[str, ...]:
    """What is missing of what an object with ``status`` waits for."""
    annotations = {"pulumi.com/waitFor": expression}
    judge = wanted_conditions({"metadata": {"annotations": annotations}})
    assert judge is not None
    return tuple(judge({"status": status}).reasons)


@pytest.mark.parametrize(
    "expression",
    [
        "jsonpath={.status.phase}=Running",
        "jsonpath={ .status.phase }=Running",
        "jsonpath=.status.phase=Running",
        "jsonpath={.status.phase}",
        "jsonpath={.status[?@ == 'Running' || @ == 'Succeeded']}",
        "jsonpath={.status.conditions[?(@.type=='Ready'||@.type=='Failed')].status}=True",
        "jsonpath={.status.conditions[?(@.type!='Ready')].reason}=a=b}",
        "jsonpath={.status.conditions[?@.type=='}']}",
        '["jsonpath={.status.phase}=Running", "condition=Failed"]',
    ],
)
def test_an_expression_holds(expression: str) -> None:
    failed = {"type": "Failed", "status": "True", "reason": "a=b}"}
    assert missing(expression, phase="Running", conditions=[failed, {"type": "}"}]) == ()


def test_what_is_missing_is_said() -> None:
    either = "jsonpath={.status.conditions[?(@.type=='Ready'||@.type=='Failed')].status}=True"
    path = ".status.conditions[?(@.type=='Ready'||@.type=='Failed')].status"
    assert missing(either) == (f"{path} is not there yet",)
    assert missing(either, conditions=[{"type": "Ready", "status": "False"}]) == (
        f"{path} is 'False', waiting for 'True'",
    )


@pytest.mark.parametrize(
    "expression", ["jsonpath=", "jsonpath={}", "jsonpath={.a", "jsonpath={.a}b", "jsonpath={.a[?]}", "jsonpath={.a..}"]
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(BadExpression):
        missing(expression)
