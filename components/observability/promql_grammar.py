"""The grammar of PromQL, to the end of finding the token at which an expression leaves it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
    |(?P<duration>[0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdwy]))*(?![a-zA-Z0-9_]))
    |(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^=<>(){}\[\],:@])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_AGGREGATIONS: Final = frozenset(
    ("avg", "bottomk", "count", "count_values", "group", "limit_ratio", "limitk", "max", "min")
) | {"quantile", "stddev", "stdvar", "sum", "topk"}
_COMPARISONS: Final = frozenset(("==", "!=", ">", "<", ">=", "<="))
_OPERATORS: Final = _COMPARISONS | {"+", "-", "*", "/", "%", "^", "and", "or", "unless", "atan2"}
_MATCHES: Final = frozenset(("=", "!=", "=~", "!~"))


class PromqlError(ValueError):
    """An expression is wrong at ``line`` and ``column`` (from 1); ``reason`` says how, ``near`` what stands there."""

    def __init__(self, reason: str, expression: str, offset: int) -> None:
        before = expression[:offset]
        self.reason = reason
        self.line = before.count("\n") + 1
        self.column = offset - (before.rfind("\n") + 1) + 1
        self.near = next(iter(expression[offset:].splitlines()), "")[:20].strip()
        super().__init__(f"line {self.line}, column {self.column}: {reason}")


@dataclass(frozen=True)
class Token:
    """A part of an expression that has a meaning: from ``start``, up to ``end``."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens(expression: str) -> Iterator[Token]:
    """The tokens of ``expression``, without spaces and comments."""
    for found in _TOKEN.finditer(expression):
        if found.lastgroup != "space":
            yield Token(found.lastgroup or "other", found[0], found.start())


class Grammar:
    """Reads an expression as far as it keeps the grammar; ``parts`` are the expressions in it, by start and end."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = list(tokens(expression))
        self._at = 0
        self.parts: list[tuple[int, int]] = []

    def whole(self) -> None:
        self._expr()
        if self._next is not None:
            self._fail("expected an operator or the end")

    @property
    def _next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _is(self, *texts: str) -> bool:
        token = self._next
        return token is not None and token.kind in ("sign", "name") and token.text in texts

    def _is_kind(self, *kinds: str) -> bool:
        return self._next is not None and self._next.kind in kinds

    def _take(self, *texts: str) -> bool:
        found = self._is(*texts)
        self._at += found
        return found

    def _need(self, *texts: str) -> None:
        if not self._take(*texts):
            self._fail(f"expected {' or '.join(repr(each) for each in texts)}")

    def _need_kind(self, what: str, *kinds: str) -> None:
        if not self._is_kind(*kinds):
            self._fail(f"expected {what}")
        self._at += 1

    def _fail(self, reason: str) -> None:
        token = self._next
        if token is None:
            raise PromqlError(f"{reason}, but it ends here", self._expression, len(self._expression.rstrip()))
        seen = "a text without its closing quote" if token.text in "\"'`" else f"'{token.text}'"
        raise PromqlError(f"{reason}, but found {seen}", self._expression, token.start)

    def _expr(self) -> None:
        begin = self._at
        self._operand()
        while self._is(*_OPERATORS):
            compares = self._is(*_COMPARISONS)
            self._at += 1
            if compares:
                self._take("bool")
            if self._take("on", "ignoring"):
                self._labels()
                if self._take("group_left", "group_right") and self._is("("):
                    self._labels()
            self._operand()
        self._part(begin)

    def _part(self, begin: int) -> None:
        self.parts.append((self._tokens[begin].start, self._tokens[self._at - 1].end))

    def _operand(self) -> None:
        begin = self._at
        if self._take("-", "+"):
            self._operand()
        else:
            self._primary()
        while self._is("[", "offset", "@"):
            self._modifier()
        self._part(begin)

    def _primary(self) -> None:
        if self._take("("):
            self._expr()
            self._need(")")
        elif self._is("{"):
            self._matchers()
        elif self._is_kind("number", "duration", "text"):
            self._at += 1
        elif self._is_kind("name") and not self._is("by", "without", "on", "ignoring", "bool", "offset"):
            self._named()
        else:
            self._fail("expected a metric, a function or a number")

    def _named(self) -> None:
        token = self._next
        assert token is not None
        self._at += 1
        if token.text in _AGGREGATIONS and self._is("by", "without", "("):
            grouped = self._grouping()
            self._arguments()
            if not grouped:
                self._grouping()
        elif self._is("("):
            self._arguments()
        elif self._is("{"):
            self._matchers()

    def _grouping(self) -> bool:
        found = self._take("by", "without")
        if found:
            self._labels()
        return found

    def _arguments(self) -> None:
        self._need("(")
        if not self._take(")"):
            self._expr()
            while self._take(","):
                self._expr()
            self._need(")", ",")

    def _listed(self, opening: str, closing: str, each: Callable[[], None]) -> None:
        self._need(opening)
        while not self._take(closing):
            each()
            if not self._take(","):
                self._need(closing, ",")
                return

    def _labels(self) -> None:
        self._listed("(", ")", lambda: self._need_kind("a label's name", "name"))

    def _matchers(self) -> None:
        self._listed("{", "}", self._matcher)

    def _matcher(self) -> None:
        self._need_kind("a label's name", "name")
        if not self._is(*_MATCHES):
            self._fail("expected =, !=, =~ or !~")
        self._at += 1
        self._need_kind("a text in quotes", "text")

    def _modifier(self) -> None:
        if self._take("["):
            self._need_kind("a duration such as 5m", "duration", "number")
            if self._take(":") and not self._is("]"):
                self._need_kind("a duration such as 1m", "duration", "number")
            self._need("]")
        elif self._take("offset"):
            self._take("-")
            self._need_kind("a duration such as 1h", "duration", "number")
        elif self._take("@"):
            if self._take("start", "end"):
                self._need("(")
                self._need(")")
            else:
                self._take("-")
                self._need_kind("a time in seconds", "number")
