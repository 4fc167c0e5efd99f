"""Reads JSON paths, from left to right. RFC 9535, 2.1 and 2.3.5."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.providers.kubernetes.json_path.selecting import (
    NOTHING,
    Query,
    Select,
    Test,
    Value,
    always,
    children,
    compared,
    element,
    fits,
    in_turn,
    length,
    member,
    of_each,
    part,
    those_that,
)

NAME: Final = re.compile("[A-Za-z_\x80-\U0010ffff][\\w\x80-\U0010ffff-]*")
_INTEGER: Final = re.compile(r"-?\d+")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_SLICE: Final = re.compile(r"(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?)?")
_STRING: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_COMPARISON: Final = re.compile(r"==|!=|<=|>=|<|>")
_WORD: Final = re.compile(r"(true|false|null)\b")
_WORDS: Final = {"true": True, "false": False, "null": None}
_FUNCTION: Final = re.compile(r"(length|count|value|match|search)\s*\(")
SPACE: Final = re.compile(r"\s*")


class BadPath(ValueError):
    """A text that is no JSON path."""


@dataclass(frozen=True)
class _Operand:
    """Something in a filter: its value, and what it says ``alone``, without being compared, if it may stand so."""

    value: Value
    alone: Test | None = None
    is_comparable: bool = True


@dataclass
class Reader:
    """Reads a path from left to right; each method takes what it is called for, and leaves what it isn't."""

    text: str
    position: int

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def take(self, word: str) -> bool:
        there = self.text.startswith(word, self.position)
        self.position += len(word) if there else 0
        return there

    def spaced(self, word: str) -> bool:
        """Take a word that there may be space before and after."""
        before = self.position
        self.match(SPACE)
        if not self.take(word):
            self.position = before
            return False
        self.match(SPACE)
        return True

    def need(self, word: str) -> None:
        if not self.spaced(word):
            raise self.wrong(f"expected {word}")

    def wrong(self, why: str) -> BadPath:
        return BadPath(f"can't read {self.text!r} from {self.text[self.position :]!r} on: {why}")

    def segments(self) -> tuple[list[Query], bool]:
        """The steps of a path, and whether they lead to one place at most."""
        found, is_single = list[Query](), True
        while True:
            before = self.position
            self.match(SPACE)
            deep = self.take("..")
            if deep and not self.text.startswith("[", self.position):
                selectors, single = self._dotted(), False
            elif not deep and self.take("."):
                selectors, single = self._dotted(), self.text[self.position - 1] != "*"
            elif self.take("["):
                selectors, single = self._bracketed()
            else:
                self.position = before
                return found, is_single
            is_single = is_single and single and not deep
            found.append(of_each(*selectors, deep=deep))

    def _dotted(self) -> list[Select]:
        if self.take("*"):
            return [children]
        name = self.match(NAME)
        if name is None:
            raise self.wrong("expected a name or *")
        return [member(name[0])]

    def _bracketed(self) -> tuple[list[Select], bool]:
        found, is_single = list[Select](), True
        while True:
            self.match(SPACE)
            selector, single = self._selector()
            found.append(selector)
            is_single = is_single and single
            if not self.spaced(","):
                break
        self.match(SPACE)
        if not self.take("]"):
            raise self.wrong("expected ]")
        return found, is_single and len(found) == 1

    def _selector(self) -> tuple[Select, bool]:
        if self.take("*"):
            return children, False
        if self.take("?"):
            self.match(SPACE)
            return those_that(self._either()), False
        if name := self.match(_STRING):
            return member(_unescaped(name)), True
        if bounds := self.match(_SLICE):
            return part(*(int(one) if one else None for one in bounds.groups())), False
        if index := self.match(_INTEGER):
            return element(int(index[0])), True
        raise self.wrong("expected a name in quotes, a number, a slice, * or a filter")

    def _either(self) -> Test:
        tests = [self._both()]
        while self.spaced("||"):
            tests.append(self._both())
        return lambda value, root: any(test(value, root) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self.spaced("&&"):
            tests.append(self._one())
        return lambda value, root: all(test(value, root) for test in tests)

    def _one(self) -> Test:
        if self.spaced("!"):
            test = self._one()
            return lambda value, root: not test(value, root)
        if self.spaced("("):
            inner = self._either()
            self.need(")")
            return inner
        left = self._operand()
        self.match(SPACE)
        sign = self.match(_COMPARISON)
        if sign is None:
            if left.alone is None:
                raise self.wrong("expected a comparison")
            return left.alone
        self.match(SPACE)
        right = self._operand()
        if not (left.is_comparable and right.is_comparable):
            raise self.wrong("what may be many values, or is a test by itself, can't be compared")
        return compared(left.value, sign[0], right.value)

    def _operand(self) -> _Operand:
        if text := self.match(_STRING):
            return _Operand(always(_unescaped(text)))
        if number := self.match(_NUMBER):
            return _Operand(always(float(number[0]) if set(number[0]) & set(".eE") else int(number[0])))
        if word := self.match(_WORD):
            return _Operand(always(_WORDS[word[0]]))
        if function := self.match(_FUNCTION):
            return self._called(function[1])
        query, is_single = self._query()
        return _Operand(
            lambda value, root: next(iter(query(value, root)), NOTHING),
            lambda value, root: bool(query(value, root)),
            is_single,
        )

    def _single(self) -> Value:
        operand = self._operand()
        if not operand.is_comparable:
            raise self.wrong("expected one value, not what may be many or is a test by itself")
        return operand.value

    def _query(self) -> tuple[Query, bool]:
        is_relative = self.take("@")
        if not is_relative and not self.take("$"):
            raise self.wrong("expected @, $, a value or a function")
        segments, is_single = self.segments()
        inner = in_turn(segments)
        return (inner if is_relative else lambda _, root: inner(root, root)), is_single

    def _called(self, name: str) -> _Operand:
        """A call of a function, whose name and bracket have been read."""
        self.match(SPACE)
        if name in ("count", "value"):
            query, _ = self._query()
            self.need(")")
            if name == "count":
                return _Operand(lambda value, root: len(query(value, root)))
            return _Operand(lambda value, root: found[0] if len(found := query(value, root)) == 1 else NOTHING)
        text = self._single()
        if name == "length":
            self.need(")")
            return _Operand(length(text))
        self.need(",")
        pattern = self._single()
        self.need(")")
        test = fits(re.fullmatch if name == "match" else re.search, text, pattern)
        return _Operand(test, test, is_comparable=False)


def _unescaped(text: re.Match[str]) -> str:
    def one(escape: re.Match[str]) -> str:
        sign = escape[1]
        return chr(int(sign[1:], 16)) if len(sign) > 1 else _ESCAPED.get(sign, sign)

    said = _ESCAPE.sub(one, text[1] if text[1] is not None else text[2])
    return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two escapes may be one character
