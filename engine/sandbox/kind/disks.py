"""Volumes: for pods on the real node a directory in it, else one in name only, as in the native sandbox."""

from __future__ import annotations

from engine.kubernetes import volumes
from engine.sandbox.api import Api
from engine.sandbox.following import Json
from engine.sandbox.kind.node import RealNode
from engine.sandbox.kind.nodes import is_simulated
from engine.sandbox.volumes import Driver

_KINDS_OWN = "rancher.io/local-path"  # the driver that kind brings along
_HOSTNAME = "kubernetes.io/hostname"


class Disks(Driver):
    """The storage driver. A volume stays on the side that it was made for: only there is what it holds."""

    def __init__(self, api: Api, real: RealNode) -> None:
        super().__init__(api)
        self._real = real

    def claim(self, claim: Json) -> None:
        if (claim["metadata"].get("annotations") or {}).get(volumes.PROVISIONER) != _KINDS_OWN:
            super().claim(claim)

    def volume(self, volume: Json) -> None:
        about, directory = volume["metadata"], volume["spec"].get("hostPath") or {}
        if (about.get("annotations") or {}).get(volumes.PROVISIONED_BY) == _KINDS_OWN:
            return
        if volumes.is_to_be_deleted(volume) and directory.get("path") == self._real.disk(about["name"]):
            self._real.remove_disk(about["name"])
        super().volume(volume)

    def made(self, claim: Json, class_: Json | None, node: Json | None) -> Json:
        volume = super().made(claim, class_, node)
        spec, name = volume["spec"], volume["metadata"]["name"]
        is_block = claim["spec"].get("volumeMode") == "Block"  # which a directory is not
        if is_block or (node and is_simulated(node)):
            terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or [{}]
            elsewhere = {"key": _HOSTNAME, "operator": "NotIn", "values": [self._real.name]}
            terms = [{"matchExpressions": [*(term.get("matchExpressions") or []), elsewhere]} for term in terms]
        else:
            self._real.make_disk(name)
            del spec["csi"]
            spec["hostPath"] = {"path": self._real.disk(name), "type": "Directory"}
            terms = [{"matchExpressions": [{"key": _HOSTNAME, "operator": "In", "values": [self._real.name]}]}]
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
        return volume
