"""The pure parts of releases: arguments, differences, values, definitions of charts, the kubeconfig for helm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.kubernetes import api
from engine.providers.base import DiffKind
from engine.providers.kubernetes import helm, kubeconfig
from engine.providers.kubernetes.helm.commands import pull
from engine.providers.kubernetes.helm.definitions import definitions_of, stand_ins
from engine.providers.kubernetes.helm.release import Release, release_of
from engine.providers.kubernetes.helm.values import BadValues, read_values
from engine.providers.kubernetes.helm.workspace import kubeconfig_text
from engine.providers.kubernetes.kubeconfig import Credentials, Target
from engine.providers.kubernetes.schema import validate
from engine.values import UNKNOWN, Asset, transform

CASES = Path(__file__).parents[2] / "cases" / "kubernetes" / "helm" / "arguments.yaml"
PLATFORM = (
    "karpenter", "kueue", "keda", "kserve-crd", "kuberay-operator", "cert-manager", "external-secrets",
    "aws-load-balancer-controller", "kubeflow-trainer", "gpu-operator", "kube-prometheus-stack",
)  # fmt: skip


def _with_unknown(value: Any) -> Any:
    return transform(value, lambda leaf: UNKNOWN if leaf == "${unknown}" else leaf)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in yaml.safe_load(CASES.read_text())])
def test_arguments(case: dict[str, Any]) -> None:
    checked = helm.check(case.get("olds"), _with_unknown(case["inputs"]), "karpenter-0123abcd", "tools")
    expected: dict[str, str] = case.get("failures", {})
    assert {failure.property for failure in checked.failures} == expected.keys()
    for failure in checked.failures:
        assert expected[failure.property] in failure.reason
    for key, value in _with_unknown(case.get("expect", {})).items():
        assert checked.inputs.get(key) == value


def test_another_name_or_namespace_is_another_release() -> None:
    old = {"chart": "a", "name": "a", "namespace": "x", "values": {"b": 1, "c": {"d": 1}}}
    diff = helm.diff(old, {**old, "namespace": "y", "values": {"b": 1, "c": {"d": UNKNOWN}}})
    assert dict(diff.detailed) == {"namespace": DiffKind.UPDATE_REPLACE, "values.c.d": DiffKind.UPDATE}
    assert diff.replaces == ("namespace",)
    assert not helm.diff(old, {**old, "resourceNames": {}, "devel": None}).changes


def test_a_file_that_is_no_yaml_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("a: 1\npassword: [swordfish")
    with pytest.raises(BadValues, match=r"^values\.yaml is not YAML, line 2$"):
        read_values(Asset(path="values.yaml", folder=str(tmp_path)))
    with pytest.raises(BadValues, match="can't be read: No such file"):
        read_values(Asset(path="gone.yaml", folder=str(tmp_path)))
    with pytest.raises(BadValues, match="expected an object of values in the asset, got list"):
        read_values(Asset(text="[a]"))
    assert read_values(Asset(text="# nothing")) == {}


@pytest.mark.parametrize(
    ("chart", "name"),
    [
        ("karpenter", "karpenter"),
        ("oci://public.ecr.aws/karpenter/karpenter", "karpenter"),
        ("kedacore/keda", "keda"),
        ("./charts/kube-prometheus-stack-70.0.1.tgz", "kube-prometheus-stack"),
        ("charts/own/", "own"),
    ],
)
def test_the_name_of_a_chart(chart: str, name: str) -> None:
    assert _release(chart).chart_name == name


@pytest.mark.parametrize("chart", PLATFORM)
def test_stand_ins_are_definitions_that_a_cluster_takes(chart: str) -> None:
    assert definitions_of(chart)
    for manifest in stand_ins(_release(chart)):
        assert validate("1.35", manifest) == []
        versions = manifest["spec"]["versions"]
        assert [version["storage"] for version in versions].count(True) == 1
        names = manifest["spec"]["names"]
        assert manifest["metadata"]["name"] == f"{names['plural']}.{manifest['spec']['group']}"
        assert helm.scope_of(manifest["spec"]["group"], names["kind"]) == (manifest["spec"]["scope"] == "Namespaced")


def test_scopes_are_known_without_a_cluster() -> None:
    assert helm.scope_of("karpenter.sh", "NodePool") is False
    assert helm.scope_of("kueue.x-k8s.io", "LocalQueue") is True
    assert helm.scope_of("example.com", "NodePool") is None
    assert not any(helm.scope_of(kind.api_version.partition("/")[0], kind.kind) for kind in api().kinds())


def test_credentials_turn_a_repository_into_a_named_one() -> None:
    plain = _release("web", repositoryOpts={"repo": "https://charts.example", "caFile": "ca.pem"}, version="1.0.0")
    expected = ["pull", "web", "--destination", "/d", "--repo", "https://charts.example", "--ca-file", "ca.pem"]
    assert pull(plain, "/d") == [*expected, "--version", "1.0.0"]
    known = _release("web", repositoryOpts={"repo": "https://charts.example", "username": "me", "password": "x"})
    assert pull(known, "/d") == ["pull", "release/web", "--destination", "/d"]


@pytest.mark.parametrize(
    "target",
    [
        Target("http://127.0.0.1:8001"),
        Target("https://127.0.0.1:6443", b"CA", server_name="kubernetes", credentials=Credentials(b"CERT", b"KEY")),
        Target("https://127.0.0.1:6443", insecure=True, namespace="tools", credentials=Credentials(token="t")),
        Target("https://127.0.0.1:6443", credentials=Credentials(username="me", password="p")),
    ],
)
def test_the_kubeconfig_for_helm_means_the_same_cluster(target: Target) -> None:
    assert kubeconfig.target(kubeconfig.load(kubeconfig_text(target))) == target


def _release(chart: str, **inputs: Any) -> Release:
    return release_of({"name": "it", "namespace": "default", "chart": chart, **inputs}, 0)
