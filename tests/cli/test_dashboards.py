"""`bedplate dashboards` as its users meet it, and what the page consists of."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cli.exits import CommandError
from cli.main import application
from cli.views.dashboards.page import page
from cli.views.dashboards.plots import body, color_of
from cli.views.dashboards.quantities import mark, ticks, written
from cli.whole_files import write
from stacks.dashboards import (
    POINTS,
    Panel,
    PicturedBoard,
    PicturedPanel,
    Place,
    Query,
    Series,
    Threshold,
    dashboards,
    files,
    pictured,
)
from stacks.settings import load_file

SETTINGS = """\
config:
  aws:region: us-east-1
  bedplate:environment: {stage: dev}
  bedplate:tags: {team: ml, owner: ml@example.com, cost_center: CC-1}
  bedplate:cost: {monthly_budget_usd: 100}
  bedplate:scheduling: {teams: {vision: {}, speech: {}}}
  bedplate:monitoring:
    runbook_url: https://docs.example.com/<runbooks>
    models:
      fraud-scorer:
        team: vision
        metrics: {server: standard}
        objectives: {availability: 99.9%, latency: {target: 99%, below: 300ms}, accuracy: 92%, psi: 0.2}
      chat:
        team: speech
        metrics: {server: vllm}
        objectives: {queue_depth: 20, tokens_per_second: 500}
"""


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Project:
    """A project in a folder of its own. Commands run in this process, but for those that are to have streams."""

    folder: Path
    captured: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            application()(["dashboards", *arguments, "--cwd", str(self.folder)], prog_name="bedplate")
        out, err = self.captured.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, out, err)

    def start(self, *arguments: str) -> Done:
        command = [sys.executable, "-m", "cli.main", "dashboards", *arguments, "--cwd", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "Pulumi.yaml").write_text("name: bedplate\nruntime: python\nmain: stacks/\nstackConfigDir: stacks\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.dev.yaml").write_text(SETTINGS)
    return Project(tmp_path, capsys)


@cache
def drawn() -> tuple[PicturedBoard, ...]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "Pulumi.dev.yaml"
        path.write_text(SETTINGS)
        settings = load_file(path)
    return tuple(pictured(dashboards(settings, "dev"), settings, "dev"))


# The commands


def test_dashboards_are_listed_for_people_and_for_programs(project: Project) -> None:
    done = project.run("list", "dev")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.split()[:1] == ["model-fraud-scorer"] for line in lines)
    assert max(map(len, lines)) <= 80
    done = project.run("list", "dev", "--output", "json")
    document = json.loads(done.stdout)
    assert next(iter(document)) == "version"
    found = {each["uid"]: each["folder"] for each in document["dashboards"]}
    assert (found["area-models"], found["model-chat"]) == ("Models", "Team speech")


def test_the_page_is_written_and_its_path_is_the_result(project: Project) -> None:
    done = project.run("preview", "dev")
    assert done.returncode == 0, done.stderr
    path = project.folder / ".bedplate" / "dashboards" / "dev.html"
    assert Path(done.stdout.strip()).samefile(path)
    assert "drawn from invented data" in done.stderr
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    piped = project.start("preview", "dev", "--file", "-")
    assert (piped.stdout, piped.stderr) == (path.read_text(encoding="utf-8"), "")


def test_every_dashboard_is_exported_as_grafana_reads_it(project: Project) -> None:
    target = project.folder / "out"
    done = project.run("export", "dev", "--to", str(target), "--output", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    written_there = sorted(str(path) for path in target.rglob("*") if path.is_file())
    assert written_there == sorted(document["files"])
    assert {json.loads(Path(path).read_text())["uid"] for path in written_there} == {
        each["uid"] for each in document["dashboards"]
    }
    assert (target / "team-vision" / "model-fraud-scorer.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("preview", "prd"), 6, "no environment 'prd'; there are: dev"),
        (("list",), 2, "no environment was given"),
        (("export", "dev"), 2, "say where the files go, as in `bedplate dashboards export dev --to FOLDER`"),
        (("preview", "dev", "--file", "-", "--output", "json"), 2, "give one of them"),
        (("preview", "dev", "--output", "markdown"), 2, "`preview` has no output markdown"),
        (("preview", "dev", "--file", "/proc/nosuch/page.html"), 1, "/proc/nosuch/page.html can't be written"),
        (("export", "dev", "--to", "/proc/nosuch"), 1, "can't be written: No such file or directory"),
    ],
)
def test_what_goes_wrong_is_said_in_one_message(
    project: Project, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = project.run(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_where_monitoring_is_off_there_are_no_dashboards(project: Project) -> None:
    path = project.folder / "stacks" / "Pulumi.dev.yaml"
    path.write_text(SETTINGS.split("  bedplate:monitoring:")[0] + "  bedplate:monitoring: {enabled: false}\n")
    done = project.run("list", "dev")
    assert (done.returncode, done.stdout) == (1, "")
    assert "dev has no dashboards: monitoring is off" in done.stderr


def test_files_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()
    with pytest.raises(CommandError, match="b can't be written: is a folder"):
        write({tmp_path / "a": "new", tmp_path / "b": "new"})
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


# The page


class Reader(HTMLParser):
    """Elements with their attributes, and whether each that was opened was closed in turn."""

    VOID = frozenset({"meta", "br", "path", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in {"meta"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for each, attributes in self.seen if each == tag]


def test_the_page_needs_nothing_from_elsewhere() -> None:
    text = page(drawn(), "dev")
    read = Reader(text)
    assert read.open == []
    assert {tag for tag, _ in read.seen} & {"script", "link", "img", "iframe", "object", "embed", "form"} == set()
    assert re.search(r"url\(|@import|javascript:|\bon\w+=", text) is None
    assert [each for _, each in read.seen if "src" in each] == []
    assert "prefers-color-scheme: dark" in text


def test_every_panel_of_every_dashboard_is_on_it_and_says_that_it_is_invented() -> None:
    text = page(drawn(), "dev")
    read = Reader(text)
    panels = [part for each in drawn() for section in each.sections for part in section.panels]
    assert len(read.of("article")) == len(panels)
    assert [each["id"] for each in read.of("section")] == [each.board.uid for each in drawn()]
    assert text.count("drawn from invented data") == len(drawn())
    assert "Nothing here was measured" in text
    assert "nothing to show" not in text
    inside = {each["href"][1:] for each in read.of("a") if each["href"].startswith("#")}
    assert inside == {each.board.uid for each in drawn()}


def test_what_comes_from_outside_is_escaped() -> None:
    text = page(drawn(), "<dev>")
    assert "<dev>" not in text
    assert "<runbooks>" not in text
    assert "docs.example.com/&lt;runbooks&gt;/models.md" in text


def test_the_same_settings_draw_the_same_page() -> None:
    first = page(drawn(), "dev")
    drawn.cache_clear()
    assert page(drawn(), "dev") == first


def test_invented_values_are_what_they_could_be() -> None:
    for each in drawn():
        for section in each.sections:
            for part in section.panels:
                assert part.series, part.panel.title
                for series in part.series:
                    known = [value for value in series.values if value is not None]
                    assert len(series.values) == POINTS
                    assert known, (part.panel.title, series.name)
                    assert part.panel.minimum is None or min(known) >= part.panel.minimum, part.panel.title
                    assert part.panel.maximum is None or max(known) <= part.panel.maximum, part.panel.title


def test_a_promise_is_drawn_at_its_value_and_the_first_models_canary_breaks_it() -> None:
    boards = {each.board.uid: each for each in drawn()}
    panels = {
        part.panel.title: part.series for section in boards["model-fraud-scorer"].sections for part in section.panels
    }
    latency = {series.name: series for series in panels["Latency, 99th percentile"]}
    assert set(latency["fraud-scorer promised"].values) == {0.3}
    assert max(value or 0 for value in latency["fraud-scorer 2.5.0"].values) > 0.3
    assert max(value or 0 for value in latency["fraud-scorer 2.4.1"].values) < 0.3
    assert latency["fraud-scorer 2.5.0"].values[0] is None, "a canary is not there from the start"
    assert boards["model-fraud-scorer"].trouble is not None
    assert boards["model-chat"].trouble is None


def test_files_are_named_by_folder_and_dashboard() -> None:
    names = set(files(each.board for each in drawn()))
    assert {"bedplate-models/area-models.json", "team-speech/model-chat.json"} <= names


# What panels are drawn as


def panel(**values: object) -> Panel:
    return Panel("T", (Query("up", "{{job}}"),), "short", "D", **values)  # type: ignore[arg-type]


def shown(kind: str, *series: Series) -> str:
    part = PicturedPanel(panel(kind=kind, thresholds=(Threshold(2, "red"),)), Place(0, 0, 12, 8), series)
    return body(part, None)


ONE = Series("a & b", {"job": "a"}, [1.0, None, 3.0], 0)
TWO = Series("c", {"job": "c"}, [1.0, 1.0, 1.0], 0)


def test_each_kind_of_panel_has_a_picture_of_its_own() -> None:
    assert 'class="line c1"' in shown("timeseries", ONE, TWO)
    assert "a &amp; b" in shown("timeseries", ONE, TWO)
    assert '<div class="stat red"><b>3</b>' in shown("stat", ONE)
    assert 'class="green" style="--part:0.333"' in shown("bargauge", ONE, TWO)
    assert 'class="held red"' in shown("gauge", ONE)
    assert '<rect class="green" x="0" width="1" height="1"/><rect class="none" x="1"' in shown("state-timeline", ONE)
    assert '<td>a</td><td class="number red">3</td>' in shown("table", ONE, TWO)
    assert "nothing to show" in shown("timeseries")


def test_the_end_that_is_well_is_green() -> None:
    rising = panel(thresholds=(Threshold(0.5, "yellow"), Threshold(1, "red")))
    assert [color_of(rising, value) for value in (0, 0.5, 2)] == ["green", "yellow", "red"]
    falling = panel(thresholds=(Threshold(0.9, "green"),))
    assert [color_of(falling, value) for value in (0.5, 0.95)] == ["red", "green"]
    assert color_of(panel(), 1) == "plain"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.99954, "percentunit", "99.95%"), (0.5, "percentunit", "50%"), (0.0034, "percentunit", "0.34%"),
        (0, "percentunit", "0%"), (1, "percentunit", "100%"), (-0.25, "percentunit", "−25%"),
        (0.128, "s", "128 ms"), (0, "s", "0 s"), (5400, "s", "1.5 h"), (0.000012, "s", "12 µs"), (90, "s", "1.5 min"),
        (3 * 1024**3, "bytes", "3 GiB"), (12, "bytes", "12 B"), (1234, "short", "1.23K"), (0.46, "short", "0.46"),
        (61, "celsius", "61 °C"), (2870, "watt", "2.87 kW"), (109, "reqps", "109 req/s"),
        (84000, "currencyUSD", "$84K"), (0.89, "currencyUSD", "$0.89"), (240000, "short", "240K"),
    ],
)  # fmt: skip
def test_numbers_are_short_and_have_their_unit(value: float, unit: str, text: str) -> None:
    assert written(value, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "unit", "marks"),
    [
        (0, 0.031, "percentunit", [0, 0.01, 0.02, 0.03, 0.04]),
        (0, 7300, "s", [0, 3600, 7200, 10800]),
        (54, 98, "celsius", [40, 60, 80, 100]),
        (5, 5, "short", [5, 5.2, 5.4, 5.6]),
        (0, 0, "short", [0, 0.25, 0.5, 0.75, 1]),
        (0, 5 * 1024**3, "bytes", [index * 2 * 1024**3 for index in range(4)]),
    ],
)
def test_an_axis_has_round_numbers(low: float, high: float, unit: str, marks: list[float]) -> None:
    assert ticks(low, high, unit) == pytest.approx(marks)


def test_the_numbers_of_an_axis_have_all_of_their_digits() -> None:
    assert [mark(each, "percentunit") for each in (0.9, 0.925, 0.95, 0.9995)] == ["90%", "92.5%", "95%", "99.95%"]
