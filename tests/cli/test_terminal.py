"""When we may ask, colour and redraw: every combination that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from cli.terminal import DEFAULT_WIDTH, ColorChoice, Terminal

COMBINATIONS = list(product([False, True], repeat=3))


@pytest.mark.parametrize(("stdin", "stdout", "stderr"), COMBINATIONS)
@pytest.mark.parametrize(
    ("environment", "usable"),
    [
        ({}, True),
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"CI": "true"}, False),
        ({"CI": "1"}, False),
        ({"CI": "false"}, True),
        ({"CI": ""}, True),
        ({"GITHUB_ACTIONS": "true"}, False),
        ({"GITLAB_CI": "true"}, False),
        ({"BUILDKITE": "true"}, False),
    ],
)
def test_somebody_is_asked_only_where_somebody_can_answer(
    stdin: bool, stdout: bool, stderr: bool, environment: Mapping[str, str], usable: bool
) -> None:
    terminal = Terminal(stdin, stdout, stderr, environment)
    assert terminal.interactive == (stdin and stdout and usable)
    assert terminal.live == (stderr and usable)


@pytest.mark.parametrize(
    ("choice", "environment", "is_terminal", "colored"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"CI": "true"}, True, True),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_color(choice: ColorChoice, environment: Mapping[str, str], is_terminal: bool, colored: bool) -> None:
    assert Terminal(True, is_terminal, False, environment).color(choice) == colored
    assert Terminal(True, False, is_terminal, environment).color(choice, stderr=True) == colored


def test_without_a_terminal_the_width_is_a_fixed_one() -> None:
    assert Terminal(False, False, False, {}).width() == DEFAULT_WIDTH


def test_a_width_that_is_said_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "123")
    assert Terminal(False, False, False, {"COLUMNS": "123"}).width() == 123
