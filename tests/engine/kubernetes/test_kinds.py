"""The common kinds, each with its object of ``tests/cases/kubernetes/kinds.yaml``: imported, pasted, drifted, gone."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from engine.importing.code import Declared as Pasted
from engine.importing.code import program_of
from engine.importing.run import marked
from engine.importing.saying import to_say
from engine.importing.wanted import Request, Wanted
from engine.providers.base import Checked
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.state.model import ResourceState
from engine.values import Properties, reveal
from tests.engine.kubernetes.cluster import Cluster
from tests.engine.kubernetes.objects import Declared
from tests.engine.pasting import registered_by

CASES = Path(__file__).parents[2] / "cases" / "kubernetes" / "kinds.yaml"


@dataclass(frozen=True)
class Case:
    manifest: dict[str, Any]
    drift: dict[str, Any]
    seen: list[str]
    filled_in: dict[str, Any] = field(default_factory=dict[str, Any])
    custom: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def kind(self) -> str:
        return self.manifest["kind"]

    @property
    def version(self) -> str:
        return self.manifest["apiVersion"]

    @property
    def name(self) -> tuple[str, str]:
        return self.manifest["metadata"]["name"], self.manifest["metadata"].get("namespace", "")

    @property
    def id(self) -> str:
        name, namespace = self.name
        return f"{namespace}/{name}" if namespace else name

    @property
    def said(self) -> dict[str, Any]:
        return {key: value for key, value in self.manifest.items() if key not in ("apiVersion", "kind")}


@pytest.fixture(
    params=[Case(**one) for one in yaml.safe_load(CASES.read_text(encoding="utf-8"))], ids=lambda case: case.kind
)
def case(request: pytest.FixtureRequest, cluster: Cluster) -> Case:
    found: Case = request.param
    if found.custom:
        cluster.define(found.version, found.kind, found.custom["plural"], namespaced=found.custom["namespaced"])
    return found


def live(cluster: Cluster, case: Case) -> dict[str, Any]:
    found = cluster.get(cluster.kinds[case.version, case.kind][0], *case.name)
    assert found is not None
    return found


def filled(declared: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """``declared`` with what the server adds; what is there stays."""
    result = dict(more)
    for key, value in declared.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = filled(cast("dict[str, Any]", value), result[key]) if both else value
    return result


def test_what_somebody_has_applied_is_imported_and_its_code_changes_nothing(
    cluster: Cluster, provider: KubernetesProvider, case: Case
) -> None:
    first = Declared(provider, case.version, case.kind)
    first.create(token="somebody", **deepcopy(case.said))
    live(cluster, case).update(filled(live(cluster, case), case.filled_in))
    one = Declared(provider, case.version, case.kind, "pasted")
    found = provider.read(one.urn, one.type, case.id, {}, {})
    assert found is not None

    def check(given: Properties) -> Checked:
        return provider.check(one.urn, one.type, None, reveal(given), seed="paste")

    def changes(given: Properties) -> bool:
        old = reveal(found.inputs), reveal(found.outputs)
        return provider.diff(one.urn, one.type, found.id, *old, reveal(given)).changes

    inputs = marked(found.inputs, one.type)
    state = ResourceState(one.urn, one.type, True, found.id, inputs, found.outputs)
    wanted = Wanted(one.type, "pasted", found.id, one.urn)
    says = to_say(inputs, check, changes)
    program = program_of(Request((wanted,), {one.urn: "pasted"}), [Pasted(wanted, state, says)])
    assert "Z2VoZWlt" not in program.text, "a secret"
    values = {key: reveal(needed.value) for key, needed in program.secrets.items()}
    (registered,) = registered_by(program.text, secrets=values)
    assert registered.type == one.type
    checked = check(registered.inputs)
    assert not checked.failures, f"{checked.failures}\n{program.text}"
    assert not changes(checked.inputs), program.text
    given = reveal(checked.inputs)
    assert all(key not in given or key in case.manifest for key in case.filled_in), program.text


def test_what_the_server_fills_in_is_no_drift_and_what_others_change_is(
    cluster: Cluster, provider: KubernetesProvider, case: Case
) -> None:
    one = Declared(provider, case.version, case.kind)
    one.create(**deepcopy(case.said))
    said = dict(one.inputs)
    live(cluster, case).update(filled(live(cluster, case), case.filled_in))
    assert one.refresh()
    assert one.inputs == said
    assert not one.diff(**deepcopy(case.said)).changes
    changed = deepcopy(case.drift)
    if "metadata" in changed:
        changed["metadata"] = {**live(cluster, case)["metadata"], **changed["metadata"]}
    live(cluster, case).update(filled(changed, case.filled_in))
    assert one.refresh()
    assert one.inputs != said
    assert sorted(one.diff(**deepcopy(case.said)).detailed) == sorted(case.seen)


def test_what_somebody_has_deleted_is_gone(cluster: Cluster, provider: KubernetesProvider, case: Case) -> None:
    one = Declared(provider, case.version, case.kind)
    one.create(**deepcopy(case.said))
    cluster.remove(cluster.kinds[case.version, case.kind][0], *case.name)
    assert not one.refresh()
    one.delete()  # gone already is a success
