"""Cases of the API: what is sent in which order, and what a real API server makes of it.

``NAME.yaml`` holds the steps, written by hand; ``NAME.json`` what a real one answered to each, and never anything else.
With ``ACCEPT=1`` the differential test in ``test_api_cases.py`` writes it, where the native control plane is built.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.emulator.kubernetes.fields import from_v1, shown
from tests.engine.emulator.kubernetes.http import APPLY, JSON, MERGE, Http, Said

CASES = Path(__file__).parents[3] / "cases" / "kubernetes_api"
_PLURALS = {"Endpoints": "endpoints", "NetworkPolicy": "networkpolicies"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLUSTERS = (
    "deletionTimestamp",
    "uid",
    "creationTimestamp",
    "resourceVersion",
    "managedFields",
    "namespace",
    "selfLink",
)
_OF_CONTROLLERS = ("deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation")
_CONTROLLERS = ("kube-controller-manager", "kube-apiserver")  # they are quicker here, and slower there


@dataclass(frozen=True)
class Case:
    name: str

    @property
    def steps(self) -> list[Any]:
        return self.content["steps"]

    @property
    def content(self) -> Any:
        return yaml.safe_load((CASES / f"{self.name}.yaml").read_text())

    @property
    def file(self) -> Path:
        return CASES / f"{self.name}.json"

    def answers(self) -> Any:
        return json.loads(self.file.read_text())

    def accept(self, answers: Any) -> None:
        self.file.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


def cases() -> list[str]:
    return sorted(path.stem for path in CASES.glob("*.yaml"))


def run(http: Http, case: Case, namespace: str) -> list[Any]:
    """Every step's answer, without what differs from run to run."""
    assert http.post("/api/v1/namespaces", {"metadata": {"name": namespace}}).status == 201
    if "crd" in case.content:
        _declare(http, case.content["crd"])
    answers: list[Any] = []
    for step in case.steps:
        time.sleep(1.0 if step.get("wait") and http.tls else 0.0)  # a real quota counts a little later
        answers.append(_answer(_send(http, step, namespace), namespace))
    return answers


def _declare(http: Http, crd: Any) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    http.post(path, crd)
    deadline = time.monotonic() + 20
    served = f"/apis/{crd['spec']['group']}/{crd['spec']['versions'][0]['name']}/{crd['spec']['names']['plural']}"
    while http.get(served).status != 200 and time.monotonic() < deadline:
        time.sleep(0.1)


def _send(http: Http, step: Any, namespace: str) -> Said:
    if "call" in step:
        method, _, path = step["call"].partition(" ")
        return http.send(method, path.replace("NAMESPACE", namespace), step.get("body"), step.get("type", JSON))
    body = step.get("apply") or step.get("create") or step["patch"]
    kind, version = body.get("kind") or step["kind"], body.get("apiVersion", "v1")
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    path = f"{root}/namespaces/{namespace}/{_PLURALS.get(kind, kind.lower() + 's')}"
    name = (body.get("metadata") or {}).get("name", "x")
    if "create" in step:
        return http.post(f"{path}?fieldManager={step['by']}", body)
    query = f"?fieldManager={step['by']}" if step["by"] else "?"
    query += "&force=true" if step.get("force") else ""
    below = f"/{step['subresource']}" if step.get("subresource") else ""
    return http.patch(f"{path}/{name}{below}{query}", body, APPLY if "apply" in step else MERGE)


def _field(cause: Any) -> str:
    return cause["field"]


def _answer(said: Said, namespace: str) -> Any:
    if not isinstance(said.body, dict):
        return {"status": said.status, "text": said.body}
    if said.status >= 400:
        body = {key: said.body.get(key) for key in ("reason", "message", "code")}
        causes = (said.body.get("details") or {}).get("causes") or []
        by_chance = said.body.get("reason") == "Conflict"  # the real one takes the managers in any order
        body["causes"] = sorted(causes, key=_field) if by_chance else causes
        return json.loads(_UUID.sub("UID", json.dumps(body).replace(namespace, "NAMESPACE")))
    if said.body.get("kind") in ("Status", "Table") or "items" in said.body or "metadata" not in said.body:
        listed = [each["metadata"]["name"] for each in said.body.get("items") or []]
        return {"status": said.status, "kind": said.body.get("kind"), "items": listed}
    about = said.body["metadata"]
    owners = {
        f"{entry['manager']} {entry['operation']} {entry.get('subresource', '')}".strip(): sorted(
            shown(path) for path in from_v1(entry["fieldsV1"])
        )
        for entry in about.get("managedFields") or []
        if entry["manager"] not in _CONTROLLERS
    }
    body = {key: value for key, value in said.body.items() if key != "status"}
    kept = {key: value for key, value in about.items() if key not in _CLUSTERS}
    annotations = {key: value for key, value in kept.pop("annotations", {}).items() if key not in _OF_CONTROLLERS}
    kept |= {"annotations": annotations} if annotations else {}
    answer = {"status": said.status, "object": body | {"metadata": kept}, "owners": owners}
    return answer | ({"warnings": said.warnings} if said.warnings else {})
