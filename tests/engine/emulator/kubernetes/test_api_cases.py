"""The embedded API answers as a real API server does: the cases of ``tests/cases/kubernetes_api``, on both."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.emulator.kubernetes.server import KubernetesServer
from engine.sandbox import kubeconfig
from engine.sandbox.native import cache_of, control_plane, find
from tests.engine.emulator.kubernetes.api_cases import Case, cases, run
from tests.engine.emulator.kubernetes.http import Http

CHECKOUT = Path(__file__).parents[4]
NOT_BUILT = "the native control plane is not built; `bedplate sandbox build` builds it"


def _namespace() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    binaries = find(cache_of(CHECKOUT))
    if binaries is None:
        pytest.skip(NOT_BUILT)
    with control_plane(tmp_path_factory.mktemp("native") / "plane", binaries) as plane:
        yield Http(plane.server, kubeconfig.read(plane.kubeconfig).tls())


@pytest.mark.parametrize("name", cases())
def test_the_embedded_api_answers_as_the_real_one_did(server: KubernetesServer, http: Http, name: str) -> None:
    case = Case(name)
    _compare(case, run(http, case, _namespace()))
    if "crd" in case.content:
        crd = case.content["crd"]["metadata"]["name"]
        http.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}")


@pytest.mark.slow
@pytest.mark.parametrize("name", cases())
def test_the_real_api_server_still_answers_so(native: Http, name: str) -> None:
    case = Case(name)
    seen = run(native, case, _namespace())
    if os.environ.get("ACCEPT") == "1":
        case.accept(seen)
    _compare(case, seen)


def _compare(case: Case, seen: list[Any]) -> None:
    answers = case.answers()
    assert len(answers) == len(seen) == len(case.steps)
    for number, (wanted, got) in enumerate(zip(answers, seen, strict=True)):
        assert _in_order(got) == _in_order(wanted), f"{case.name}, step {number}: {json.dumps(case.steps[number])}"


def _in_order(answer: Any) -> Any:
    """An answer with the errors of its message sorted: a real server walks Go's maps, whose order is random."""
    head, several, errors = answer.get("message", "").partition("errors:\n")
    return answer | {"message": [head, *sorted(errors.split("\n"))]} if several else answer
