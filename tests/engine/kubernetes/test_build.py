"""The generator of API data, run over a module of a few lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.kubernetes.api import Api
from engine.kubernetes.build import build, render
from engine.kubernetes.model import Shape

NAMES = "io.k8s.api.apps.v1"
REFERENCE = f"#/components/schemas/{NAMES}"
TYPES: dict[str, Any] = {
    f"{NAMES}.Thing": {
        "description": "is left out",
        "properties": {
            "spec": {"allOf": [{"$ref": f"{REFERENCE}.ThingSpec"}], "default": {}},
            "apiVersion": {"type": "string"},
        },
        "x-kubernetes-group-version-kind": [{"group": "apps", "version": "v1", "kind": "Thing"}],
    },
    f"{NAMES}.ThingSpec": {
        "required": ["parts"],
        "properties": {
            "parts": {
                "type": "array",
                "items": {"$ref": f"{REFERENCE}.Part"},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-patch-merge-key": "name",
            },
            "sizes": {"type": "object", "additionalProperties": {"type": "integer", "format": "int32"}},
            "any": {"$ref": f"{REFERENCE}.Raw"},
        },
    },
    f"{NAMES}.Part": {"properties": {"name": {"type": "string"}, "mode": {"type": "string", "default": "On"}}},
    f"{NAMES}.Raw": {"type": "object"},
}
RESOURCES = [
    {"name": "things", "singularName": "thing", "namespaced": True, "kind": "Thing", "verbs": ["get", "list"]},
    {"name": "things/status", "singularName": "", "namespaced": True, "kind": "Thing", "verbs": ["get"]},
]
GENERATED = """
func schema_k8sio_api_apps_v1_Part(ref common.ReferenceCallback) common.OpenAPIDefinition {
\t\t\t\t\t"mode": {
\t\t\t\t\t\t\tEnum:        []interface{}{"Off", "On"},
func schema_k8sio_api_apps_v1beta9_Unserved(ref common.ReferenceCallback) common.OpenAPIDefinition {
\t\t\t\t\t"mode": {
\t\t\t\t\t\t\tEnum:        []interface{}{"Off"},
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    root = tmp_path / "kubernetes@v1.99.0"
    _write(root / "api/openapi-spec/v3/apis__apps__v1_openapi.json", {"components": {"schemas": TYPES}})
    _write(root / "api/discovery/api__v1.json", {"groupVersion": "v1", "resources": []})
    _write(root / "api/discovery/apis__apps__v1.json", {"groupVersion": "apps/v1", "resources": RESOURCES})
    _write(root / "api/discovery/apis.json", {"groups": [{"name": "apps", "versions": [{"version": "v1"}]}]})
    _write(root / "pkg/generated/openapi/zz_generated.openapi.go", GENERATED)
    return root


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def test_what_is_written_is_what_is_read(module: Path) -> None:
    text = render(build(module, "a test"))
    assert "is left out" not in text
    assert text == render(build(module, "a test"))
    known = Api("1.99", json.loads(text))
    kind, schema = known.kind("apps/v1", "Thing"), known.schema("apps/v1", "Thing")
    assert kind is not None
    assert (kind.plural, kind.namespaced, kind.verbs, kind.subresources) == (
        "things",
        True,
        ("get", "list"),
        ("status",),
    )
    assert schema is not None
    parts, mode, size = (schema.field(f"spec.{path}") for path in ("parts", "parts[].mode", "sizes[]"))
    assert parts is not None
    assert (parts.list_type, parts.map_keys, parts.merge_key) == ("map", ("name",), "name")
    assert mode is not None
    assert (mode.enum, mode.default) == (("Off", "On"), "On")
    assert size is not None
    assert (size.shape, size.format) == (Shape.INTEGER, "int32")
    anything, spec = schema.field("spec.any"), schema.field("spec")
    assert anything is not None
    assert anything.shape is Shape.FREE_OBJECT
    assert spec is not None
    assert spec.type().required == ("parts",)


def test_types_that_two_files_tell_differently_are_refused(module: Path) -> None:
    other = {**TYPES, f"{NAMES}.Part": {"properties": {"name": {"type": "integer"}}}}
    _write(module / "api/openapi-spec/v3/zz.json", {"components": {"schemas": other}})
    with pytest.raises(ValueError, match=r"zz\.json: io\.k8s\.api\.apps\.v1\.Part differs"):
        build(module, "a test")


def test_an_enumeration_of_a_field_that_is_not_published_is_refused(module: Path) -> None:
    generated = GENERATED.replace('"mode"', '"gone"', 1)
    _write(module / "pkg/generated/openapi/zz_generated.openapi.go", generated)
    with pytest.raises(ValueError, match=r"lack: \[\('apps\.v1\.Part', 'gone'\)\]"):
        build(module, "a test")


def test_a_type_that_is_new_here_is_refused(module: Path) -> None:
    other = {**TYPES, f"{NAMES}.Odd": {"properties": {"a": {"type": "tuple"}}}}
    _write(module / "api/openapi-spec/v3/apis__apps__v1_openapi.json", {"components": {"schemas": other}})
    with pytest.raises(ValueError, match="a type that is not known here: 'tuple'"):
        build(module, "a test")
