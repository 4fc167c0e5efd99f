"""JSON paths as RFC 9535 has them: what of a document a path selects.

    read(".status.conditions[?@.type=='Ready' || @.type=='Failed'].status")(document)   -> ["True"]

The leading ``$`` may be left out, as in Kubernetes, and a name after a dot may have hyphens. Patterns are Python's,
which know no categories such as ``\\p{Lu}``. Source: RFC 9535, 2024-02.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.providers.kubernetes.json_path.reader import NAME, BadPath, Reader
from engine.providers.kubernetes.json_path.selecting import Json, in_turn, member, of_each

__all__ = ["BadPath", "begin", "read"]


def read(text: str) -> Callable[[Json], list[Json]]:
    """What selects from a document as ``text`` says. Raises BadPath."""
    select, end = begin(text)
    if end != len(text):
        raise Reader(text, end).wrong("the path has ended here")
    return select


def begin(text: str, start: int = 0) -> tuple[Callable[[Json], list[Json]], int]:
    """What selects as the path says that begins at ``start``, and where that path ends. Raises BadPath."""
    reader = Reader(text, start)
    name = None if reader.take("$") else reader.match(NAME)
    segments, _ = reader.segments()
    select = in_turn([of_each(member(name[0])), *segments] if name else segments)
    return (lambda document: select(document, document)), reader.position
