"""Check and diff, by the cases in ``tests/cases/kubernetes/provider``; and what a preview says without a cluster."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine import paths
from engine.providers.base import DiffKind
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.values import UNKNOWN, Secret, Value, reveal
from tests.engine.kubernetes.conftest import kubeconfig
from tests.special_values import Loader

CASES = Path(__file__).parents[2] / "cases" / "kubernetes" / "provider"


def listed(name: str) -> list[dict[str, Any]]:
    return yaml.load((CASES / name).read_text(encoding="utf-8"), Loader)


def urn(case: dict[str, Any]) -> str:
    return f"urn:pulumi:dev::tests::{case['type']}::{case.get('resource', 'thing')}"


def at(value: Value, path: str) -> Value:
    for part in paths.parse(path):
        value = value[part]
    return value


def configured(case: dict[str, Any]) -> KubernetesProvider:
    provider = KubernetesProvider()
    provider.configure(case.get("provider", {}))
    return provider


@pytest.mark.parametrize("case", listed("checks.yaml"), ids=lambda case: case["name"])
def test_check(case: dict[str, Any]) -> None:
    checked = configured(case).check(urn(case), case["type"], case.get("olds"), case["inputs"], seed="seed")
    reasons = {failure.property: failure.reason for failure in checked.failures}
    assert reasons.keys() == case.get("failures", {}).keys(), reasons
    for path, part in case.get("failures", {}).items():
        assert part in reasons[path]
    for path, value in case.get("expect", {}).items():
        assert at(checked.inputs, path) == value
    for path, pattern in case.get("matches", {}).items():
        assert re.fullmatch(pattern, at(checked.inputs, path))


@pytest.mark.parametrize("case", listed("diffs.yaml"), ids=lambda case: case["name"])
def test_diff(case: dict[str, Any]) -> None:
    kind = {"kind": case["type"].rsplit(":", 1)[-1].removesuffix("Patch"), "apiVersion": _api_version(case["type"])}
    old, new = {**kind, **case["old"]}, {**kind, **case["new"]}
    diff = configured(case).diff(urn(case), case["type"], "id", old, case.get("outputs", {}), new)
    assert diff.detailed == {path: DiffKind(kind) for path, kind in case["detailed"].items()}
    assert diff.changes == bool(case["detailed"])
    assert list(diff.replaces) == case.get("replaces", [])
    assert diff.delete_before_replace == case.get("delete_before_replace", False)


def _api_version(type_: str) -> str:
    return type_.split(":")[1].removeprefix("core/")


def test_another_seed_makes_another_name() -> None:
    """A replacement of what has an automatic name stands beside it until it goes."""
    type_ = "kubernetes:core/v1:ConfigMap"
    names = {
        KubernetesProvider()
        .check(f"urn:pulumi:dev::p::{type_}::a", type_, None, {}, seed=seed)
        .inputs["metadata"]["name"]
        for seed in ("a", "b", "a")
    }
    assert len(names) == 2


def test_what_a_secret_holds_is_secret_though_nobody_said_so() -> None:
    type_ = "kubernetes:core/v1:Secret"
    name = f"urn:pulumi:dev::p::{type_}::a"
    checked = KubernetesProvider().check(name, type_, None, {"stringData": {"a": "b"}}, seed="s")
    assert checked.inputs["stringData"] == Secret({"a": "b"})


def test_a_kind_that_the_program_declares_itself_is_checked_by_its_declaration() -> None:
    provider = KubernetesProvider()
    crd = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    inputs = {
        "metadata": {"name": "pools.example.org"},
        "spec": {
            "group": "example.org", "scope": "Cluster", "names": {"kind": "Pool", "plural": "pools"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }  # fmt: skip
    assert not provider.check(f"urn:pulumi:dev::p::{crd}::pools", crd, None, inputs, seed="s").failures
    pool = "kubernetes:example.org/v1:Pool"
    news = {"metadata": {"name": "a"}, "spec": {"size": "big"}}
    (failure,) = provider.check(f"urn:pulumi:dev::p::{pool}::a", pool, None, news, seed="s").failures
    assert failure.property == "spec.size"


def test_the_preview_of_a_create_leaves_open_what_only_the_server_knows() -> None:
    type_ = "kubernetes:core/v1:Service"
    inputs = {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}
    created = KubernetesProvider().create(
        f"urn:pulumi:dev::p::{type_}::a", type_, inputs, timeout=0, preview=True, token="t"
    )
    assert created.id == ""
    assert created.outputs["metadata"]["uid"] is UNKNOWN
    assert created.outputs["metadata"]["namespace"] == "default"
    assert created.outputs["spec"]["clusterIP"] is UNKNOWN
    assert created.outputs["spec"]["ports"] == [{"port": 80}]
    assert created.outputs["status"] is UNKNOWN


def test_the_preview_of_a_service_leaves_its_node_ports_open_until_they_are_known() -> None:
    type_ = "kubernetes:core/v1:Service"
    provider, urn = KubernetesProvider(), f"urn:pulumi:dev::p::{type_}::a"
    spec: dict[str, Any] = {"type": "NodePort", "ports": [{"port": 80}, {"port": 90, "nodePort": 30090}]}
    inputs: dict[str, Any] = {"metadata": {"name": "a"}, "spec": spec}
    created = provider.create(urn, type_, inputs, timeout=0, preview=True, token="t")
    assert [port["nodePort"] for port in created.outputs["spec"]["ports"]] == [UNKNOWN, 30090]
    live = {**inputs, "spec": {**spec, "ports": [{"port": 80, "nodePort": 30080}, {"port": 90, "nodePort": 30090}]}}
    news = {**inputs, "spec": {**spec, "selector": {"app": "web"}}}
    updated = provider.update(urn, type_, "default/a", inputs, live, news, timeout=0, preview=True)
    assert updated["spec"]["ports"] == live["spec"]["ports"]


def test_the_preview_of_a_secret_has_its_texts_among_its_data() -> None:
    type_ = "kubernetes:core/v1:Secret"
    provider, urn = KubernetesProvider(), f"urn:pulumi:dev::p::{type_}::a"
    inputs: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"user": "YQ=="}}
    inputs["stringData"] = {"password": "b", "token": UNKNOWN}
    expected = Secret({"user": "YQ==", "password": "Yg==", "token": UNKNOWN})
    outputs = provider.create(urn, type_, inputs, timeout=0, preview=True, token="t").outputs
    assert outputs["data"] == expected
    assert "stringData" not in outputs
    live = {**inputs, "data": {"user": "YQ==", "password": "Yg=="}, "stringData": None}
    updated = provider.update(urn, type_, "default/a", inputs, live, inputs, timeout=0, preview=True)
    assert updated["data"] == expected


def test_the_preview_of_an_update_keeps_what_the_server_had_filled_in() -> None:
    type_ = "kubernetes:core/v1:Service"
    old = {"metadata": {"name": "a", "labels": {"a": "1"}}, "spec": {"ports": [{"port": 80}]}}
    live = {
        "metadata": {"name": "a", "uid": "u", "labels": {"a": "1"}},
        "spec": {"ports": [{"port": 80}], "clusterIP": "10"},
        "__fieldManager": "m",
    }  # fmt: skip
    new = {"metadata": {"name": "a"}, "spec": {"ports": [{"port": UNKNOWN}]}}
    outputs = KubernetesProvider().update(
        f"urn:pulumi:dev::p::{type_}::a", type_, "default/a", old, live, new, timeout=0, preview=True
    )
    assert outputs == {
        "metadata": {"name": "a", "uid": "u"}, "spec": {"ports": [{"port": UNKNOWN}], "clusterIP": "10"},
    }  # fmt: skip


def test_a_preview_imports_nothing_that_speaks_http() -> None:
    code = (
        "import sys; from engine.providers.kubernetes.provider import KubernetesProvider as P; p = P();"
        "p.configure({}); t = 'kubernetes:core/v1:ConfigMap'; u = 'urn:pulumi:dev::p::' + t + '::a';"
        "i = p.check(u, t, None, {}, seed='s').inputs; p.create(u, t, i, timeout=0, preview=True, token='t');"
        "p.diff(u, t, 'a', i, i, i);"
        "print([m for m in ('urllib3', 'ssl', 'kubernetes', 'botocore') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"kubeconfig": kubeconfig("https://nowhere.invalid")},
        {"kubeconfig": "/nowhere/config"},
        {"kubeconfig": UNKNOWN},
    ],
    ids=str,
)
def test_a_preview_needs_no_cluster(config: dict[str, Any]) -> None:
    provider = KubernetesProvider()
    assert not provider.check_config(config).failures
    provider.configure(config)
    type_ = "kubernetes:karpenter.sh/v1:NodePool"
    name = f"urn:pulumi:dev::p::{type_}::a"
    inputs = reveal(provider.check(name, type_, None, {"spec": {"a": 1}}, seed="s").inputs)
    outputs = provider.create(name, type_, inputs, timeout=0, preview=True, token="t").outputs
    assert outputs["spec"] == {"a": 1}
