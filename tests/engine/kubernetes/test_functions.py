"""Functions that the SDK invokes, and types that are and are not objects."""

from __future__ import annotations

import pytest

from engine.providers.base import ProviderError
from engine.providers.kubernetes import quantities, tokens
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.providers.kubernetes.tokens import ObjectType
from engine.values import UNKNOWN

YAML = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a, annotations: {since: 2026-01-01}}
---
# nothing but a comment
---
apiVersion: v1
kind: Namespace
metadata: {name: b}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: c, namespace: mine}
"""


def test_yaml_is_taken_apart() -> None:
    invoked = KubernetesProvider().invoke(
        "kubernetes:yaml:decode", {"text": YAML, "defaultNamespace": "team"}, preview=True
    )
    found = invoked.result["result"]
    assert [(item["kind"], item["metadata"].get("namespace")) for item in found] == [
        ("ConfigMap", "team"), ("Namespace", None), ("NodePool", "mine"),
    ]  # fmt: skip
    assert found[0]["metadata"]["annotations"] == {"since": "2026-01-01"}  # a text, as JSON has no times


def test_what_is_no_yaml_is_refused_by_its_place() -> None:
    (failure,) = KubernetesProvider().invoke("kubernetes:yaml:decode", {"text": "a: [1\nb: {"}, preview=True).failures
    assert failure.property == "text"
    assert "line 2" in failure.reason


def test_a_text_that_is_not_known_yet_is_not_taken_apart() -> None:
    assert KubernetesProvider().invoke("kubernetes:yaml:decode", {"text": UNKNOWN}, preview=True).unknown


@pytest.mark.parametrize(
    ("token", "instead"),
    [("kubernetes:helm:template", "helm.v4.Chart"), ("kubernetes:kustomize:directory", "kustomize.v2.Directory")],
)
def test_what_needs_another_program_says_so(token: str, instead: str) -> None:
    provider = KubernetesProvider()
    assert provider.knows_function(token)
    with pytest.raises(
        ProviderError, match=rf"use kubernetes.{instead}, .* and give its output to kubernetes.yaml.ConfigGroup"
    ):
        provider.invoke(token, {}, preview=True)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("kubernetes:core/v1:Pod", ObjectType("", "v1", "Pod")),
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", ObjectType("rbac.authorization.k8s.io", "v1", "Role")),
        ("kubernetes:karpenter.sh/v1:NodePool", ObjectType("karpenter.sh", "v1", "NodePool")),
        ("kubernetes:core/v1:NamespacePatch", ObjectType("", "v1", "Namespace", patch=True)),
        ("kubernetes:helm.sh/v3:Release", None),
        ("kubernetes:yaml/v2:ConfigGroup", None),
        ("kubernetes:yaml:decode", None),
        ("pulumi:providers:kubernetes", None),
    ],
)
def test_types_and_tokens(type_: str, expected: ObjectType | None) -> None:
    found = tokens.parse(type_)
    assert found == expected
    if found is not None:
        assert tokens.token(found) == type_


def test_a_custom_kind_may_be_called_a_patch() -> None:
    assert tokens.meant("kubernetes:example.org/v1:DogPatch", "DogPatch") == ObjectType("example.org", "v1", "DogPatch")
    assert tokens.meant("kubernetes:example.org/v1:DogPatch", "Dog") == ObjectType(
        "example.org", "v1", "Dog", patch=True
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("500m", "0.5", True), ("1Gi", "1024Mi", True), ("1", 1, True), ("1k", "1000", True), ("1e3", "1k", True),
        ("1Gi", "1G", False), ("a", "b", False), (True, 1, False), ("1", "01x", False), (2, 2.0, True),
    ],
)  # fmt: skip
def test_quantities(one: object, other: object, same: bool) -> None:
    assert quantities.same(one, other) is same
