"""Every view draws its cases as the files beside them show. ``ACCEPT=1`` writes the drawings anew."""

from __future__ import annotations

import os
import re

import pytest

from cli.views.lines import cells
from tests.cli.drawing import FOLDER, Case

CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
FITTING = [name for name in CASES if Case.read(name).content.get("detail", "none") == "none" and Case.read(name).view in
           ("preview", "listing", "status", "simulation")]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_drawn_as_it_was_accepted(name: str) -> None:
    drawn, path = Case.read(name).draw(), FOLDER / f"{name}.txt"
    if os.environ.get("ACCEPT"):
        path.write_text(drawn)
    assert drawn == path.read_text(), "run with ACCEPT=1 and look at the difference"


def test_no_drawing_is_left_without_its_case() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == CASES


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("name", FITTING)
def test_a_tree_fits_its_terminal(name: str, width: int) -> None:
    case = Case.read(name)
    drawn = Case({**case.content, "width": width, "diagnostics": [], "notes": []}).draw()
    tree = drawn.split("\n\n")[1] if case.view == "preview" else drawn
    assert [line for line in tree.splitlines() if cells(line) > width] == []


@pytest.mark.parametrize("name", CASES)
def test_color_adds_nothing_but_color(name: str) -> None:
    colored = re.sub(r"\x1b\[[0-9;]*m", "", Case.read(name).draw(color=True))
    plain = Case.read(name).draw()
    assert [line.rstrip() for line in colored.splitlines()] == [line.rstrip() for line in plain.splitlines()]
