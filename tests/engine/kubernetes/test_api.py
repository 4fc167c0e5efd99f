"""The API data: what is known of every built-in kind, and that each version's file holds together."""

from __future__ import annotations

import json
from typing import Any

import pytest

import components.kubernetes_versions
from engine.emulator.eks import versions as eks
from engine.kubernetes import DEFAULT_VERSION, Schema, Shape, VersionUnknown, api, removed, schema_of_crd, versions
from engine.kubernetes.api import DATA
from engine.kubernetes.build import render

VERSIONS = versions()


def test_the_declared_versions_have_data() -> None:
    assert VERSIONS == ["1.35", "1.36"]
    assert DEFAULT_VERSION in VERSIONS
    assert components.kubernetes_versions.DEFAULT == eks.DEFAULT == DEFAULT_VERSION, "what is declared where is one"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kind_has_a_type_and_every_type_can_be_read(version: str) -> None:
    known = api(version)
    for kind in known.kinds():
        schema = known.schema(kind.api_version, kind.kind)
        assert schema is not None
        assert len(_walk(schema, seen=set())) > 1, kind
        if "list" in kind.verbs and "watch" in kind.verbs:
            of_list = known.schema(kind.api_version, f"{kind.kind}List")
            assert of_list is not None
            assert of_list.field("items") is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_data_file_is_what_its_generator_would_write(version: str) -> None:
    text = (DATA / f"{version}.json").read_text(encoding="utf-8")
    assert render(json.loads(text)) == text


@pytest.mark.parametrize("version", VERSIONS)
def test_lists_that_merge_by_key_have_these_keys_in_their_items(version: str) -> None:
    known = api(version)
    for kind in known.kinds():
        schema = known.schema(kind.api_version, kind.kind)
        assert schema is not None
        for part in _walk(schema, seen=set()):
            if part.shape is Shape.LIST and part.list_type == "map":
                assert part.map_keys
                assert part.item is not None
                assert set(part.map_keys) <= part.item.type().fields.keys()


def test_scope_plural_and_subresources() -> None:
    known = api()
    deployment = known.kind("apps/v1", "Deployment")
    node = known.kind("v1", "Node")
    assert deployment is not None
    assert node is not None
    assert (deployment.plural, deployment.namespaced, list(deployment.short_names)) == ("deployments", True, ["deploy"])
    assert list(deployment.subresources) == ["scale", "status"]
    assert (node.plural, node.namespaced) == ("nodes", False)
    assert known.kind("batch/v1beta1", "CronJob") is None


def test_the_preferred_version_of_a_kind_comes_first() -> None:
    assert api().versions_of("HorizontalPodAutoscaler") == ["autoscaling/v2", "autoscaling/v1"]


def test_how_a_list_merges() -> None:
    service = api().schema("v1", "Service")
    assert service is not None
    ports = service.field("spec.ports")
    assert ports is not None
    assert (ports.list_type, ports.map_keys, ports.merge_key) == ("map", ("port", "protocol"), "port")
    protocol = service.field("spec.ports[].protocol")
    assert protocol is not None
    assert (protocol.default, protocol.enum) == ("TCP", ("SCTP", "TCP", "UDP"))
    families, one = service.field("spec.ipFamilies"), service.field("spec.ipFamilies[]")
    assert families is not None
    assert families.enum == ()
    assert one is not None
    assert set(one.enum) == {"", "IPv4", "IPv6"}
    selector, finalizers = service.field("spec.selector"), service.field("metadata.finalizers")
    assert selector is not None
    assert selector.atomic
    assert finalizers is not None
    assert finalizers.list_type == "set"


def test_a_version_is_found_by_its_minor_number() -> None:
    assert api("v1.35.4-eks-3025e55") is api("1.35")


def test_a_version_without_data_is_told_with_those_that_have() -> None:
    with pytest.raises(VersionUnknown, match=r"'1\.12': expected one of 1\.35, 1\.36"):
        api("1.12")


def test_what_was_removed_has_a_replacement_that_is_served() -> None:
    cron = removed("batch/v1beta1", "CronJob")
    assert cron is not None
    assert (cron.since, cron.replacement) == ("1.25", "batch/v1")
    for line in (DATA / "removed.csv").read_text(encoding="utf-8").splitlines()[1:]:
        api_version, kind, _, replacement, instead = line.split(",", 4)
        assert api().kind(api_version, kind) is None, line
        assert bool(replacement) != bool(instead), line
        assert not replacement or api().kind(replacement, kind) is not None, line


def test_a_crd_gives_the_same_form() -> None:
    schema = schema_of_crd(CRD, "v1", api())
    assert schema is not None
    assert schema_of_crd(CRD, "v2", api()) is None
    spec = schema.field("spec")
    assert spec is not None
    shapes = {name: field.shape for name, field in spec.type().fields.items()}
    assert shapes == {
        "size": Shape.INTEGER,
        "port": Shape.INT_OR_STRING,
        "parts": Shape.LIST,
        "labels": Shape.MAP,
        "anything": Shape.ANY,
        "open": Shape.OBJECT,
    }
    parts, opened = schema.field("spec.parts"), schema.field("spec.open")
    assert parts is not None
    assert parts.map_keys == ("name",)
    assert opened is not None
    assert opened.type().open
    assert schema.field("metadata.ownerReferences[].uid") is not None


CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "spec": {
        "versions": [
            {
                "name": "v1",
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["size"],
                                "properties": {
                                    "size": {"type": "integer", "format": "int32"},
                                    "port": {"x-kubernetes-int-or-string": True},
                                    "parts": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name"],
                                        "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                                    },
                                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                                    "anything": {"x-kubernetes-preserve-unknown-fields": True},
                                    "open": {
                                        "type": "object",
                                        "properties": {"known": {"type": "string"}},
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                },
                            }
                        },
                    }
                },
            }
        ]
    },
}


def _walk(schema: Schema, seen: set[int]) -> list[Schema]:
    """Every schema below ``schema``, each object type once: a CRD's JSON schema contains itself."""
    parts = [schema]
    if schema.item is not None:
        parts += _walk(schema.item, seen)
    type_ = schema.type()
    if id(type_) not in seen:
        seen.add(id(type_))
        for field in type_.fields.values():
            parts += _walk(field, seen)
    return parts
