"""Keeping secrets out of what is shown: every message that leaves the engine goes through here.

Values are masked by type in resource states (``cli.views``); this is for text, in which a provider or a program may
have put a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from engine.events import Consumer, Diagnostic, Event, ProgramOutput, StepFailed
from engine.values import Archive, Asset, Secret, Value, walk

MASK: Final = "[secret]"
SHORTEST: Final = 4  # characters; shorter texts occur everywhere


class Redactor:
    """Knows the secret texts of a run and masks them wherever they occur in a message."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self._texts: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for value in values:
            self.learn(value)

    def learn(self, value: Value) -> None:
        """Remember every text inside the secrets in ``value``."""
        before = len(self._texts)
        for item in walk(value):
            if isinstance(item, Secret):
                self._texts.update(_texts(item.value))
        if len(self._texts) != before:
            self._pattern = None  # made when a text is to be masked: secrets are learned one by one

    def redact(self, text: str) -> str:
        if not self._texts:
            return text
        if self._pattern is None:
            longest_first = sorted(self._texts, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern.sub(MASK, text)

    def wrap(self, emit: Consumer) -> Consumer:
        """``emit`` behind the mask."""

        def redacting(event: Event) -> None:
            if isinstance(event, Diagnostic | StepFailed):
                event = replace(event, message=self.redact(event.message))
            elif isinstance(event, ProgramOutput):
                event = replace(event, text=self.redact(event.text))
            emit(event)

        return redacting


def _texts(value: Value) -> Iterable[str]:
    """The forms in which a message may show a secret: whole, by lines, and as JSON or Python would quote it."""
    for item in walk(value):
        if isinstance(item, str):
            forms = {item, *item.splitlines(), json.dumps(item)[1:-1], repr(item)[1:-1]}
            yield from (form for form in forms if len(form) >= SHORTEST)
        elif isinstance(item, int | float) and len(str(item)) >= SHORTEST and not isinstance(item, bool):
            yield str(item)
        elif isinstance(item, Asset):
            yield from _texts(item.text)
        elif isinstance(item, Archive):
            yield from _texts(dict(item.assets or {}))
