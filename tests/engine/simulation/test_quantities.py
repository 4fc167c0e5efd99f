"""Amounts as Kubernetes writes them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from engine.simulation.quantities import parse, shown, written


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", Fraction(1, 2)), ("2", 2), (3, 3), (1.5, Fraction(3, 2)), ("64Gi", 64 * 2**30), ("1k", 1000),
        ("1e3", 1000), ("1E", 10**18), ("1Ei", 2**60), (".5", Fraction(1, 2)), ("100n", Fraction(1, 10**7)), ("-1", -1),
    ],
)  # fmt: skip
def test_a_quantity_is_a_number(text: object, number: Fraction) -> None:
    assert parse(text) == number


@pytest.mark.parametrize("text", ["", "GiB", "1GiB", "1 Gi", None, True, [], "1e", "e3"])
def test_what_is_no_quantity_is_said(text: object) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse(text)


@pytest.mark.parametrize(
    ("name", "amount", "text"),
    [
        ("cpu", Fraction(3, 2), "1.5"), ("memory", Fraction(64 * 2**30), "64 GiB"),
        ("nvidia.com/gpu", Fraction(8), "8"),
        ("memory", Fraction(2**29), "0.5 GiB"), ("requests.storage", Fraction(2**40), "1024 GiB"),
        ("cpu", Fraction(10), "10"), ("cpu", Fraction(100), "100"), ("cpu", Fraction(0), "0"),
    ],
)  # fmt: skip
def test_an_amount_for_people(name: str, amount: Fraction, text: str) -> None:
    assert shown(name, amount) == text


def test_an_amount_for_a_manifest() -> None:
    assert (written("cpu", Fraction(3, 2)), written("memory", Fraction(2**30))) == ("1500m", "1073741824")
