"""Watches: what happened since a resource version, and what happens from now on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from engine.emulator.kubernetes.refusals import Json, Refused
from engine.emulator.kubernetes.resources import Resource
from engine.emulator.kubernetes.store import Event, Store

BOOKMARK_EVERY = 60.0  # seconds
DEFAULT_TIMEOUT = 1800.0  # seconds


@dataclass(frozen=True)
class Wanted:
    """Which objects a list or a watch is about."""

    resource: Resource
    namespace: str
    selects: Callable[[Json], bool]

    def __call__(self, body: Json) -> bool:
        return self.namespace in ("", body["metadata"].get("namespace", "")) and self.selects(body)


def shown(resource: Resource, body: Json) -> Json:
    """The object in the version that is asked for."""
    return body | {"apiVersion": resource.api_version, "kind": resource.kind}


async def events(
    store: Store, wanted: Wanted, revision: int, *, timeout: float, bookmarks: bool
) -> AsyncIterator[Json]:
    """What a watch sends, until its time is over. ``revision`` 0 begins with the objects that there are."""
    queue: asyncio.Queue[Event] = asyncio.Queue()
    store.listeners.append(queue.put_nowait)
    try:
        sent = store.revision if revision == 0 else revision
        try:
            past = [] if revision == 0 else store.since(revision)
        except Refused as refused:
            yield {"type": "ERROR", "object": refused.status()}
            return
        for body in filter(wanted, store.list(wanted.resource.storage)) if revision == 0 else ():
            yield {"type": "ADDED", "object": shown(wanted.resource, body)}
        for event in past:
            for said in _said(wanted, event):
                yield said
            sent = event.revision
        async for event in _arriving(queue, timeout):
            if event is None:
                if bookmarks:
                    yield _bookmark(wanted.resource, store.revision)
            elif event.revision > sent:
                for said in _said(wanted, event):
                    yield said
    finally:
        store.listeners.remove(queue.put_nowait)


async def _arriving(queue: asyncio.Queue[Event], timeout: float) -> AsyncIterator[Event | None]:
    """Events as they happen, and None at times when there are none."""
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        try:
            yield await asyncio.wait_for(queue.get(), min(left, BOOKMARK_EVERY))
        except TimeoutError:
            yield None


def _said(wanted: Wanted, event: Event) -> list[Json]:
    """The event as this watch sees it: an object may come into what is selected, or leave it."""
    if event.storage != wanted.resource.storage:
        return []
    now = event.change != "DELETED" and wanted(event.object)
    before = event.former is not None and wanted(event.former)
    if not now and not before:
        return []
    change = "MODIFIED" if now and before else "ADDED" if now else "DELETED"
    return [{"type": change, "object": shown(wanted.resource, event.object)}]


def _bookmark(resource: Resource, revision: int) -> Json:
    body = {"apiVersion": resource.api_version, "kind": resource.kind}
    return {"type": "BOOKMARK", "object": body | {"metadata": {"resourceVersion": str(revision)}}}


def line(said: Json) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"
