"""Amounts of money as text."""

from __future__ import annotations


def usd(amount: float) -> str:
    """``$41,260``; cents where they say something: ``$3.65``. What is nearly nothing is not nothing."""
    if 0 < amount < 0.005:
        return "<$0.01"
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    return f"{sign}${size:,.2f}" if 0 < size < 99.995 else f"{sign}${size:,.0f}"


def signed(amount: float) -> str:
    """``+$125``, ``-$3.65``, ``±$0``."""
    text = usd(amount)
    if text in ("$0", "-$0", "-$0.00"):
        return "±$0"
    return text if text.startswith("-") else f"+{text}"
