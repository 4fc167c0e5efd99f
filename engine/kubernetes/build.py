"""Writes the API data of a Kubernetes version: ``python -m engine.kubernetes.build MODULE...``

MODULE is the unpacked Go module k8s.io/kubernetes, which ``go mod download -json k8s.io/kubernetes@v1.35.4`` names as
"Dir". Three things in it are read:

    api/openapi-spec/v3/*.json                         the types, as an API server publishes them
    api/discovery/*.json                               the kinds: plural, scope, verbs, subresources
    pkg/generated/openapi/zz_generated.openapi.go      the words of enumerations, which the published files leave out

Descriptions are dropped. One line a kind and one a type, sorted, so that two runs write the same bytes and two
versions can be compared by eye. The words that types are written in are those of ``engine.kubernetes.api``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from engine.kubernetes.api import DATA
from engine.kubernetes.model import group_of

Json = dict[str, Any]

# Types that stand for a value rather than for an object with fields.
_WORDS: Final = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "time",
}
_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


def main(modules: Iterable[str]) -> None:
    for module in map(Path, modules):
        version = module.name.partition("@v")[2]
        path = DATA / f"{'.'.join(version.split('.')[:2])}.json"
        path.write_text(render(build(module, f"k8s.io/kubernetes v{version}")), encoding="utf-8")
        print(f"{path}: {path.stat().st_size:,} bytes from {module}")


def build(module: Path, source: str) -> Json:
    """The data of one version, as ``engine.kubernetes.api`` reads it."""
    definitions = _definitions(module)
    enums = _enums((module / "pkg/generated/openapi/zz_generated.openapi.go").read_text(encoding="utf-8"))
    types = {
        _short(name): _type(name, definition, definitions, enums)
        for name, definition in definitions.items()
        if _is_object(definition)
    }
    if lost := {(type_, field) for type_, field in enums if type_ in types and field not in types[type_]["fields"]}:
        raise ValueError(f"enumerations of fields that the published types lack: {sorted(lost)}")
    return {
        "source": source,
        "groups": _groups(module),
        "kinds": _kinds(module, _type_names(definitions)),
        "types": dict(sorted(types.items())),
    }


def render(data: Json) -> str:
    """JSON with one kind or type a line."""
    sections: list[str] = []
    for name, section in data.items():
        if isinstance(section, str):
            sections.append(f"{json.dumps(name)}: {json.dumps(section)}")
            continue
        lines = (f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in section.items())
        sections.append(f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def _definitions(module: Path) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for path in sorted((module / "api/openapi-spec/v3").glob("*.json")):
        schemas = cast("dict[str, Json]", _read(path).get("components", {}).get("schemas", {}))
        for name, schema in schemas.items():
            if _fields(found.setdefault(name, schema)) != _fields(schema):
                raise ValueError(f"{path}: {name} differs from what another file says of it")
    return found


def _read(path: Path) -> Json:
    return cast(Json, json.loads(path.read_text(encoding="utf-8")))


def _short(name: str) -> str:
    """``core.v1.Pod`` of ``io.k8s.api.core.v1.Pod``: the last three parts tell every type apart."""
    return ".".join(name.split(".")[-3:])


def _fields(definition: Json) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", definition.get("properties", {}))


def _is_object(definition: Json) -> bool:
    return bool(_fields(definition))


def _type(name: str, definition: Json, definitions: Mapping[str, Json], enums: Mapping[Any, list[str]]) -> Json:
    fields = {
        key: _field(written, definitions, enums.get((_short(name), key)))
        for key, written in sorted(_fields(definition).items())
    }
    entry: Json = {"fields": fields}
    if definition.get("required"):
        entry["required"] = definition["required"]
    if definition.get("x-kubernetes-map-type") == "atomic":
        entry["atomic"] = True
    return entry


def _field(written: Json, definitions: Mapping[str, Json], enum: list[str] | None) -> str | Json:
    word = _word(written, definitions)
    known = {
        "list": written.get("x-kubernetes-list-type"),
        "keys": written.get("x-kubernetes-list-map-keys"),
        "merge": written.get("x-kubernetes-patch-merge-key"),
        "strategy": written.get("x-kubernetes-patch-strategy"),
        "atomic": True if written.get("x-kubernetes-map-type") == "atomic" else None,
        "enum": enum,
        # An empty default says nothing but that the field is there: Go's zero value.
        "default": written.get("default") or None,
    }
    details = {key: value for key, value in known.items() if value is not None and (key, value) != ("list", "atomic")}
    return {"is": word, **details} if details else word


def _word(written: Json, definitions: Mapping[str, Json]) -> str:
    if "allOf" in written:
        return _word(cast("list[Json]", written["allOf"])[0], definitions)
    if "$ref" in written:
        name = cast(str, written["$ref"]).rsplit("/", 1)[1]
        definition = definitions[name]
        if _is_object(definition):
            return _short(name)
        return _WORDS.get(name) or ("object" if definition.get("type") == "object" else "any")
    match written.get("type"):
        case "array":
            return f"[{_word(written['items'], definitions)}]"
        case "object":
            of = written.get("additionalProperties")
            return f"{{{_word(of, definitions)}}}" if of else "object"
        case "string":
            return {"byte": "bytes", "date-time": "time"}.get(written.get("format", ""), "string")
        case "integer" | "number" as number:
            return f"{number}:{written['format']}" if "format" in written else number
        case "boolean":
            return "boolean"
        case None:
            return "any"
        case other:
            raise ValueError(f"a type that is not known here: {other!r}")


def _enums(generated: str) -> dict[tuple[str, str], list[str]]:
    """The words of each enumeration by type and field, from the generated Go code."""
    found: dict[tuple[str, str], list[str]] = {}
    type_ = field = ""
    for line in generated.splitlines():
        if match := re.match(r"func schema_(\w+)\(ref ", line):
            type_ = ".".join(match[1].rsplit("_", 3)[-3:])
        elif match := re.match(r'\t{5}"([\w$-]+)": \{$', line):
            field = match[1]
        elif match := re.match(r"\t+Enum:\s+\[\]interface\{\}\{(.*)\},$", line):
            found[type_, field] = cast("list[str]", json.loads(f"[{match[1]}]"))
    return found


def _type_names(definitions: Mapping[str, Json]) -> dict[tuple[str, str], str]:
    """Which type stands for a kind, by (API version, kind). Types of many groups (DeleteOptions) are no kind's."""
    names: dict[tuple[str, str], str] = {}
    for name, definition in definitions.items():
        match definition.get("x-kubernetes-group-version-kind"):
            case [{"group": group, "version": version, "kind": kind}]:
                names[f"{group}/{version}".removeprefix("/"), kind] = _short(name)
            case _:
                pass
    return names


def _groups(module: Path) -> dict[str, list[str]]:
    """The versions of each group, the preferred one first; the core group is ""."""
    groups: dict[str, list[str]] = {"": ["v1"]}
    for group in _read(module / "api/discovery/apis.json")["groups"]:
        groups[group["name"]] = [version["version"] for version in group["versions"]]
    return groups


def _kinds(module: Path, type_names: Mapping[tuple[str, str], str]) -> Json:
    kinds: Json = {}
    discovery = module / "api/discovery"
    for path in [discovery / "api__v1.json", *discovery.glob("apis__*__*.json")]:
        document = _read(path)
        kinds |= _kinds_of_version(document["groupVersion"], document["resources"], type_names)
    return dict(sorted(kinds.items(), key=lambda entry: (group_of(entry[0].rpartition("/")[0]), entry[0])))


def _kinds_of_version(api_version: str, resources: list[Json], type_names: Mapping[tuple[str, str], str]) -> Json:
    kinds: Json = {}
    for resource in resources:
        plural, _, subresource = cast(str, resource["name"]).partition("/")
        if subresource:
            continue
        known = {
            "plural": plural,
            "singular": resource["singularName"],
            "namespaced": resource["namespaced"],
            "short": resource.get("shortNames"),
            "categories": resource.get("categories"),
            "verbs": [verb for verb in _VERBS if verb in resource["verbs"]],
            "subresources": sorted(
                other["name"].partition("/")[2] for other in resources if other["name"].startswith(f"{plural}/")
            ),
            "type": type_names[api_version, resource["kind"]],
        }
        kinds[f"{api_version}/{resource['kind']}"] = {key: value for key, value in known.items() if value}
    return kinds


if __name__ == "__main__":
    main(sys.argv[1:])
