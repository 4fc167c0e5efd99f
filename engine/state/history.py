"""What has been done to a stack: the updates that its history keeps, whichever engine wrote them.

A file for each, ``.pulumi/history/PROJECT/STACK/STACK-NANOSECONDS.history.json`` or ``.gz``. (Source: Pulumi 3.260,
``addToHistory`` of ``pkg/backend/diy`` and ``UpdateInfo`` of ``pkg/backend``.)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from engine.state import buckets
from engine.state.errors import StateError
from engine.state.fields import mapping
from engine.state.storage import Update, valid_name

_NAME: Final = re.compile(r"-(\d+)\.history\.json(\.gz|\.zst)?")


@dataclass(frozen=True)
class Past(Update):
    """An update that was. ``number`` counts from 1, the oldest; ``result`` is as the file has it.

    ``environment`` is where it was done: ours says ``user`` and ``host``, Pulumi's ``git.author``, ``ci.system`` ...
    """

    number: int = field(kw_only=True)

    @property
    def who(self) -> str:
        """Who did it, as far as the environment says: "" where it does not."""
        given = self.environment
        name = given.get("user") or given.get("git.author") or given.get("git.committer") or ""
        host = given.get("host") or given.get("ci.system") or ""
        return f"{name}@{host}" if name and host else name or host


def read(bucket: buckets.Bucket, project: str, stack: str) -> tuple[list[Past], list[str]]:
    """The updates of a stack, newest first, and a line about each file that can't be read."""
    prefix = f".pulumi/history/{valid_name('project', project)}/{valid_name('stack', stack)}/{stack}"
    found = [(int(match[1]), one.key) for one in bucket.below(prefix) if (match := _matching(one.key, prefix))]
    updates: list[Past] = []
    faults: list[str] = []
    for number, (_, key) in enumerate(sorted(found), 1):
        try:
            updates.append(_decode(bucket, key, number))
        except (StateError, ValueError, TypeError) as error:
            faults.append(f"{bucket.path(key)} can't be read: {str(error).splitlines()[0]}")
    return updates[::-1], faults


def _matching(key: str, prefix: str) -> re.Match[str] | None:
    return _NAME.fullmatch(key.removeprefix(prefix))


def _decode(bucket: buckets.Bucket, key: str, number: int) -> Past:
    content = buckets.plain(bucket.read(key) or b"", bucket.path(key))
    whole: Any = json.loads(content)
    if not isinstance(whole, dict):
        raise TypeError("expected an object")
    environment, changes = mapping(whole.get("environment")), mapping(whole.get("resourceChanges"))
    return Past(
        str(whole.get("kind", "")), int(whole.get("startTime", 0)), int(whole.get("endTime", 0)),
        str(whole.get("result", "")), str(whole.get("message", "")),
        {str(name): str(value) for name, value in environment.items()},
        changes={str(op): int(count) for op, count in changes.items()}, number=number,
    )  # fmt: skip
