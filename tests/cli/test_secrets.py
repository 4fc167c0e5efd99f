"""A secret's text is in no view, whatever the properties around it look like and whatever happens to them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.event_log import EventLog
from cli.transcript import Transcript
from cli.views import diff, documents, report, state
from cli.views.lines import write
from cli.views.progress import Live, Plain
from engine.events import Event, OutputsRegistered, RunEnded, RunStarted, StepDone, StepFailed, StepStarted
from engine.plan import Op, Plan, Reason, Step
from engine.providers.base import DiffKind
from engine.run import Outcome, Result
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Archive, Asset, Secret, Value

TOKEN = "s3cr3t-t0k3n"  # what may never be seen
NAMES = st.sampled_from(["a", "b", "tags", "x.y", "policy"])
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=8), st.just(UNKNOWN), st.just('{"a": [1]}'),
    st.just(Asset(path="file")), st.just("one\ntwo\nthree\nfour"),
)  # fmt: skip
HIDDEN = st.sampled_from(
    [
        TOKEN,
        f"one {TOKEN}\ntwo",
        {"deep": [TOKEN]},
        [TOKEN, TOKEN],
        json.dumps({"key": TOKEN}),
        Asset(text=TOKEN),
        f"{TOKEN}-2",
    ]
).map(Secret)


def _grown(children: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    archives = st.dictionaries(NAMES, children, max_size=2).map(lambda assets: Archive(assets))
    return st.one_of(
        st.lists(children, max_size=3), st.dictionaries(NAMES, children, max_size=3), archives
    )  # fmt: skip


VALUES = st.recursive(st.one_of(PLAIN, HIDDEN), _grown, max_leaves=8)
PROPERTIES = st.dictionaries(NAMES, VALUES, max_size=4)
URN = "urn:pulumi:dev::demo::aws:s3/bucket:Bucket::thing"
CHANGING = [Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.SAME, Op.REFRESH, Op.READ, Op.IMPORT]


@st.composite
def steps(draw: st.DrawFn) -> Step:
    op = draw(st.sampled_from(CHANGING))
    states = [
        ResourceState(URN, "aws:s3/bucket:Bucket", True, "id", inputs=draw(PROPERTIES), outputs=draw(PROPERTIES))
        for _ in range(2)
    ]
    old = None if op is Op.CREATE else states[0]
    new = None if op is Op.DELETE else states[1]
    paths = st.sampled_from(["a", "b.tags", "tags[0]", 'a["x.y"]', "policy.deep[0]"])
    detailed = draw(st.dictionaries(paths, st.sampled_from(list(DiffKind)), max_size=3))
    reason = draw(st.sampled_from([Reason.CHANGED, Reason.DRIFTED, Reason.IMMUTABLE]))
    return Step(op, URN, "aws:s3/bucket:Bucket", reason, old, new, detailed, tuple(draw(st.lists(NAMES, max_size=2))))


def _drawn(step: Step, before: dict[str, Any], after: dict[str, Any], log: Path) -> str:
    """All that any view says of a run with one step."""
    outcome = Outcome(Result.SUCCEEDED, Plan((step,), before, after), 1.0)
    stream = io.StringIO()
    events: list[Event] = [
        RunStarted({"key": "[secret]"}, False), StepStarted(step), StepDone(step, 1.0), OutputsRegistered(step),
        StepFailed(step, "why", 1.0), RunEnded(False, 1.0, {}, "failed"),
    ]  # fmt: skip
    transcript = Transcript()
    with EventLog(log) as event_log:
        for event in events:
            for consumer in (transcript, event_log, Plain(stream, color=True), Live(stream, lambda: 80, color=True)):
                consumer(event)
    heading = report.Heading("preview", "dev")
    for width in (40, 200):
        for detail in ("none", "brief", "full"):
            write(report.preview(heading, outcome, transcript, width=width, detail=detail), stream, color=True)
    write(report.result(outcome, transcript, after, width=80), stream, color=False)
    write(diff.render(outcome.plan, full=True), stream, color=False)
    write(state.listing([step.state], [], width=200), stream, color=False)
    write(state.details(step.state, reveal=False), stream, color=False)
    stream.write(json.dumps(documents.run("up", "dev", outcome, transcript, code=0)))
    stream.write(json.dumps(documents.outputs("dev", after, reveal=False)))
    stream.write(json.dumps(documents.resource(step.state, reveal=False)))
    return stream.getvalue() + log.read_text()


@settings(max_examples=60, deadline=None)
@given(step=steps(), before=PROPERTIES, after=PROPERTIES)
def test_no_view_shows_a_secret(
    tmp_path_factory: Any, step: Step, before: dict[str, Any], after: dict[str, Any]
) -> None:
    drawn = _drawn(step, before, after, tmp_path_factory.getbasetemp() / "events")
    assert TOKEN not in drawn
    assert TOKEN not in json.loads(json.dumps(drawn))


def test_a_secret_is_shown_where_it_is_asked_for() -> None:
    after = {"token": Secret(TOKEN), "nested": {"deep": [Secret(TOKEN)]}}
    stream = io.StringIO()
    write(report.table(after, width=80, reveal=True), stream, color=False)
    assert stream.getvalue().count(TOKEN) == 2
    assert json.dumps(documents.outputs("dev", after, reveal=True)).count(TOKEN) == 2
