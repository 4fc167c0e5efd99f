"""Progress on a terminal that is redrawn, resized and left, and the streams that it is written to."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest

from cli.streams import Tolerant
from cli.views.progress import Live, Plain
from engine.events import Diagnostic, Event, ProgramOutput, RunEnded, RunStarted, Severity, StepDone, StepStarted
from engine.plan import Op, Reason, Step
from engine.state.model import ResourceState


class Screen:
    """A terminal of ``width`` columns that keeps its rows: text, line feeds, and the two sequences that Live writes."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[str] = [""]
        self.row = 0

    def feed(self, written: str) -> None:
        for part in re.findall(r"\x1b\[\d*[AJ]|\x1b\[[\d;]*m|\r|\n|[^\x1b\r\n]+", written):
            if part.endswith("A") and part.startswith("\x1b"):
                self.row -= int(part[2:-1])
            elif part == "\x1b[J":
                self.rows = [*self.rows[: self.row], ""]
            elif part == "\n":
                self.row += 1
                self.rows.append("")
            elif not part.startswith("\x1b") and part != "\r":
                self._print(part)

    def _print(self, text: str) -> None:
        for character in text:
            if len(self.rows[self.row]) == self.width:
                self.row += 1
                self.rows.append("")
            self.rows[self.row] += character

    def resize(self, width: int) -> None:
        """Rows that are too long are wrapped, as terminals do."""
        rows, self.rows, self.row, self.width = self.rows, [""], 0, width
        self.feed("\n".join(rows))


def step(name: str, op: Op = Op.CREATE) -> Step:
    urn = f"urn:pulumi:dev::demo::aws:s3/bucket:Bucket::{name}"
    state = ResourceState(urn, "aws:s3/bucket:Bucket", True)
    return Step(op, urn, state.type, Reason.NEW, None if op is Op.CREATE else state, state)


def displayed(width: int, events: list[Event], resized: int | None = None) -> list[str]:
    stream, screen = io.StringIO(), Screen(width)
    live = Live(stream, lambda: screen.width, color=True, clock=lambda: 0.0)

    def draw() -> None:
        screen.feed(stream.getvalue())
        stream.seek(0)
        stream.truncate()

    for event in events:
        live(event)
        live.tick()
        draw()
    if resized:
        screen.resize(resized)
        live.tick()
        draw()
    return screen.rows


RUNNING: list[Event] = [
    RunStarted({}, False),
    StepStarted(step("data")),
    StepStarted(step("a-bucket-with-a-long-name")),
]


def test_the_status_names_what_is_in_progress() -> None:
    assert displayed(80, RUNNING) == [
        "  + data  s3 Bucket  creating  0.0 s",
        "  + a-bucket-with-a-long-name  s3 Bucket  creating  0.0 s",
        "applying  0 done  0.0 s",
    ]


def test_what_an_operation_waits_for_is_below_it_until_it_is_done() -> None:
    waits = Diagnostic(Severity.INFO, "pod a: [ImagePullBackOff]", step("data").urn, ephemeral=True)
    assert displayed(80, [*RUNNING, Diagnostic(Severity.INFO, "hm", ephemeral=True), waits]) == [
        "  + data  s3 Bucket  creating  0.0 s",
        "      pod a: [ImagePullBackOff]",
        "  + a-bucket-with-a-long-name  s3 Bucket  creating  0.0 s",
        "applying  0 done  0.0 s  hm",
    ]
    assert displayed(80, [*RUNNING, waits, StepDone(step("data"), 1.0)])[1:] == [
        "  + a-bucket-with-a-long-name  s3 Bucket  creating  0.0 s",
        "applying  1 done  0.0 s",
    ]


def test_what_stays_is_above_the_status() -> None:
    events = [*RUNNING, ProgramOutput("hello"), StepDone(step("data"), 1.0), Diagnostic(Severity.WARNING, "soon")]
    assert displayed(80, events) == [
        "  │ hello",
        "  +  data  s3 Bucket  created (1.0 s)",
        "  warning: soon",
        "  + a-bucket-with-a-long-name  s3 Bucket  creating  0.0 s",
        "applying  1 done  0.0 s",
    ]


def test_at_the_end_nothing_of_the_status_is_left() -> None:
    assert displayed(80, [*RUNNING, ProgramOutput("hello"), RunEnded(False, 1.0, {}, "succeeded")]) == ["  │ hello", ""]


@pytest.mark.parametrize("width", [80, 60, 25])
def test_a_terminal_that_becomes_narrower_keeps_no_trace_of_the_old_status(width: int) -> None:
    rows = displayed(80, RUNNING, resized=width)
    assert [row for row in rows if "applying" in row] == ["applying  0 done  0.0 s"]
    assert len(rows) == 3
    assert all(len(row) < width for row in rows)


def test_more_than_can_be_shown_is_counted() -> None:
    rows = displayed(80, [RunStarted({}, False), *(StepStarted(step(f"b{index}")) for index in range(30))])
    assert rows[-2:] == ["  and 22 more", "applying  0 done  0.0 s"]


def test_an_apply_counts_towards_what_its_preview_found() -> None:
    done = [StepDone(step("a"), 0), StepDone(step("b", Op.SAME), 0), StepDone(step("c", Op.UPDATE), 0)]
    rows = displayed(80, [RunStarted({}, True), *done, RunEnded(True, 0, {}, ""), RunStarted({}, False), *done[:2]])
    assert rows[-1] == "applying  1 of 2 done  0.0 s"


def test_a_log_has_no_control_characters() -> None:
    stream = io.StringIO()
    plain = Plain(stream, color=False)
    for event in [*RUNNING, Diagnostic(Severity.INFO, "waiting", ephemeral=True), ProgramOutput("a\x1b[2Jb\rc")]:
        plain(event)
        plain.tick()
    plain.close()
    assert "waiting" not in stream.getvalue()
    assert stream.getvalue().replace("\n", "").isprintable()


def test_a_log_tells_what_an_operation_waits_for_once() -> None:
    stream = io.StringIO()
    plain = Plain(stream, color=False)
    events = [
        Diagnostic(Severity.INFO, text, step("data").urn, ephemeral=True) for text in ("no node", "no node", "no disk")
    ]
    for event in [*RUNNING, *events, StepDone(step("data"), 1.0), events[0]]:
        plain(event)
    waits = [line.strip() for line in stream.getvalue().splitlines() if "waits" in line]
    assert waits == ["data waits: no node", "data waits: no disk"]


def test_a_reader_that_has_gone_stops_nobody() -> None:
    read, written = os.pipe()
    os.close(read)
    with os.fdopen(written, "w", buffering=1) as pipe:
        stream = Tolerant(pipe)
        stream.write("nobody reads this\n")
        stream.write("nor this\n")
        stream.flush()


def test_a_terminal_without_the_characters_shows_others() -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii") as ascii_only:
        stream = Tolerant(ascii_only)
        stream.write("├─ data\n")
        stream.flush()
        assert raw.getvalue() == b"?? data\n"


def test_a_closed_pipe_leaves_no_traceback() -> None:
    command = [sys.executable, "-m", "cli.main", "config", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
