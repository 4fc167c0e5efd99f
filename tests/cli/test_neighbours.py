"""Stacks that would have the same Kubernetes objects in one sandbox: found before anything is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli import neighbours, sandboxes
from engine.plan import Op, Plan, Reason, Step
from engine.project import Project
from engine.sandbox import Flavor, KubernetesApi, Sandbox
from engine.session import Session
from engine.state.model import ResourceState, Snapshot
from engine.values import UNKNOWN, Properties, Value

SERVER = "http://127.0.0.1:7001"
CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
PROVIDER = "pulumi:providers:kubernetes"
GP3: Properties = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gp3"}}


def kubeconfig(server: str) -> str:
    return json.dumps({
        "current-context": "it", "contexts": [{"name": "it", "context": {"cluster": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": server}}],
    })  # fmt: skip


def resource(stack: str, type_: str, name: str, **fields: Any) -> ResourceState:
    return ResourceState(f"urn:pulumi:{stack}::demo::{type_}::{name}", type_, custom=True, id=name, **fields)


def objects(stack: str, where: Value, *inputs: Properties, type_: str = CLASS) -> list[ResourceState]:
    """Objects of one provider, which leads to ``where``."""
    provider = resource(stack, PROVIDER, "kubernetes", inputs={"kubeconfig": where})
    reference = f"{provider.urn}::{provider.id}"
    made = [resource(stack, type_, f"r{index}", inputs=one, provider=reference) for index, one in enumerate(inputs)]
    return [provider, *made]


def plan(states: list[ResourceState], op: Op = Op.CREATE) -> Plan:
    return Plan([Step(op, state.urn, state.type, Reason.NEW, new=state) for state in states])


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    api = KubernetesApi(Flavor.EMBEDDED, SERVER, tmp_path / "kubeconfig", "1.35")
    return Sandbox("default", tmp_path, "http://127.0.0.1:1", "moto", 1, "now", "one", None, "us-east-1",
                   tmp_path / "passphrase", tmp_path / "log", kubernetes=api)  # fmt: skip


@pytest.fixture
def session(tmp_path: Path, sandbox: Sandbox) -> Session:
    """The stack `dev`, where the stack `prod` is up in the sandbox and has the storage class gp3."""
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    for stack in ("dev", "prod"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    project = Project.load(tmp_path)
    prod = Session.open(project, "prod", {}, environment={})
    prod.store.save(Snapshot(resources=tuple(objects("prod", kubeconfig(SERVER), GP3))))
    sandboxes.remember(tmp_path, "prod", sandbox)
    return Session.open(project, "dev", {}, environment={})


@pytest.mark.parametrize(
    "where", [kubeconfig("http://localhost:7001/"), UNKNOWN, None], ids=["said", "unknown", "none"]
)
def test_what_another_stack_has_is_refused_with_its_name_and_what_to_do(
    session: Session, sandbox: Sandbox, where: Value
) -> None:
    found = neighbours.clash(session, plan(objects("dev", where, GP3)), sandbox)
    assert found is not None
    said = str(found.error("dev", "mine"))
    assert "stack prod has Kubernetes objects in this sandbox that dev would make, too: StorageClass gp3\n" in said
    assert "`bedplate destroy prod --sandbox mine`" in said
    assert "`bedplate up dev --sandbox second`" in said


@pytest.mark.parametrize(
    "inputs",
    [
        {**GP3, "metadata": {"name": "gp2"}},
        {**GP3, "metadata": {"name": "gp3", "namespace": "other"}},
        {**GP3, "kind": "CSIDriver"},
        {**GP3, "apiVersion": "example.org/v1"},
        {**GP3, "metadata": UNKNOWN},
        {**GP3, "metadata": {"name": UNKNOWN}},
    ],
    ids=lambda inputs: str(inputs["metadata"]) + str(inputs["kind"]),
)
def test_what_is_another_object_is_none_of_theirs(session: Session, sandbox: Sandbox, inputs: Properties) -> None:
    assert neighbours.clash(session, plan(objects("dev", UNKNOWN, inputs)), sandbox) is None


def test_the_version_of_a_group_makes_no_other_object(session: Session, sandbox: Sandbox) -> None:
    newer = {**GP3, "apiVersion": "storage.k8s.io/v2"}
    assert neighbours.clash(session, plan(objects("dev", UNKNOWN, newer)), sandbox)


def test_another_cluster_is_another_place(session: Session, sandbox: Sandbox) -> None:
    elsewhere = objects("dev", kubeconfig("http://127.0.0.1:7002"), GP3)
    assert neighbours.clash(session, plan(elsewhere), sandbox) is None


def test_what_is_not_made_now_is_no_clash(session: Session, sandbox: Sandbox) -> None:
    mine = objects("dev", UNKNOWN, GP3)
    assert neighbours.clash(session, plan(mine, Op.UPDATE), sandbox) is None
    patches = objects("dev", UNKNOWN, GP3, type_=f"{CLASS}Patch")
    assert neighbours.clash(session, plan(patches), sandbox) is None, "patches are made for sharing"


def test_a_stack_whose_sandbox_is_gone_has_nothing(session: Session, sandbox: Sandbox) -> None:
    mine = plan(objects("dev", UNKNOWN, GP3))
    (sandbox.directory / ".bedplate" / "emulators" / "prod").write_text("of an earlier one\n")
    assert neighbours.clash(session, mine, sandbox) is None


def test_charts_are_releases_by_namespace_and_name(session: Session, sandbox: Sandbox) -> None:
    release = "kubernetes:helm.sh/v3:Release"
    chart: Properties = {"chart": "kueue", "name": "kueue", "namespace": "kueue-system"}
    prod = Session.open(session.project, "prod", {}, environment={})
    prod.store.save(Snapshot(resources=tuple(objects("prod", kubeconfig(SERVER), chart, type_=release))))
    found = neighbours.clash(session, plan(objects("dev", UNKNOWN, chart, type_=release)), sandbox)
    assert found is not None
    assert "Release kueue" in str(found.error("dev", "default"))
    other = {**chart, "namespace": "elsewhere"}
    assert neighbours.clash(session, plan(objects("dev", UNKNOWN, other, type_=release)), sandbox) is None


def test_many_objects_are_counted(session: Session, sandbox: Sandbox) -> None:
    many: list[Properties] = [{**GP3, "metadata": {"name": f"class-{index}"}} for index in range(5)]
    prod = Session.open(session.project, "prod", {}, environment={})
    prod.store.save(Snapshot(resources=tuple(objects("prod", kubeconfig(SERVER), *many))))
    found = neighbours.clash(session, plan(objects("dev", UNKNOWN, *many)), sandbox)
    assert found is not None
    assert "StorageClass class-0, StorageClass class-1, StorageClass class-2 and 2 more" in str(
        found.error("dev", "default")
    )


def test_a_state_that_nobody_can_read_is_not_in_the_way(session: Session, sandbox: Sandbox) -> None:
    prod = Session.open(session.project, "prod", {}, environment={})
    prod.store.path.write_text("{")
    prod.store.previous_path.unlink(missing_ok=True)
    assert neighbours.clash(session, plan(objects("dev", UNKNOWN, GP3)), sandbox) is None
