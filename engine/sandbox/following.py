"""Follow what lies in a Kubernetes API: act on every object of a kind, and again on each that changes.

Whoever acts holds nothing of its own: it may be ended and started at any moment, and whatever fails is tried again.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.sandbox.api import Api, Refused, Unanswered

_WATCH_SECONDS = 300
_DELAYS = (0.2, 1.0, 5.0)  # seconds before the next attempt; the last one for all that follow
CONFLICT, NOT_FOUND, _FIRST_OF_SERVER = 409, 404, 500

Json = dict[str, Any]
Act = Callable[[Json], None]


def run(api: Api, acts: Mapping[str, Act]) -> None:
    """Follow each path with its act, a thread for each, until one fails in a way that nobody foresaw: that is raised.

    So the process ends, and whoever asks how the sandbox is, is told.
    """
    failed = queue.SimpleQueue[Exception]()
    for path, act in acts.items():
        threading.Thread(target=_follow, args=(api, path, act, failed), name=path, daemon=True).start()
    raise failed.get()


def _follow(api: Api, path: str, act: Act, failed: queue.SimpleQueue[Exception]) -> None:
    try:
        follow(api, path, act)
    except Exception as error:  # noqa: BLE001  # raised by the main thread
        failed.put(error)


def follow(api: Api, path: str, act: Act) -> None:
    """``act`` on every object at ``path``, and on each that changes, for as long as this process lives."""
    failures = 0
    while True:
        try:
            found = api.request("GET", path)
            attempt_all(act, found.get("items") or ())
            _watch(api, path, found["metadata"]["resourceVersion"], act)
            failures = 0
        except (Refused, Unanswered) as error:
            say(f"{path}: {error}")
            time.sleep(_DELAYS[min(failures, len(_DELAYS) - 1)])
            failures += 1


def attempt_all(act: Act, every: Iterable[Json]) -> None:
    """``act`` on each. What may pass is raised once all have had their turn: one object holds up no other."""
    may_pass: Refused | Unanswered | None = None
    for one in every:
        try:
            _attempt(act, one)
        except (Refused, Unanswered) as error:
            may_pass = may_pass or error
    if may_pass:
        raise may_pass


def _watch(api: Api, path: str, version: str, act: Act) -> None:
    """Until the server ends the watch, which it does from time to time, or no longer knows ``version``."""
    query = f"watch=1&allowWatchBookmarks=true&timeoutSeconds={_WATCH_SECONDS}&resourceVersion={version}"
    for event in api.events(f"{path}?{query}", timeout=_WATCH_SECONDS + 10):
        if event["type"] == "ERROR":
            return
        if event["type"] in ("ADDED", "MODIFIED"):
            _attempt(act, event["object"])


def _attempt(act: Act, one: Json) -> None:
    """What may pass is raised, to be tried again. All else is said and left alone: it is about this object only."""
    name = one["metadata"]["name"]
    try:
        act(one)
    except Unanswered:
        raise
    except Refused as refused:
        if refused.status >= _FIRST_OF_SERVER:
            raise
        if refused.status not in (CONFLICT, NOT_FOUND):  # it has changed meanwhile: another event tells how
            say(f"{name}: {refused}")
    except Exception as error:  # noqa: BLE001  # whatever somebody has written there must not end this process
        say(f"{name}: {type(error).__name__}: {error}")


def say(what: str) -> None:
    """Into the process's log."""
    print(what, file=sys.stderr, flush=True)
