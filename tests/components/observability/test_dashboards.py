"""The dashboards that there are: nothing wrong with any, every signal in its place, every model with its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from components.observability import series
from components.observability.dashboards.areas import AREAS
from components.observability.dashboards.boards import declared_boards, uid_of_area, uid_of_model
from components.observability.dashboards.files import in_folders
from components.observability.dashboards.json_model import Writer, dashboard, minified
from components.observability.dashboards.promises import promises
from components.observability.lint import lint
from components.observability.models import Watched
from components.observability.signals import ALL
from stacks.monitoring_models import watched
from stacks.settings import environments, load
from tests.components.observability.watched import CHAT, FRAUD, LOST, WATCHED


def documents(of: Watched) -> dict[str, dict[str, Any]]:
    return {board.uid: dashboard(board) for board in declared_boards(of)}


def queries(document: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in document["panels"] for target in panel.get("targets", [])]


@pytest.mark.parametrize("environment", environments())
def test_nothing_is_wrong_in_an_environment(environment: str) -> None:
    of = watched(load(environment), environment)
    assert lint(documents(of).values(), series.labels_of(of)) == []


@pytest.mark.parametrize("of", [WATCHED, replace(WATCHED, models={}, gpus=False, pools={}, runbooks="pages/")])
def test_nothing_is_wrong_with_models_of_every_kind_or_with_none(of: Watched) -> None:
    assert lint(documents(of).values(), series.labels_of(of)) == []


def test_every_signal_is_in_the_dashboard_of_its_area() -> None:
    found = documents(WATCHED)
    for signal in ALL:
        titles = [panel["title"] for panel in found[uid_of_area(signal.area)]["panels"]]
        start = titles.index(signal.title)
        assert titles[start + 1 : start + 1 + len(signal.panels)] == [panel.title for panel in signal.panels]


def test_a_model_has_a_dashboard_in_its_teams_folder_and_one_without_metrics_none() -> None:
    boards = {board.uid: board for board in declared_boards(WATCHED)}
    assert (boards["model-fraud"].folder.title, boards["model-chat"].folder.title) == ("Team vision", "Team research")
    assert uid_of_model(LOST.name) not in boards
    assert "LLM serving" in [link.title for link in boards["model-chat"].links]
    assert "LLM serving" not in [link.title for link in boards["model-fraud"].links]


def test_a_models_queries_are_about_it_alone() -> None:
    document = documents(WATCHED)["model-fraud"]
    constant = {each["name"]: each["query"] for each in document["templating"]["list"] if each["type"] == "constant"}
    assert constant == {"model": "fraud"}
    about = [expr for expr in queries(document) if "limit:" not in expr]
    assert len(about) > 30
    assert [expr for expr in about if 'model="$model"' not in expr] == []
    assert any('version=~"$version"' in expr for expr in about)
    assert any('feature=~"$feature"' in expr for expr in about)


def test_what_is_promised_is_where_the_colour_changes() -> None:
    section = promises(FRAUD)
    assert section is not None
    found = {panel.title: [(each.value, each.color) for each in panel.thresholds] for panel in section.panels}
    assert found["Answered without error"] == [(0.999, "green")]
    assert found["Answered in time"] == [(0.99, "green")]
    assert found["Accuracy now"] == [(0.92, "green")]
    assert found["Most drifted feature"] == [(0.2, "red")]
    assert found["Burn of the error budget"][-1] == (14.4, "red")
    steps = {
        panel["title"]: [step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for panel in documents(WATCHED)["model-fraud"]["panels"]
        if panel["type"] == "stat"
    }
    assert steps["Accuracy now"] == ["red", "green"], "below what was promised is red"
    assert steps["Most drifted feature"] == ["green", "red"]
    chat = promises(CHAT)
    assert chat is not None
    assert {"Longest queue", "Tokens now"} < {panel.title for panel in chat.panels}
    assert promises(LOST) is None


def test_alerts_lead_to_their_pages_and_are_marked_where_they_fire() -> None:
    document = documents(WATCHED)["area-models"]
    urls = [link["url"] for panel in document["panels"] for link in panel.get("links", [])]
    assert "https://runbooks.example/models.md#modelerrorbudgetburnsfast" in urls
    (marks,) = document["annotations"]["list"]
    assert "ModelErrorBudgetBurnsFast" in marks["expr"]
    assert 'alertstate="firing"' in marks["expr"]


def test_pages_that_are_no_address_are_no_links() -> None:
    document = documents(replace(WATCHED, runbooks="components/observability/runbooks/"))["area-models"]
    assert [link for panel in document["panels"] for link in panel.get("links", [])] == []


def test_the_same_settings_give_the_same_files() -> None:
    first, second = (in_folders(declared_boards(WATCHED)) for _ in range(2))
    assert first == second


def test_what_models_share_is_written_once_and_comes_out_the_same() -> None:
    many = {f"model-{index}": replace(FRAUD, name=f"model-{index}") for index in range(3)}
    boards = [board for board in declared_boards(replace(WATCHED, models=many)) if board.uid.startswith("model-")]
    writer = Writer()
    texts = [writer.text(board) for board in boards]
    assert texts == [minified(board) for board in boards]
    assert len({json.dumps(json.loads(text)["panels"]) for text in texts}) == 1
    assert len({id(section) for board in boards for section in board.sections[1:]}) == len(boards[0].sections) - 1


def test_an_area_of_which_there_is_nothing_has_no_dashboard() -> None:
    assert uid_of_area("gpus") not in documents(replace(WATCHED, gpus=False, pools={}))
    assert set(documents(WATCHED)) >= {uid_of_area(key) for key in AREAS}
