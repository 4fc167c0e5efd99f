"""How operations look: markers, colours and words, the same in every view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from cli.views.lines import Line, Style
from engine import urn as urns
from engine.plan import Op, Step


class Look(NamedTuple):
    """An operation's marker and colour, its name, and what is said while it runs and when it has."""

    marker: str
    style: Style
    noun: str
    doing: str
    done: str


class _Looks(dict[Op, Look]):
    """An operation that only a newer Pulumi knows is shown by its name."""

    def __missing__(self, op: Op) -> Look:
        return Look("?", Style.YELLOW, op, op, op)


LOOKS: Final[Mapping[Op, Look]] = _Looks(
    {
        Op.SAME: Look(" ", Style.DIM, "unchanged", "comparing", "unchanged"),
        Op.CREATE: Look("+", Style.GREEN, "create", "creating", "created"),
        Op.UPDATE: Look("~", Style.YELLOW, "update", "updating", "updated"),
        Op.DELETE: Look("-", Style.RED, "delete", "deleting", "deleted"),
        Op.REPLACE: Look("+-", Style.MAGENTA, "replace", "replacing", "replaced"),
        Op.CREATE_REPLACEMENT: Look(
            "++", Style.GREEN, "create replacement", "creating replacement", "created replacement"
        ),
        Op.DELETE_REPLACED: Look("--", Style.RED, "delete replaced", "deleting replaced", "deleted replaced"),
        Op.READ: Look(">", Style.CYAN, "read", "reading", "read"),
        Op.READ_REPLACEMENT: Look(">>", Style.CYAN, "read replacement", "reading", "read"),
        Op.REFRESH: Look("~", Style.YELLOW, "refresh", "refreshing", "refreshed"),
        Op.IMPORT: Look("=", Style.GREEN, "import", "importing", "imported"),
        Op.IMPORT_REPLACEMENT: Look("=>", Style.GREEN, "import replacement", "importing", "imported"),
        Op.REMOVE_PENDING_REPLACE: Look("~", Style.DIM, "remove pending replace", "removing", "removed"),
        Op.DISCARD: Look("<", Style.DIM, "discard", "discarding", "discarded"),
        Op.DISCARD_REPLACED: Look("<<", Style.DIM, "discard replaced", "discarding", "discarded"),
    }
)
_OLD_HALVES: Final = frozenset({Op.DELETE_REPLACED, Op.DISCARD_REPLACED})
HALVES: Final = _OLD_HALVES | {Op.CREATE_REPLACEMENT, Op.READ_REPLACEMENT, Op.IMPORT_REPLACEMENT}
_FIRST: Final = (
    Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.DELETE_REPLACED, Op.READ, Op.DISCARD, Op.IMPORT, Op.REFRESH,
)  # fmt: skip
_IN_ORDER: Final = (*_FIRST, *(op for op in LOOKS if op not in _FIRST and op is not Op.SAME), Op.SAME)


def in_order(ops: Iterable[Op]) -> list[Op]:
    """Operations in the order in which they are counted up, those that nobody knows before what stays as it is."""
    places = {op: place for place, op in enumerate(_IN_ORDER)}
    return sorted(ops, key=lambda op: (op is Op.SAME, places.get(op, len(places))))


def is_default_provider(urn: str) -> bool:
    """Whether the engine made this provider itself: Pulumi shows and counts no such resource."""
    parts = urns.parse(urn)
    return urns.is_provider_type(parts.type) and (parts.name == "default" or parts.name.startswith("default_"))


def headline(steps: Sequence[Step]) -> Step:
    """The one of a resource's steps that says what becomes of it."""
    for ops in ((Op.REPLACE,), (Op.CREATE_REPLACEMENT, Op.READ_REPLACEMENT, Op.IMPORT_REPLACEMENT)):
        for step in steps:
            if step.op in ops:
                return step
    return next((step for step in reversed(steps) if step.op is not Op.SAME), steps[-1])


def counts(steps: Iterable[Step]) -> Mapping[Op, int]:
    """How many resources each operation touches, as Pulumi counts: the stack counts, default providers don't."""
    by_urn: dict[str, list[Step]] = {}
    for step in steps:
        if not is_default_provider(step.urn):
            by_urn.setdefault(step.urn, []).append(step)
    tally: Counter[Op] = Counter()
    for own in by_urn.values():
        op = headline(own).op
        tally[Op.REPLACE if op in HALVES - _OLD_HALVES else op] += 1
    return tally


def short_type(type_: str) -> str:
    """``s3 Bucket`` for ``aws:s3/bucket:Bucket``: what a reader needs of a type token."""
    parts = type_.split(":")
    if len(parts) != 3:
        return type_
    module = parts[1].split("/")[0]
    return parts[2] if module in ("index", "") else f"{module} {parts[2]}"


def type_within(type_: str, columns: int) -> str:
    """The short type, without its module where it is too wide for ``columns`` (what is still too wide is cut later)."""
    short = short_type(type_)
    return short if len(short) <= columns else short.split(" ")[-1]


def counts_lines(tally: Mapping[Op, int], width: int, *, past: bool = False) -> list[Line]:
    """``+ 1 create   ~ 1 update   241 unchanged``, on as many lines as it takes."""
    lines = [Line()]
    for op in [op for op in in_order(tally) if tally[op]]:
        look = LOOKS[op]
        text = f"{look.marker} ".lstrip() + f"{tally[op]} {look.done if past else look.noun}"
        if lines[-1].pieces and lines[-1].width + 3 + len(text) > width:
            lines.append(Line())
        lines[-1].add("   " if lines[-1].pieces else "  ").add(text, look.style)
    return lines if lines[0].pieces else [Line().add("  nothing", Style.DIM)]
