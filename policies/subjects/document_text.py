"""Reading IAM policy documents: every form that AWS takes becomes the same tuples; what it would refuse is noted.

AWS takes one text where a list may stand, one statement where several may, and the names of elements in any case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.subjects.statements import Condition, Statement, Statements

# What stands in a document's text for a part that is not known yet.
UNKNOWN_PART: Final = UNKNOWN_STRING_VALUE
# Text in quotes, which stays, or a comma before the end of an object or a list, which goes.
_COMMAS: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,\s*([}\]])')
_VERSIONS: Final = ("2008-10-17", "2012-10-17")
_ELEMENTS: Final = (
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
)  # fmt: skip
_NAMES: Final = frozenset(name.lower() for name in _ELEMENTS)
_PRINCIPALS: Final[Mapping[str, str]] = {
    kind.lower(): kind for kind in ("AWS", "Service", "Federated", "CanonicalUser")
}


@lru_cache(maxsize=4096)
def read(text: str) -> Statements:
    """The statements of a document's JSON text. A text that isn't JSON, or no document, has none and says why."""
    faults: list[str] = []
    try:
        content: Any = _loaded(text, faults)
    except (ValueError, RecursionError) as error:
        return Statements((), (f"is not JSON: {error}",))
    if not isinstance(content, dict):
        return Statements((), (f"is {_kind(content)}, not an object with statements",))
    elements = {key.lower(): value for key, value in content.items()}
    version, given = elements.get("version"), elements.get("statement")
    if version not in (None, *_VERSIONS, UNKNOWN_PART):
        faults.append(f"Version {version!r} is none of {', '.join(_VERSIONS)}")
    if not given:
        return Statements((), (*faults, "has no Statement"))
    if given == UNKNOWN_PART:
        return Statements((Statement("Statement", "", unknown="Statement"),), tuple(faults))
    statements = tuple(_statements(given if isinstance(given, list) else [given], faults))
    return Statements(statements, tuple(faults))


def _loaded(text: str, faults: list[str]) -> Any:
    """JSON; of text with a comma too many, which is no JSON, what was meant by it, so that it is judged as well."""
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, faults))
    except ValueError as error:
        mended = _COMMAS.sub(lambda found: found[1] or found[2], text)
        if mended == text:
            raise
        faults.append(f"is not JSON: {error}")
        return json.loads(mended, object_pairs_hook=lambda pairs: _object(pairs, faults))


def _object(pairs: Sequence[tuple[str, Any]], faults: list[str]) -> dict[str, Any]:
    """A JSON object. Of a key given twice AWS refuses the document, where a reader would see only the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        faults.append(f"gives {next(key for key in keys if keys.count(key) > 1)!r} twice in one object")
    return found


def _statements(parts: Sequence[Any], faults: list[str]) -> Iterator[Statement]:
    for index, part in enumerate(parts):
        place = f"Statement[{index}]"
        if part == UNKNOWN_PART:
            yield Statement(place, "", unknown=place)
        elif isinstance(part, dict):
            yield _Reader({key.lower(): value for key, value in part.items()}, place, faults).statement()
        else:
            faults.append(f"{place} is {_kind(part)}, not an object")


class _Reader:
    """Reads one statement, whose elements' names are in lower case, and notes what is wrong with it."""

    def __init__(self, part: Mapping[str, Any], place: str, faults: list[str]) -> None:
        self.part, self.place, self.faults = part, place, faults
        self.unknown = ""
        self.unknown_reach = ""

    def statement(self) -> Statement:
        for name in self.part:
            if name not in _NAMES:
                self._fault(f"has an element {name!r}, which is none of {', '.join(_ELEMENTS)}")
        effect = next(iter(self._element("Effect")), "")
        if effect not in ("Allow", "Deny", UNKNOWN_PART):
            self._fault(f"has the Effect {effect!r}, neither 'Allow' nor 'Deny'")
        actions, not_actions = self._element("Action"), self._element("NotAction")
        if bool(actions) == bool(not_actions):
            self._fault("has both Action and NotAction" if actions else "has neither Action nor NotAction")
        return Statement(
            place=self.place,
            effect=effect,
            actions=actions,
            not_actions=not_actions,
            resources=self._element("Resource"),
            not_resources=self._element("NotResource"),
            principals=self._principals("Principal"),
            not_principals=self._principals("NotPrincipal"),
            conditions=tuple(self._conditions()),
            unknown=self.unknown,
            unknown_reach=self.unknown_reach,
        )

    def _fault(self, message: str) -> None:
        self.faults.append(f"{self.place} {message}")

    def _element(self, name: str) -> tuple[str, ...]:
        return self._texts(self.part.get(name.lower()), name)

    def _texts(self, given: Any, name: str, *, scalars: bool = False) -> tuple[str, ...]:
        """One text or a list of texts, as it may be given; ``scalars`` where AWS takes numbers and booleans too."""
        found: list[str] = []
        for one in given if isinstance(given, list) else [] if given is None else [given]:
            if scalars and isinstance(one, bool | int | float):
                found.append(json.dumps(one))
            elif isinstance(one, str):
                found.append(one)
                self._note_unknown(one, name)
            else:
                self._fault(f"holds {_kind(one)} in {name}, not text")
        return tuple(found)

    def _note_unknown(self, given: Any, name: str) -> bool:
        if given != UNKNOWN_PART:
            return False
        if name.startswith(("Resource", "NotResource", "Condition")):
            self.unknown_reach = self.unknown_reach or f"{self.place}.{name}"
        else:
            self.unknown = self.unknown or f"{self.place}.{name}"
        return True

    def _principals(self, name: str) -> tuple[tuple[str, str], ...]:
        given = self.part.get(name.lower())
        if isinstance(given, dict):
            return tuple(
                (_PRINCIPALS.get(str(kind).lower(), str(kind)), one)
                for kind, ones in given.items()
                for one in self._texts(ones, f"{name}.{kind}")
            )
        texts = self._texts(given, name)
        for text in texts:
            if text not in ("*", UNKNOWN_PART):
                self._fault(f"has the {name} {text!r}: say '*', or an object such as {{'AWS': ...}}")
        return tuple(("AWS", text) for text in texts)

    def _conditions(self) -> Iterator[Condition]:
        given = self.part.get("condition")
        if given is None or self._note_unknown(given, "Condition"):
            return
        if not isinstance(given, dict):
            self._fault(f"has {_kind(given)} as Condition, not an object of operators")
            return
        for operator, tests in given.items():
            name = f"Condition.{operator}"
            if self._note_unknown(tests, name):
                continue
            if not isinstance(tests, dict):
                self._fault(f"has {_kind(tests)} in {name}, not an object of keys and values")
                continue
            for key, values in tests.items():
                yield Condition(operator, key, self._texts(values, f"{name}.{key}", scalars=True))


def _kind(given: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return kinds.get(type(given), "a number")
