"""Calls without gRPC, as frames over a socket: what ``engine/direct_line.py`` and ``engine/analyzer/line.py`` share.

    call     size, number, size of the method's name, name, message
    answer   size, number, status code of gRPC, message; or, unless the code is 0, a text

Numbers are unsigned, of 4 bytes (the name's size: 1), in network order; a size counts what comes behind it. Answers
come in any order, each with the number of its call.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

CALL: Final = struct.Struct("!IIB")
ANSWER: Final = struct.Struct("!III")


def taken(received: bytearray, head: struct.Struct) -> Iterator[tuple[int, int, bytes]]:
    """Take the frames out of ``received`` that are there whole: the two numbers behind the size, and what follows."""
    at, there = 0, len(received)
    while there - at >= head.size:
        size, number, other = head.unpack_from(received, at)
        end = at + 4 + size
        if end > there:
            break
        yield number, other, bytes(received[at + head.size : end])
        at = end
    del received[:at]
