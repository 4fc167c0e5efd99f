"""A cluster of one test: a small API server over HTTP that applies server-side, and can be made to fail.

It is strict: an unknown path, method, query parameter or content type fails the request. Lists are replaced as a whole;
what real servers do with them is theirs to show.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from engine.kubernetes import api

Json = dict[str, Any]
PATH = re.compile(
    r"(?P<base>/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/.))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?"
)
QUERY = {
    "GET": {"fieldSelector", "labelSelector", "resourceVersion", "watch", "timeoutSeconds", "limit"},
    "PATCH": {"fieldManager", "force", "fieldValidation"},
    "DELETE": set[str](),
}


class Refused(Exception):
    """The request is answered with a Status."""

    def __init__(self, code: int, reason: str, message: str, causes: list[Json] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.document = {
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": message, "details": {"causes": causes or []},
        }  # fmt: skip


@dataclass
class Stored:
    """An object: what managers have applied, and what the server adds."""

    plural: str
    live: Json
    applied: dict[str, Json] = field(default_factory=dict[str, Json])


@dataclass
class Cluster:
    """``fault`` sees each request first: it may raise Refused, or say "drop" (no answer) or "lose" (done, no answer).

    ``react`` is called with each object that has been applied, and changes it as a controller would.
    """

    url: str = ""
    objects: dict[tuple[str, str, str], Stored] = field(default_factory=dict[tuple[str, str, str], Stored])
    kinds: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict[tuple[str, str], tuple[str, bool]])
    requests: list[str] = field(default_factory=list[str])
    fault: Callable[[str, str], str | None] = lambda _method, _path: None
    done: Callable[[str, str], None] = lambda _method, _path: None  # called before the answer of a change is sent
    react: Callable[[Json], None] = lambda live: controllers(live)
    warnings: list[str] = field(default_factory=list[str])
    publishes_openapi: bool = True
    version: int = 1
    lock: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.kinds.update({(kind.api_version, kind.kind): (kind.plural, kind.namespaced) for kind in api().kinds()})
        for name in ("default", "kube-system"):
            self.put("v1", "Namespace", name)

    def put(
        self, api_version: str, kind: str, name: str, namespace: str = "", manager: str = "kubectl", **members: Any
    ) -> Json:
        """An object that somebody else has made."""
        live = {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
            **members,
        }
        with self.lock:
            return self._store(self.kinds[api_version, kind][0], namespace, name, deepcopy(live), manager).live

    def get(self, plural: str, name: str, namespace: str = "") -> Json | None:
        stored = self.objects.get((plural, namespace, name))
        return None if stored is None else stored.live

    def change(self, plural: str, name: str, namespace: str = "", **members: Any) -> None:
        """Change an object as a controller does, and tell those who watch."""
        with self.lock:
            stored = self.objects[plural, namespace, name]
            stored.live.update(members)
            self._touch(stored.live)

    def remove(self, plural: str, name: str, namespace: str = "") -> None:
        with self.lock:
            del self.objects[plural, namespace, name]
            self.version += 1
            self.lock.notify_all()

    def define(self, api_version: str, kind: str, plural: str, *, namespaced: bool = True) -> None:
        """Serve a custom kind."""
        self.kinds[api_version, kind] = (plural, namespaced)

    def answer(
        self, method: str, path: str, query: Mapping[str, str], body: Any, content_type: str
    ) -> tuple[int, Json]:
        unknown = set(query) - QUERY.get(method, set())
        if unknown:
            raise Refused(400, "BadRequest", f"unknown parameters {sorted(unknown)}")
        if method == "GET" and path == "/openapi/v3" and self.publishes_openapi:
            return 200, {"paths": {}}
        if method == "GET" and re.fullmatch(r"/api/v1|/apis/[^/]+(/[^/]+)?", path):
            return 200, self._discovery(path)
        match = PATH.fullmatch(path)
        if match is None or not self._serves(match["base"], match["plural"]):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        plural, namespace, name = match["plural"], unquote(match["namespace"] or ""), unquote(match["name"] or "")
        with self.lock:
            if method == "GET" and not name:
                return 200, {"kind": "List", "items": self._listed(plural, namespace, query.get("labelSelector", ""))}
            if method == "GET":
                return 200, self._existing(plural, namespace, name).live
            if method == "DELETE":
                return 200, self._delete(plural, namespace, name, body)
            if method == "PATCH" and content_type == "application/apply-patch+yaml":
                return self._apply(plural, namespace, name, query, body)
            if method == "PATCH" and content_type == "application/json-patch+json":
                return 200, self._json_patch(plural, namespace, name, body)
        raise Refused(405, "MethodNotAllowed", f"{method} {content_type}")

    def _listed(self, plural: str, namespace: str, selector: str) -> list[Json]:
        """Objects whose labels are those of a selector of the form ``a=b,c=d``."""
        wanted = dict(pair.split("=", 1) for pair in selector.split(",") if pair)
        return [
            stored.live
            for (found, place, _), stored in self.objects.items()
            if found == plural and namespace in ("", place)
            and wanted.items() <= (stored.live["metadata"].get("labels") or {}).items()
        ]  # fmt: skip

    def _serves(self, base: str, plural: str) -> bool:
        version = base.removeprefix("/apis/").removeprefix("/api/")
        return any(found == version and kind[0] == plural for (found, _), kind in self.kinds.items())

    def _discovery(self, path: str) -> Json:
        version = path.removeprefix("/apis/").removeprefix("/api/")
        if "/" not in version and path.startswith("/apis/"):
            found = sorted({key.split("/")[1] for key, _ in self.kinds if key.startswith(f"{version}/")})
            if not found:
                raise Refused(404, "NotFound", "the server could not find the requested resource")
            return {"kind": "APIGroup", "versions": [{"version": each} for each in found]}
        resources = [
            {"kind": kind, "name": plural, "namespaced": namespaced}
            for (found, kind), (plural, namespaced) in self.kinds.items() if found == version
        ]  # fmt: skip
        if not resources:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        return {"kind": "APIResourceList", "resources": resources}

    def _existing(self, plural: str, namespace: str, name: str) -> Stored:
        stored = self.objects.get((plural, namespace, name))
        if stored is None:
            raise Refused(404, "NotFound", f'{plural} "{name}" not found')
        return stored

    def _store(self, plural: str, namespace: str, name: str, live: Json, manager: str) -> Stored:
        metadata = live["metadata"]
        metadata.update(uid=f"uid-{self.version}", creationTimestamp="2026-11-25T00:00:00Z", generation=1)
        metadata["managedFields"] = [{"manager": manager, "operation": "Update", "fieldsV1": _tree(_leaves(live))}]
        stored = self.objects[plural, namespace, name] = Stored(plural, live)
        self._touch(live)
        return stored

    def _touch(self, live: Json) -> None:
        self.version += 1
        live["metadata"]["resourceVersion"] = str(self.version)
        self.lock.notify_all()

    def _apply(self, plural: str, namespace: str, name: str, query: Mapping[str, str], body: Json) -> tuple[int, Json]:
        if body["metadata"].get("name") != name or body["metadata"].get("namespace", "") != namespace:
            raise Refused(400, "BadRequest", "name or namespace of the object is not that of the request")
        self._refuse_new(plural, namespace, name)
        stored = self.objects.get((plural, namespace, name))
        uid = body["metadata"].pop("uid", None)
        if uid is not None and (stored is None or stored.live["metadata"]["uid"] != uid):
            raise Refused(409, "Conflict", "the object has another uid")
        status = 200 if stored else 201
        if stored is None:
            identity = {key: body["metadata"][key] for key in ("name", "namespace") if key in body["metadata"]}
            born = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": identity}
            stored = self._store(plural, namespace, name, born, "")
            stored.live["metadata"]["managedFields"] = []
        manager, new = query["fieldManager"], _leaves(body)
        conflicts = self._conflicts(stored, manager, new)
        if conflicts and query.get("force") != "true":
            raise Refused(409, "Conflict", f"Apply failed with {len(conflicts)} conflicts", conflicts)
        old = _leaves(stored.applied.get(manager, {}))
        others = {path for other, applied in stored.applied.items() if other != manager for path in _leaves(applied)}
        for path in old.keys() - new.keys() - others:
            _remove(stored.live, path)
        for path, value in new.items():
            _set(stored.live, path, deepcopy(value))
        stored.applied[manager] = deepcopy(body)
        entries = [entry for entry in stored.live["metadata"]["managedFields"] if entry["manager"] != manager]
        taken = set(new) if conflicts else set[tuple[str, ...]]()
        for entry in entries:
            entry["fieldsV1"] = _tree({path: None for path in _paths(entry["fieldsV1"]) if path not in taken})
        if new:  # of who declares no fields, a server keeps no entry
            entries.append({"manager": manager, "operation": "Apply", "fieldsV1": _tree(new)})
        stored.live["metadata"]["managedFields"] = entries
        self.react(stored.live)
        self._touch(stored.live)
        return status, stored.live

    def _conflicts(self, stored: Stored, manager: str, new: Mapping[tuple[str, ...], Any]) -> list[Json]:
        found = [
            (str(entry["manager"]), path)
            for entry in stored.live["metadata"]["managedFields"] if entry["manager"] != manager
            for path in _paths(entry["fieldsV1"]) if path in new and _value(stored.live, path) != new[path]
        ]  # fmt: skip
        return [
            {"reason": "FieldManagerConflict", "field": "." + ".".join(path), "message": f'conflict with "{owner}"'}
            for owner, path in found
        ]

    def _refuse_new(self, plural: str, namespace: str, name: str) -> None:
        if not namespace:
            return
        stored = self.objects.get(("namespaces", "", namespace))
        if stored is None:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        if stored.live["metadata"].get("deletionTimestamp") and (plural, namespace, name) not in self.objects:
            cause = {
                "reason": "NamespaceTerminating",
                "message": "it is being terminated",
                "field": "metadata.namespace",
            }
            raise Refused(403, "Forbidden", f"unable to create new content in namespace {namespace}", [cause])

    def _json_patch(self, plural: str, namespace: str, name: str, body: list[Json]) -> Json:
        stored = self._existing(plural, namespace, name)
        for operation in body:
            path = tuple(operation["path"].strip("/").split("/"))
            if operation["op"] == "test" and _value(stored.live, path) != operation["value"]:
                raise Refused(409, "Conflict", "the object has been modified")
            if operation["op"] == "replace":
                _set(stored.live, path, operation["value"])
        self._touch(stored.live)
        return stored.live

    def _delete(self, plural: str, namespace: str, name: str, body: Json) -> Json:
        stored = self._existing(plural, namespace, name)
        if body["preconditions"]["uid"] != stored.live["metadata"]["uid"]:
            raise Refused(409, "Conflict", "the uid in the precondition is another")
        if stored.live["metadata"].get("finalizers") or stored.live.get("spec", {}).get("finalizers"):
            stored.live["metadata"]["deletionTimestamp"] = "2026-11-25T00:00:01Z"
            self._touch(stored.live)
        else:
            self.remove(plural, name, namespace)
        return stored.live

    def watched(self, plural: str, namespace: str, query: Mapping[str, str]) -> Iterator[Json]:
        """Events of one object after a version, until time is up."""
        name = query["fieldSelector"].removeprefix("metadata.name=")
        deadline = time.monotonic() + float(query["timeoutSeconds"])
        seen = int(query["resourceVersion"])
        while time.monotonic() < deadline:
            with self.lock:
                stored = self.objects.get((plural, namespace, name))
                if stored is None:
                    yield {"type": "DELETED", "object": {"metadata": {"name": name}}}
                    return
                current = int(stored.live["metadata"]["resourceVersion"])
                event = {"type": "MODIFIED", "object": deepcopy(stored.live)} if current > seen else None
                if event is None:
                    self.lock.wait(min(0.1, max(0.0, deadline - time.monotonic())))
            if event is not None:
                seen = current
                yield event


def controllers(live: Json) -> None:
    """What controllers would say of an object once all is well with it."""
    generation = live["metadata"]["generation"]
    if live["kind"] == "Deployment":
        replicas = live["spec"].get("replicas", 1)
        counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), replicas)
        fine = [{"type": type_, "status": "True"} for type_ in ("Progressing", "Available")]
        live["status"] = {"observedGeneration": generation, **counts, "conditions": fine}
    if live["kind"] == "CustomResourceDefinition":
        live["status"] = {"conditions": [{"type": "Established", "status": "True"}]}


def _leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(value, dict) and (value or not path):
        return {leaf: found for key, item in value.items() for leaf, found in _leaves(item, (*path, key)).items()}
    identity = path in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))
    return {} if identity else {path: value}


def _tree(leaves: Mapping[tuple[str, ...], Any]) -> Json:
    tree: Json = {}
    for path in leaves:
        branch = tree
        for part in path:
            branch = branch.setdefault(f"f:{part}", {})
    return tree


def _paths(tree: Json, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not tree:
        return [path] if path else []
    return [leaf for key, branch in tree.items() for leaf in _paths(branch, (*path, key[2:]))]


def _value(live: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        live = live.get(part) if isinstance(live, dict) else None
    return live


def _set(live: Json, path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        live = live.setdefault(part, {})
    live[path[-1]] = value


def _remove(live: Json, path: tuple[str, ...]) -> None:
    for part in path[:-1]:
        live = live.get(part, {})
    live.pop(path[-1], None)


class Handler(BaseHTTPRequestHandler):
    """HTTP around ``Cluster``."""

    protocol_version = "HTTP/1.1"
    cluster: Cluster

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read ``Cluster.requests`` instead."""

    def handle_request(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        if len(content) < length:  # whoever asked was killed in the middle of it: there was no request
            self.close_connection = True
            return
        body = json.loads(content) if length else {}
        self.cluster.requests.append(f"{self.command} {url.path}")
        try:
            verdict = self.cluster.fault(self.command, url.path)
            if verdict == "drop":
                self.close_connection = True
                return
            if query.get("watch") == "true":
                self._watch(url.path, query)
                return
            status, document = self.cluster.answer(
                self.command, url.path, query, body, self.headers.get("Content-Type", "")
            )
            if self.command != "GET":
                self.cluster.done(self.command, url.path)
            if verdict == "lose":
                self.close_connection = True
                return
        except Refused as error:
            status, document = error.code, error.document
        with self.cluster.lock:
            content = json.dumps(document).encode()
        self.send_response(status)
        for warning in self.cluster.warnings if self.command == "PATCH" else ():
            self.send_header("Warning", f'299 - "{warning}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _watch(self, path: str, query: Mapping[str, str]) -> None:
        match = PATH.fullmatch(path)
        assert match is not None, path
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in self.cluster.watched(match["plural"], match["namespace"] or "", query):
            line = json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_PATCH = do_DELETE = do_POST = do_PUT = handle_request  # noqa: N815


class Server(ThreadingHTTPServer):
    """A server that ends with its connections, as a process does."""

    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(("127.0.0.1", 0), type("Bound", (Handler,), {"cluster": cluster}))
        self._open: set[Any] = set()
        self.errors: list[BaseException | None] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what some tests are about; anything else is the fake's own fault."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.errors.append(error)

    def kill(self) -> None:
        """End at once: nobody listens any more, and what is open breaks."""
        self.shutdown()
        self.server_close()
        for request in self._open:
            try:
                request.shutdown(2)
            except OSError:
                continue
            request.close()


@contextmanager
def running(cluster: Cluster) -> Generator[Server]:
    """Serve ``cluster`` on loopback; its ``url`` is set."""
    server = Server(cluster)
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.kill()
        thread.join()
