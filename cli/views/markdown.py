"""Text as Markdown."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Text that is nothing but text to Markdown, inside a table, too."""
    for character in "\\`*_{}[]<>#|$~@":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
