from __future__ import annotations

import pytest

from engine.durations import seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 0), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("1.5s", 1.5), ("100ms", 0.1), ("1h0m1s", 3601)],
)
def test_a_duration_in_seconds(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)  # pyright: ignore[reportUnknownMemberType] - pytest's own


@pytest.mark.parametrize("text", ["5", "m", "5 m", "5m!", "-5m", "five"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(text)
