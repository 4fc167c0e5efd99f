"""What is refused of a manifest, by case files; and which properties replace an object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.kubernetes import VersionUnknown, api
from engine.providers.kubernetes.schema import replaced_by, validate
from engine.values import UNKNOWN, transform

CASES = Path(__file__).parents[2] / "cases" / "kubernetes" / "schema"


def _cases() -> list[Any]:
    found: list[Any] = []
    for path in sorted(CASES.glob("*.yaml")):
        found += [pytest.param(case, id=f"{path.stem}: {case['name']}") for case in yaml.safe_load(path.read_text())]
    return found


def _with_unknown(value: Any) -> Any:
    return transform(value, lambda leaf: UNKNOWN if leaf == "${unknown}" else leaf)


@pytest.mark.parametrize("case", _cases())
def test_what_is_refused(case: dict[str, Any]) -> None:
    failures = validate(
        case.get("version", "1.35"), _with_unknown(case["manifest"]), _with_unknown(case.get("crds", []))
    )
    expected: dict[str, str] = case.get("failures", {})
    assert {failure.property: failure.reason for failure in failures}.keys() == expected.keys(), failures
    for failure in failures:
        assert expected[failure.property] in failure.reason


def test_a_long_text_is_not_quoted() -> None:
    [failure] = validate("1.35", {"apiVersion": "v1", "kind": "Pod", "spec": "x" * 500})
    assert failure.reason == "expected an object, got a text of 500 characters"


def test_a_version_without_data_is_an_error() -> None:
    with pytest.raises(VersionUnknown):
        validate("1.9", {"apiVersion": "v1", "kind": "Pod"})


def test_what_replaces_a_deployment() -> None:
    assert replaced_by("apps/v1", "Deployment") == ["metadata.name", "metadata.namespace", "spec.selector"]
    assert replaced_by("karpenter.sh/v1", "NodePool") == ["metadata.name", "metadata.namespace"]
    assert "spec.initContainers[*].image" in replaced_by("v1", "Pod")


def test_the_content_of_secrets_and_config_maps_replaces_unless_mutable() -> None:
    assert {"data", "binaryData"} <= set(replaced_by("v1", "ConfigMap"))
    assert {"data", "stringData", "type"} <= set(replaced_by("v1", "Secret"))
    assert replaced_by("v1", "ConfigMap", mutable=True) == ["metadata.name", "metadata.namespace"]
    assert replaced_by("v1", "Secret", mutable=True)[2:] == ["type"]


def test_what_replaces_is_a_property_of_its_kind() -> None:
    """Volume types that newer versions dropped are left out of the question."""
    for kind in api().kinds():
        schema = api().schema(kind.api_version, kind.kind)
        assert schema is not None
        for path in replaced_by(kind.api_version, kind.kind):
            plain = path.replace("[*]", "[]")
            assert schema.field(plain) is not None or path == "metadata.namespace", (kind, path)
