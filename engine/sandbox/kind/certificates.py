"""The certificate of the real node's kubelet."""

from __future__ import annotations

from engine.sandbox.api import Api
from engine.sandbox.following import Json
from engine.sandbox.kind.node import RealNode

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
_SERVING = "kubernetes.io/kubelet-serving"


class Certificates:
    """Approves what the real node's kubelet asks for; Kubernetes itself has nobody who does.

    Who asks is known from its own certificate. Which names it asks for is not compared with the node's: whoever can
    ask as this kubelet has the whole cluster, of one node, already.
    """

    def __init__(self, api: Api, real: RealNode) -> None:
        self._api, self._real = api, real

    def request(self, request: Json) -> None:
        spec = request["spec"]
        of_kubelet = spec["signerName"] == _SERVING and spec.get("username") == f"system:node:{self._real.name}"
        if not of_kubelet or (request.get("status") or {}).get("conditions"):
            return
        approved = {"type": "Approved", "status": "True", "reason": "AsInEKS", "message": "approved by the sandbox"}
        name = request["metadata"]["name"]
        self._api.request("PUT", f"{REQUESTS}/{name}/approval", {**request, "status": {"conditions": [approved]}})
