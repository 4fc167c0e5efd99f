"""Plays the storage driver of a cluster without one: ``python -m engine.sandbox.volumes KUBECONFIG``.

Makes the volume of a claim when the cluster asks for it (for one that binds late: when the scheduler has chosen a
node), and deletes it after its claim. It holds nothing: what it does follows from what lies in the cluster, so it may
be ended and started at any moment, and whatever fails is tried again. Nothing is attached: simulated nodes don't ask.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.kubernetes import volumes
from engine.sandbox import following, kubeconfig
from engine.sandbox.api import Api, Refused
from engine.sandbox.following import CONFLICT, NOT_FOUND, Json

CLAIMS, VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"
_CLASSES, _NODES = "/apis/storage.k8s.io/v1/storageclasses", "/api/v1/nodes"


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
            self._api.request("POST", VOLUMES, self.made(claim, class_, node))
        except Refused as refused:
            if refused.status != CONFLICT:  # made by an attempt before this one
                raise

    def volume(self, volume: Json) -> None:
        """Delete a volume whose claim is gone."""
        if volumes.is_to_be_deleted(volume):
            about = volume["metadata"]
            condition = {"uid": about["uid"], "resourceVersion": about["resourceVersion"]}
            self._api.request("DELETE", f"{VOLUMES}/{about['name']}", {"preconditions": condition})

    def made(self, claim: Json, class_: Json | None, node: Json | None) -> Json:
        """The volume for a claim."""
        return volumes.volume_of(claim, class_, node)

    def _get(self, kind: str, name: str) -> Json | None:
        try:
            return self._api.request("GET", f"{kind}/{name}") if name else None
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    def _choose_again(self, claim: Json) -> None:
        """The node that was chosen is gone: let the scheduler choose another."""
        about = claim["metadata"]
        change = {"resourceVersion": about["resourceVersion"], "annotations": {volumes.SELECTED_NODE: None}}
        path = f"/api/v1/namespaces/{about['namespace']}/persistentvolumeclaims/{about['name']}"
        self._api.request("PATCH", path, {"metadata": change})


def main() -> None:
    config = Path(sys.argv[1])
    api = Api(kubeconfig.server(config), kubeconfig.read(config))
    driver = Driver(api)
    following.run(api, {CLAIMS: driver.claim, VOLUMES: driver.volume})


if __name__ == "__main__":
    main()
