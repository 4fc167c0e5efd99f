"""Plays the storage driver of a cluster without one: ``python -m engine.sandbox.native.volumes KUBECONFIG``.

Makes the volume of a claim when the cluster asks for it (for one that binds late: when the scheduler has chosen a
node), and deletes it after its claim. It holds nothing: what it does follows from what lies in the cluster, so it may
be ended and started at any moment, and whatever fails is tried again. Nothing is attached: simulated nodes don't ask.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.kubernetes import volumes
from engine.sandbox import kubeconfig
from engine.sandbox.api import Api, Refused, Unanswered

_CLAIMS, _VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"
_CLASSES, _NODES = "/apis/storage.k8s.io/v1/storageclasses", "/api/v1/nodes"
_WATCH_SECONDS = 300
_DELAYS = (0.2, 1.0, 5.0)  # seconds before the next attempt; the last one for all that follow
_CONFLICT, _NOT_FOUND, _FIRST_OF_SERVER = 409, 404, 500

Json = dict[str, Any]


class Driver:
    """What the driver does about one object of each kind. Everything may be done twice."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def claim(self, claim: Json) -> None:
        """Make the volume of a claim that waits for one."""
        if not volumes.wants_volume(claim):
            return
        class_ = self._get(_CLASSES, claim["spec"].get("storageClassName", ""))
        selected = (claim["metadata"].get("annotations") or {}).get(volumes.SELECTED_NODE, "")
        if class_ and volumes.binds_late(class_) and not selected:
            return
        node = self._get(_NODES, selected)
        if selected and node is None:
            self._choose_again(claim)
            return
        try:
            self._api.request("POST", _VOLUMES, volumes.volume_of(claim, class_, node))
        except Refused as refused:
            if refused.status != _CONFLICT:  # made by an attempt before this one
                raise

    def volume(self, volume: Json) -> None:
        """Delete a volume whose claim is gone."""
        if volumes.is_to_be_deleted(volume):
            about = volume["metadata"]
            condition = {"uid": about["uid"], "resourceVersion": about["resourceVersion"]}
            self._api.request("DELETE", f"{_VOLUMES}/{about['name']}", {"preconditions": condition})

    def _get(self, kind: str, name: str) -> Json | None:
        try:
            return self._api.request("GET", f"{kind}/{name}") if name else None
        except Refused as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise

    def _choose_again(self, claim: Json) -> None:
        """The node that was chosen is gone: let the scheduler choose another."""
        about = claim["metadata"]
        change = {"resourceVersion": about["resourceVersion"], "annotations": {volumes.SELECTED_NODE: None}}
        path = f"/api/v1/namespaces/{about['namespace']}/persistentvolumeclaims/{about['name']}"
        self._api.request("PATCH", path, {"metadata": change})


def follow(api: Api, path: str, act: Callable[[Json], None]) -> None:
    """``act`` on every object at ``path``, and on each that changes, for as long as this process lives."""
    failures = 0
    while True:
        try:
            found = api.request("GET", path)
            for one in found.get("items") or ():
                _attempt(act, one)
            failures = 0
            _watch(api, path, found["metadata"]["resourceVersion"], act)
        except (Refused, Unanswered) as error:
            _say(f"{path}: {error}")
            time.sleep(_DELAYS[min(failures, len(_DELAYS) - 1)])
            failures += 1


def _watch(api: Api, path: str, version: str, act: Callable[[Json], None]) -> None:
    """Until the server ends the watch, which it does from time to time, or no longer knows ``version``."""
    query = f"watch=1&allowWatchBookmarks=true&timeoutSeconds={_WATCH_SECONDS}&resourceVersion={version}"
    for event in api.events(f"{path}?{query}", timeout=_WATCH_SECONDS + 10):
        if event["type"] == "ERROR":
            return
        if event["type"] in ("ADDED", "MODIFIED"):
            _attempt(act, event["object"])


def _attempt(act: Callable[[Json], None], one: Json) -> None:
    """What the server will never take is said and left alone; what may pass is raised, and tried again."""
    try:
        act(one)
    except Refused as refused:
        if refused.status >= _FIRST_OF_SERVER:
            raise
        if refused.status not in (_CONFLICT, _NOT_FOUND):  # it has changed meanwhile: another event tells how
            _say(f"{one['metadata']['name']}: {refused}")


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main() -> None:
    """Until the first of the threads fails in a way that nobody foresaw: whoever asks how the sandbox is, is told."""
    config = Path(sys.argv[1])
    api = Api(kubeconfig.server(config), kubeconfig.read(config))
    driver, failed = Driver(api), queue.SimpleQueue[Exception]()
    for path, act in ((_CLAIMS, driver.claim), (_VOLUMES, driver.volume)):
        threading.Thread(target=_follow, args=(api, path, act, failed), name=path, daemon=True).start()
    raise failed.get()


def _follow(api: Api, path: str, act: Callable[[Json], None], failed: queue.SimpleQueue[Exception]) -> None:
    try:
        follow(api, path, act)
    except Exception as error:  # noqa: BLE001  # raised by the main thread
        failed.put(error)


if __name__ == "__main__":
    main()
