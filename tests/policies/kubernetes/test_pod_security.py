"""The rules say of pods what the real API server says, which enforces Kubernetes' Pod Security Standards."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.sandbox.kubeconfig import Credentials
from engine.sandbox.native import ControlPlane, cache_of, control_plane, required
from policies.security import SECURITY
from tests.conftest import REPOSITORY
from tests.policies.kubernetes.judged import broken, resource
from tests.policies.kubernetes.pod_variants import Pod, allowed, variants

SEED, COMBINED = 20260701, 120
LEVELS = ("baseline", "restricted")
# What the API server of VERSION said of each variant: of which standard the namespace enforces, one letter a pod.
RECORDED = REPOSITORY / "tests/cases/policies/pod_security.json"
VERSION = "1.35"
ALLOWED, REFUSED, INVALID = "a", "r", "-"
# What only the restricted standard asks for, and what both do.
RESTRICTED = [rule for rule in SECURITY.rules.values() if any(one.startswith("PSS-") for one in rule.frameworks)]
BASELINE = [rule for rule in RESTRICTED if any(one.startswith("PSS-B:") for one in rule.frameworks)]


def first_broken(pod: Pod, level: str) -> str | None:
    """The first rule that refuses the pod; None where the standard allows it."""
    rules = BASELINE if level == "baseline" else RESTRICTED
    return next(broken(rules, resource("kubernetes:core/v1:Pod", pod), level=level, version=VERSION), None)


def test_both_standards_have_their_rules() -> None:
    """Each check of k8s.io/pod-security-admission v0.37 has a rule."""
    named = {one for rule in RESTRICTED for one in rule.frameworks if one.startswith("PSS-")}
    assert named == {
        "PSS-B:appArmorProfile", "PSS-B:capabilities_baseline", "PSS-B:hostNamespaces", "PSS-B:hostPathVolumes",
        "PSS-B:hostPorts", "PSS-B:hostProbesAndHostLifecycle", "PSS-B:privileged", "PSS-B:procMount",
        "PSS-B:seLinuxOptions", "PSS-B:seccompProfile_baseline", "PSS-B:sysctls", "PSS-B:windowsHostProcess",
        "PSS-R:allowPrivilegeEscalation", "PSS-R:capabilities_restricted", "PSS-R:procMount_restricted",
        "PSS-R:restrictedVolumes", "PSS-R:runAsNonRoot", "PSS-R:runAsUser", "PSS-R:seccompProfile_restricted",
    }  # fmt: skip


def test_the_rules_say_what_the_real_api_server_said() -> None:
    """Of every variant of a pod, at both levels, as it was recorded."""
    recorded = json.loads(RECORDED.read_text())
    pods = [*variants(SEED, COMBINED)]
    differences: list[str] = []
    for level in LEVELS:
        for said, pod in zip(recorded[level], pods, strict=True):
            rule = first_broken(pod, level)
            if said != INVALID and (said == REFUSED) != (rule is not None):
                differences.append(f"{level}: the server {said}, the rules {rule}: {pod}")
        assert min(recorded[level].count(said) for said in (ALLOWED, REFUSED)) > 50
    assert differences == []


@pytest.mark.native
@pytest.mark.slow
def test_what_is_recorded_is_what_the_real_api_server_says(plane: ControlPlane) -> None:
    with contextlib.closing(_connect(plane)) as connection:
        client = Client(connection)
        said = {level: "".join(client.says(level, pod) for pod in variants(SEED, COMBINED)) for level in LEVELS}
    if os.environ.get("ACCEPT"):
        RECORDED.write_text(json.dumps(said, indent=2) + "\n")
    assert said == json.loads(RECORDED.read_text()), "ACCEPT=1 records it anew"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder: Path = tmp_path_factory.mktemp("kubernetes") / "plane"
    with control_plane(folder, required(cache_of(REPOSITORY))) as running:
        yield running


class Client:
    """Asks the API server for pods that are never made, in a namespace for each standard."""

    def __init__(self, connection: http.client.HTTPSConnection) -> None:
        self._connection = connection
        for level in LEVELS:
            labels = {"pod-security.kubernetes.io/enforce": level}
            self._ask("/api/v1/namespaces", {"metadata": {"name": level, "labels": labels}})
            self._await_account(level)

    def says(self, level: str, pod: Pod) -> str:
        """ALLOWED, REFUSED (by the standard), or INVALID: no pod that any cluster takes."""
        status, answer = self._ask(f"/api/v1/namespaces/{level}/pods?dryRun=All", pod)
        if status in (400, 422):
            return INVALID
        refused = status == 403 and f'violates PodSecurity "{level}:latest"' in answer["message"]
        assert refused or status == 201, answer
        return REFUSED if refused else ALLOWED

    def _await_account(self, namespace: str) -> None:
        body = {"metadata": {"name": "default"}}
        status, answer = self._ask(f"/api/v1/namespaces/{namespace}/serviceaccounts", body)
        assert status in (201, 409), answer  # the controller may have been quicker
        deadline = time.monotonic() + 30
        while self._ask(f"/api/v1/namespaces/{namespace}/pods?dryRun=All", allowed())[0] != 201:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _ask(self, path: str, body: Any) -> tuple[int, Any]:
        self._connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())


def _connect(plane: ControlPlane) -> http.client.HTTPSConnection:
    config = yaml.safe_load(plane.kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    pems = (
        cluster["certificate-authority-data"], user["client-certificate-data"], user["client-key-data"],
    )  # fmt: skip
    credentials = Credentials(*(base64.b64decode(pem).decode() for pem in pems))
    host, _, port = plane.server.removeprefix("https://").partition(":")
    return http.client.HTTPSConnection(host, int(port), context=credentials.tls())
