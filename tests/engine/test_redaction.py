"""Secret texts are masked in every message, whatever surrounds them."""

from __future__ import annotations

import json

import pytest

from engine.events import Diagnostic, Event, ProgramOutput, Severity
from engine.redaction import MASK, Redactor
from engine.values import Archive, Asset, Secret, Value

QUOTED = 'a "quoted"\n\\ word'


def test_a_learned_secret_is_masked_wherever_it_stands() -> None:
    redactor = Redactor([Secret("s3cr3t")])
    assert redactor.redact("token=s3cr3t;again:s3cr3t") == f"token={MASK};again:{MASK}"


def test_secrets_inside_values_are_found_and_their_neighbours_are_not() -> None:
    redactor = Redactor()
    redactor.learn({"plain": "visible", "list": [Secret({"key": "hidden-one"})]})
    assert redactor.redact("visible hidden-one") == f"visible {MASK}"


def test_the_longer_of_two_secrets_goes_first() -> None:
    redactor = Redactor([Secret("battery"), Secret("battery-staple")])
    assert redactor.redact("battery-staple") == MASK


def test_each_line_of_a_secret_is_a_secret() -> None:
    redactor = Redactor([Secret("-----BEGIN-----\nMIIEvQ\n")])
    assert "MIIEvQ" not in redactor.redact("a log that shows one line: MIIEvQ")


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        (QUOTED, f"refused {json.dumps({'word': QUOTED})}"),
        (QUOTED, f"refused {QUOTED!r}"),
        (123456, "PIN 123456 is too simple"),
        (Asset(text="hunter2"), "hunter2"),
        (Archive(assets={"f": Asset(text="hunter2")}), "hunter2"),
    ],
)
def test_a_secret_is_masked_as_others_would_write_it(secret: Value, shown: str) -> None:
    masked = Redactor([{"a": Secret(secret)}]).redact(shown)
    assert MASK in masked
    assert [part for part in ("hunter2", "quoted", "123456") if part in masked] == []


@pytest.mark.parametrize("text", ["abc", "1", ""])
def test_what_is_too_short_to_hide_masks_nothing(text: str) -> None:
    assert Redactor([Secret(text)]).redact("abc 1") == "abc 1"


def test_a_secret_that_looks_like_a_pattern_is_taken_literally() -> None:
    redactor = Redactor([Secret(r"a.*b[")])
    assert redactor.redact(r"axxb a.*b[") == f"axxb {MASK}"


def test_events_pass_behind_the_mask() -> None:
    seen: list[Event] = []
    redactor = Redactor()
    emit = redactor.wrap(seen.append)
    redactor.learn(Secret("hidden-one"))  # learned later than the consumer was wrapped
    emit(Diagnostic(Severity.INFO, "it is hidden-one"))
    emit(ProgramOutput("hidden-one", stderr=True))
    assert seen == [Diagnostic(Severity.INFO, f"it is {MASK}"), ProgramOutput(MASK, stderr=True)]
