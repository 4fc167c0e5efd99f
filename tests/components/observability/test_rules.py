"""The rules as values: they name what exists, have a runbook, and are written the same every time."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from components.observability.dashboards.areas import AREAS
from components.observability.lint_queries import query_problems
from components.observability.models import OwnRules, ServedModel
from components.observability.promql import parsed
from components.observability.promql_grammar import PromqlError, tokens
from components.observability.rules import PARCEL_BYTES, parcels, rule_files, runbook
from components.observability.series import labels_of, problems, recordings
from components.observability.signals import ALL, signals
from components.observability.values import Alert, Recording, Severity, Signal
from tests.components.observability.watched import FRAUD, WATCHED
from tests.conftest import REPOSITORY
from tests.integration.monitoring.servers import find_server

RUNBOOKS = REPOSITORY / "components" / "observability" / "runbooks"
ALERTS = [(signal, alert) for signal in ALL for alert in signal.alerts]
NOBODY = Alert(
    "NobodyAsks", "team:requests:rate5m == 0", 90, Severity.PAGE, "Nobody asks", "Nobody.", labels={"team": "vision"}
)
OWN = OwnRules(
    recordings=(Recording("team:requests:rate5m", "sum by (team) (model:requests:rate5m)", "reqps"),),
    alerts=(NOBODY,),
    runbooks={"NobodyAsks": "https://wiki.example/nobody"},
)


def test_rules_name_only_what_exists() -> None:
    assert list(problems(WATCHED)) == []


def test_a_rule_that_names_what_nothing_gives_is_found() -> None:
    own = OwnRules(recordings=(Recording("a:b", "sum by (team, colour) (model:request:rate5m)", "short"),))
    assert list(problems(replace(WATCHED, own=own))) == ["a:b: no exporter and no rule gives 'model:request:rate5m'"]
    own = OwnRules(recordings=(Recording("a:b", "sum by (team, colour) (model:requests:rate5m)", "short"),))
    assert list(problems(replace(WATCHED, own=own))) == ["a:b: what 'sum' is given has no label 'colour'"]


@pytest.mark.parametrize("signal", ALL, ids=lambda signal: signal.name)
def test_a_signal_has_an_area_rules_and_panels_that_show_something(signal: Signal) -> None:
    assert signal.area in AREAS
    assert signal.panels
    look = labels_of(WATCHED)
    for panel in signal.panels:
        for query in panel.queries:
            assert list(query_problems(query.expr, query.legend, look)) == [], panel.title


def test_what_settings_may_say_is_known_where_they_do_not() -> None:
    nothing = replace(WATCHED, models={}, pools={}, namespaces={}, team_budgets_usd={})
    assert list(problems(nothing)) == []
    assert "model" in (labels_of(nothing)("model:objective:accuracy") or ())


def test_every_beginning_of_an_expression_is_a_beginning() -> None:
    # Wherever an expression is cut, what is missing is at its end: nothing before that is called a mistake.
    for expression in {each.expr for each in recordings(WATCHED)} | {alert.expr for _, alert in ALERTS}:
        for token in list(tokens(expression))[:-1]:
            begun = expression[: token.end]
            try:
                parsed(begun)
            except PromqlError as error:
                at = begun.split("\n")
                if "it ends here" in error.reason:
                    assert (error.line, error.column) == (len(at), len(at[-1]) + 1), begun


def test_names_are_given_once() -> None:
    assert [name for name, times in Counter(alert.name for _, alert in ALERTS).items() if times > 1] == []
    assert [name for name, times in Counter(signal.name for signal in ALL).items() if times > 1] == []
    recorded = Counter(recording.record for signal in ALL for recording in signal.recordings)
    assert [name for name, times in recorded.items() if times > 1] == []


@pytest.mark.parametrize(("signal", "alert"), ALERTS, ids=lambda value: getattr(value, "name", ""))
def test_an_alert_says_who_what_and_what_to_do(signal: Signal, alert: Alert) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", alert.name)
    assert len(alert.summary) < 110
    assert alert.description.endswith(".") or alert.description.endswith("`.")
    page = RUNBOOKS / f"{signal.area}.md"
    sections = re.findall(r"^## (\w+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert alert.name in sections, f"{page} has no section about it"
    anchor = runbook(WATCHED, signal.area, alert.name)
    assert anchor == f"https://runbooks.example/{signal.area}.md#{alert.name.lower()}"


@pytest.mark.parametrize("area", sorted({signal.area for signal, _ in ALERTS}))
def test_a_page_has_sections_of_alerts_that_there_are(area: str) -> None:
    text = (RUNBOOKS / f"{area}.md").read_text(encoding="utf-8")
    there = [alert.name for signal, alert in ALERTS if signal.area == area]
    sections = re.split(r"^## (\w+)$", text, flags=re.MULTILINE)[1:]
    assert sections[::2] == there, "one section an alert, in their order"
    for name, body in zip(sections[::2], sections[1::2], strict=True):
        for part in ("What it means.", "Where to look.", "What to do."):
            assert f"**{part}** " in body, f"{name} has no part '{part}'"


def test_the_same_settings_give_the_same_text() -> None:
    shuffled = replace(
        WATCHED,
        models=dict(sorted(WATCHED.models.items(), reverse=True)),
        namespaces=dict(sorted(WATCHED.namespaces.items(), reverse=True)),
        pools=dict(sorted(WATCHED.pools.items())),
    )
    assert rule_files(shuffled) == rule_files(WATCHED)


def test_where_no_pool_has_gpus_nobody_watches_any() -> None:
    without = replace(WATCHED, gpus=False, pools={})
    assert "gpus.yaml" in rule_files(WATCHED)
    assert "gpus.yaml" not in rule_files(without)
    assert {signal.area for signal in ALL} - {signal.area for signal in signals(without)} == {"gpus"}


def test_rules_of_users_are_a_group_of_their_own() -> None:
    files = rule_files(replace(WATCHED, own=OWN))
    (group,) = yaml.safe_load(files["own.yaml"])["groups"]
    assert [rule.get("record") or rule["alert"] for rule in group["rules"]] == ["team:requests:rate5m", "NobodyAsks"]
    assert group["rules"][1] == {
        "alert": "NobodyAsks",
        "expr": "team:requests:rate5m == 0",
        "for": "90s",
        "labels": {"team": "vision", "severity": "page"},
        "annotations": {
            "summary": "Nobody asks",
            "description": "Nobody.",
            "runbook_url": "https://wiki.example/nobody",
        },
    }
    assert {name: text for name, text in files.items() if name != "own.yaml"} == rule_files(WATCHED)


def test_what_is_written_is_read_as_it_was() -> None:
    # Quotes, colons, comments and lines of users' own.
    expression = "# who asks?\n  team:requests:rate5m{a=\"b: 'c' {{x}}\"}\n\n\t> 0 # none\n"
    alert = replace(
        NOBODY, expr=expression, summary='"é": {{ $value }} \\ \x07\n', labels={"team": "yes", "on": "0x10"}
    )
    files = rule_files(replace(WATCHED, own=OwnRules(alerts=(alert,))))
    (group,) = yaml.safe_load(files["own.yaml"])["groups"]
    assert group["rules"][0]["expr"] == expression.strip()
    assert group["rules"][0]["annotations"]["summary"] == '"é": {{ $value }} \\ \x07'
    assert group["rules"][0]["labels"] == {"team": "yes", "severity": "page", "on": "0x10"}
    for text in files.values():
        for group in yaml.safe_load(text)["groups"]:
            assert list(group) == ["name", "interval", "rules"]


def test_a_model_adds_constants_only() -> None:
    one, two = (
        rule_files(WATCHED),
        rule_files(replace(WATCHED, models={**WATCHED.models, "twin": replace(FRAUD, name="twin")})),
    )
    assert [name for name in two if two[name] != one[name]] == ["constants-1.yaml"]  # fmt: skip


def test_many_models_are_split_into_parcels_that_kubernetes_takes() -> None:
    assert PARCEL_BYTES < 1024 * 1024
    limit = PARCEL_BYTES // 4  # so that fewer models make more than one
    models: dict[str, ServedModel] = {f"model-{index}": replace(FRAUD, name=f"model-{index}") for index in range(300)}
    files = rule_files(replace(WATCHED, models=models))
    found = parcels(files, limit)
    assert len(found) > 1
    assert {name: text for parcel in found for name, text in parcel.items()} == files
    for parcel in found:
        assert sum(len(text.encode()) for text in parcel.values()) <= limit
    assert parcels(rule_files(WATCHED)) == [rule_files(WATCHED)]


def test_promtool_has_nothing_against_the_rules(tmp_path: Path) -> None:
    promtool = find_server("promtool")
    for name, text in rule_files(replace(WATCHED, own=OWN)).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", *sorted(tmp_path.glob("*.yaml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
