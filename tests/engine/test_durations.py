from __future__ import annotations

import pytest

from engine.durations import seconds, text


@pytest.mark.parametrize(
    ("written", "value"),
    [("", 0), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("1.5s", 1.5), ("100ms", 0.1), ("1h0m1s", 3601)],
)
def test_a_duration_in_seconds(written: str, value: float) -> None:
    assert seconds(written) == pytest.approx(value)  # pyright: ignore[reportUnknownMemberType] - pytest's own


@pytest.mark.parametrize(("value", "written"), [(0, ""), (1.5, "1.5s"), (90, "1m30s"), (300, "5m0s"), (3601, "1h0m1s")])
def test_seconds_as_go_writes_them(value: float, written: str) -> None:
    assert text(value) == written


@pytest.mark.parametrize("wrong", ["5", "m", "5 m", "5m!", "-5m", "five"])
def test_what_is_no_duration_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(wrong)
