"""The API's HTTP side: a kmock handler whose answers come from the cluster.

What is kmock's: the handler that aiohttp serves, and its reactions, which come first, so that a test in this process
can break any request (``api["patch /api/v1/namespaces/x/configmaps/y"] << 503``).

What is ours, because kmock 0.8 lacks it, as its documentation says ("inherit and implement for your cases"): its
emulator's objects have no resource versions and no selectors, are one per version of a group, and keep all of their
past for ever. Its parser fails at ``/api/v1/namespaces`` and knows no PUT, so that requests are given to its reactions
as we parse them. It keeps every request for assertions, which a sandbox that lives for weeks can't.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import aiohttp.web
import attrs
import kmock

from engine.emulator.kubernetes import discovery, reading, subresources, tables, watching, writing
from engine.emulator.kubernetes.calls import Call, find
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers import Controllers
from engine.emulator.kubernetes.refusals import Json, PageNotFound, Refused, internal
from engine.emulator.kubernetes.resources import QUESTIONS

BIGGEST_BODY = 3 * 1024 * 1024  # bytes, as the real one has it
Result = TypeVar("Result")


@attrs.define(kw_only=True, eq=False)
class KubernetesApi(kmock.KubernetesScaffold):
    """Serves one cluster. Everything happens in the event loop that runs it; other threads use ``do``."""

    cluster: Cluster
    loop: asyncio.AbstractEventLoop | None = None
    controllers: Controllers = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        # Not the scaffold's: its reactions would answer before ours.
        self.controllers = Controllers(self.cluster)
        self.controllers.begin()

    def do(self, action: Callable[[Cluster], Result]) -> Result:
        """Run ``action`` in the API's thread, let the controllers see what it did, and return what it returns."""
        assert self.loop is not None, "the API is not being served"

        async def run() -> Result:
            result = action(self.cluster)
            self.controllers.settle()
            return result

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result()

    async def __call__(self, raw_request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        try:
            body = await raw_request.read()
            if self._payloads:
                self._requests.append(request := _as_kmock(raw_request, body))  # where its reactions look for it
                with contextlib.suppress(NotImplementedError):  # raised where no reaction is meant for the request
                    return await self._handle(request)
            return await self._answer(raw_request, body)
        except Refused as refused:
            return _json(refused.status(), refused.code)
        except PageNotFound:
            return aiohttp.web.Response(text="404 page not found\n", status=404)
        except (ConnectionError, aiohttp.web.HTTPException):
            raise
        except Exception as error:  # noqa: BLE001  # the caller must be told, whatever it was
            traceback.print_exc(file=sys.stderr)
            return _json(internal(f"{type(error).__name__}: {error}").status(), 500)

    async def _answer(self, raw: aiohttp.web.BaseRequest, body: bytes) -> aiohttp.web.StreamResponse:
        if raw.path in discovery.HEALTH:
            return aiohttp.web.Response(text="ok")
        document = discovery.document(self.cluster.resources, raw.path) if raw.method in ("GET", "HEAD") else None
        if document is not None:
            return _json(document)
        if not raw.path.startswith(("/api/", "/apis/")):
            raise PageNotFound
        found = find(self.cluster.resources, raw.rel_url.raw_path, raw.method)
        call = replace(found, query=dict(raw.query), headers=raw.headers, body=body)
        if call.verb == "watch" or (call.verb == "get" and call.watches):
            return await self._watch(call, raw)
        answer = self._written(call) if call.verb not in ("get", "list") or call.subresource else None
        if answer is not None:
            # After the answer, as controllers work: what they change comes with the next resource version.
            asyncio.get_running_loop().call_soon(self.controllers.settle)
            return _answered(answer)
        return _json(reading.listed(self.cluster, call) if call.verb == "list" else reading.got(self.cluster, call))

    def _written(self, call: Call) -> writing.Answer | None:
        if call.resource.kind in QUESTIONS:
            return subresources.review(call)
        answer = subresources.answer(self.cluster, call)
        if answer is not None or call.verb == "get":
            return answer
        verbs = {
            "create": writing.created,
            "update": writing.updated,
            "patch": writing.patched,
            "delete": writing.deleted,
            "deletecollection": writing.deleted_collection,
        }
        return verbs[call.verb](self.cluster, call)

    async def _watch(self, call: Call, raw: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        wanted = reading.wanted(call)
        revision, seconds = int(call.query.get("resourceVersion") or 0), float(call.query.get("timeoutSeconds") or 0)
        bookmarks = call.query.get("allowWatchBookmarks") in ("true", "1")
        as_table = bool(tables.ASKED.search(call.headers.get("Accept", "")))
        response = aiohttp.web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(raw)
        timeout = seconds or watching.DEFAULT_TIMEOUT
        with contextlib.suppress(ConnectionError):  # the client has gone
            async for said in watching.events(
                self.cluster.store, wanted, revision, timeout=timeout, bookmarks=bookmarks
            ):
                await response.write(watching.line(_in_table(call, said) if as_table else said))
            await response.write_eof()
        return response


def _as_kmock(raw: aiohttp.web.BaseRequest, body: bytes) -> kmock.Request:
    text = body.decode(errors="replace")
    try:
        data: Any = json.loads(text) if text else None
    except ValueError:
        data = None
    request = kmock.Request(
        method=kmock.method(raw.method), url=raw.url, params=dict(raw.query), headers=dict(raw.headers)
    )
    return attrs.evolve(request, body=body, text=text, data=data)


def _in_table(call: Call, said: Json) -> Json:
    if said["type"] in ("ERROR", "BOOKMARK"):
        return said
    return said | {"object": tables.table(call.resource, [said["object"]], {})}


def _answered(answer: writing.Answer) -> aiohttp.web.Response:
    response = _json(answer.body, answer.status)
    for warning in answer.warnings:
        escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{escaped}"')
    return response


def _json(body: Json, status: int = 200) -> aiohttp.web.Response:
    return aiohttp.web.json_response(body, status=status)
