"""SVG as text: boxes, words, rules, curves; everything that comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_FONT: Final = "-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
_NARROW: Final = frozenset("iljtfr.,:;|!'()[]-/ I1")
_WIDE: Final = frozenset("mwMW@%")


@dataclass(frozen=True)
class Word:
    """A piece of text and its look."""

    text: str
    size: float
    color: str
    weight: int = 400


class Drawing:
    """One picture, drawn from top to bottom on ``paper``; how high it is turns out at its end."""

    def __init__(self, width: float, paper: str, title: str) -> None:
        self._width, self._paper, self._title = width, paper, title
        self._parts: list[str] = []

    def box(
        self, x: float, y: float, width: float, height: float, color: str, *, radius: float = 0, opacity: float = 1,
        clip: str = "", title: str = "",
    ) -> None:  # fmt: skip
        more = f' rx="{radius:g}"' if radius else ""
        more += f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        more += f' clip-path="url(#{clip})"' if clip else ""
        inner = f"<title>{escape(_printable(title))}</title>" if title else ""
        size = f'width="{width:.1f}" height="{height:.1f}"'
        self._parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{color}"{more}>{inner}</rect>')

    def text(
        self, x: float, y: float, text: str, *, size: float, color: str, weight: int = 400, anchor: str = "start"
    ) -> None:
        bold = f' font-weight="{weight}"' if weight != 400 else ""
        end = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{color}"{bold}{end} xml:space="preserve">'
            f"{escape(_printable(text))}</text>"
        )

    def words(self, x: float, y: float, words: Sequence[Word], *, gap: float = 13) -> None:
        """Words of different looks one after another: whoever shows them knows how wide each is."""
        shift = f' dx="{gap:g}"'
        parts = [
            f'<tspan font-size="{one.size:g}" fill="{one.color}" font-weight="{one.weight}"'
            f"{shift if index else ''}>{escape(_printable(one.text))}</tspan>"
            for index, one in enumerate(words)
        ]
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}">{"".join(parts)}</text>')

    def rule(self, x: float, y: float, width: float, color: str) -> None:
        self.box(x, y, width, 1, color)

    def curve(self, points: Sequence[tuple[float, float]], color: str, *, dashed: bool = False) -> None:
        """A line through ``points``, with a dot at each."""
        at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = ' stroke-dasharray="2 5"' if dashed else ""
        style = f'fill="none" stroke="{color}" stroke-width="2.5" stroke-linecap="round"{dashes}'
        self._parts.append(f'<polyline points="{at}" {style}/>')
        self._parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>' for x, y in points]

    def clip(self, name: str, x: float, y: float, width: float, height: float, radius: float) -> None:
        """A region with round corners that boxes can be held to."""
        self._parts.append(
            f'<clipPath id="{name}"><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{radius:g}"/></clipPath>'
        )

    def finished(self, height: float) -> str:
        """The document."""
        title, size = escape(_printable(self._title)), f"{self._width:g} {height:g}"
        head = f'width="{self._width:g}" height="{height:g}" viewBox="0 0 {size}" role="img" aria-label="{title}"'
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {head} font-family="{_FONT}">',
            f"<title>{title}</title>",
            f'<rect width="{self._width:g}" height="{height:g}" rx="12" fill="{self._paper}"/>',
        ]
        return "\n".join([*lines, *self._parts, "</svg>", ""])


def width_of(text: str, size: float) -> float:
    """About how wide ``text`` is, in a sans-serif of ``size``: rather too wide, so that nothing runs into another."""
    return sum(0.34 if one in _NARROW else 0.92 if one in _WIDE else 0.6 for one in text) * size


def fitted(text: str, size: float, room: float) -> str:
    """``text`` cut to about ``room``."""
    if width_of(text, size) <= room:
        return text
    kept = text
    while kept and width_of(f"{kept}…", size) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def _printable(text: str) -> str:
    """XML takes no control characters, not even escaped."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)
