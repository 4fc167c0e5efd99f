"""Components of manifests through the command line: previewed, up, unchanged, changed, refreshed and down."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine import sandbox
from tests.engine.kubernetes.cluster import Cluster, Refused, running
from tests.engine.kubernetes.conftest import kubeconfig
from tests.integration.commands import Workplace
from tests.integration.emulated import Emulated

PROGRAM = Path(__file__).parent / "programs" / "manifests"
KEPT = {("namespaces", "", "default"), ("namespaces", "", "kube-system")}
TEAM = {
    ("configmaps", "team", "settings"), ("configmaps", "team", "values"), ("configmaps", "team", "sealed"),
    ("deployments", "team", "web"), ("secrets", "team", "password"), ("serviceaccounts", "team", "bare"),
    ("namespaces", "", "team"), ("customresourcedefinitions", "", "pools.example.org"), ("pools", "", "pool"),
}  # fmt: skip


@dataclass
class Stack:
    """A copy of the program, the command line on it, and the cluster that it is for."""

    work: Workplace
    cluster: Cluster

    def set_round(self, number: int) -> None:
        values = {
            "manifests:round": str(number), "manifests:kubeconfig": kubeconfig(self.cluster.url),
            "manifests:password": "hunter-of-two",
        }  # fmt: skip
        (self.work.folder / "Pulumi.dev.yaml").write_text(json.dumps({"config": values}))

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.work.folder / name
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))

    def objects(self) -> set[tuple[str, str, str]]:
        return {key for key in self.cluster.objects if key not in KEPT and not key[2].startswith("base-")}

    def resources(self) -> dict[str, dict[str, Any]]:
        """What is in the state, by URN from the type on."""
        return {str(each["urn"]).split("::", 2)[2]: each for each in self.work.state("dev")}


@pytest.fixture
def stack(tmp_path: Path, emulated: Emulated) -> Iterator[Stack]:
    folder = tmp_path / "manifests"
    shutil.copytree(PROGRAM, folder, ignore=shutil.ignore_patterns(".bedplate", "__pycache__"))
    sandbox.up(folder, endpoint=emulated.endpoint)
    cluster = Cluster()
    cluster.define("example.org/v1", "Pool", "pools", namespaced=False)
    with running(cluster) as server:
        made = Stack(Workplace(folder), cluster)
        made.set_round(1)
        yield made
    assert server.errors == []
    sandbox.down(folder)


def test_components_of_manifests_are_made_changed_and_taken_down(stack: Stack) -> None:
    shown = stack.work.run("preview", "dev", "--diff").expect(0, "+ 15 create")
    assert "no provider here knows" not in shown.text
    assert stack.cluster.requests == []
    stack.work.run("up", "dev", "--yes").expect(0, "+ 15 created", '"team/web"')
    assert stack.objects() == TEAM
    assert_state(stack)
    applied = [line.rpartition("/")[2] for line in stack.cluster.requests if line.startswith("PATCH")]
    order = [name for name in applied if name in ("team", "web", "pools.example.org", "pool")]
    assert sorted(order[:2]) == ["pools.example.org", "team"]
    assert order[2:] == ["web", "pool"]
    stack.work.run("preview", "dev", "--expect-no-changes").expect(0)
    stack.work.run("refresh", "dev", "--yes").expect(0, "15 unchanged")
    stack.work.run("up", "dev", "--yes", "--expect-no-changes").expect(0)

    stack.set_round(2)
    stack.edit("m/a.yaml", "replicas: 2", "replicas: 3")
    stack.edit("m/extra.yml", "name: bare", "name: other")
    stack.work.run("up", "dev", "--yes").expect(0, "+ 1 created", "~ 1 updated", "+- 1 replaced", "- 1 deleted")
    assert stack.objects() == TEAM - {("serviceaccounts", "team", "bare")} | {("serviceaccounts", "team", "other")}
    assert stack.cluster.objects["deployments", "team", "web"].live["spec"]["replicas"] == 3

    spec = stack.cluster.objects["deployments", "team", "web"].live["spec"]
    stack.cluster.change("deployments", "web", "team", spec={**spec, "replicas": 9})
    stack.work.run("refresh", "dev", "--yes").expect(0, "~ 1 updated")
    stack.work.run("up", "dev", "--yes").expect(0, "~ 1 updated")
    kept = b"".join(
        path.read_bytes() for path in (stack.work.folder / ".bedplate").rglob("*")
        if path.is_file() and path.suffix != ".pyc"  # the program is no secret
    )  # fmt: skip
    for secret in (b"correct-horse", b"Y29ycmVjdC1ob3JzZ", b"hunter-of-two", b"quite-a-word"):
        assert secret not in kept
    stack.work.run("destroy", "dev", "--yes").expect(0)
    assert stack.objects() == set()


def assert_state(stack: Stack) -> None:
    """The children have the names, parents, providers and dependencies that Pulumi's provider gives them."""
    resources = stack.resources()
    group, file = "kubernetes:yaml/v2:ConfigGroup", "kubernetes:yaml/v2:ConfigFile"
    names = {name for name in resources if name.startswith("kubernetes:yaml")}
    assert names == {
        f"{group}::files", f"{group}::values", f"{file}::one",
        f"{group}$kubernetes:example.org/v1:Pool::files:pool",
        f"{group}$kubernetes:apps/v1:Deployment::files:team/web",
        f"{group}$kubernetes:core/v1:Secret::files:team/password",
        f"{group}$kubernetes:core/v1:ConfigMap::files:team/settings",
        f"{group}$kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition::files:pools.example.org",
        f"{group}$kubernetes:core/v1:Namespace::files:team",
        f"{file}$kubernetes:core/v1:ServiceAccount::team/bare",
        f"{group}$kubernetes:core/v1:ConfigMap::values:team/values",
        f"{group}$kubernetes:core/v1:ConfigMap::values:team/sealed",
    }  # fmt: skip
    web = resources[f"{group}$kubernetes:apps/v1:Deployment::files:team/web"]
    assert "::kubernetes::" in web["provider"]
    assert [urn.rpartition("::")[2] for urn in web["dependencies"]] == ["files:team"]
    settings = resources[f"{group}$kubernetes:core/v1:ConfigMap::files:team/settings"]
    assert settings["inputs"]["metadata"]["labels"] == {"transformed": "yes"}
    bare = resources[f"{file}$kubernetes:core/v1:ServiceAccount::team/bare"]
    assert bare["inputs"]["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    assert not resources[f"{group}::values"].get("inputs")
    assert [urn.rpartition("::")[2] for urn in resources[f"{file}::one"]["dependencies"]] == ["files"]


def test_a_mistake_in_a_file_is_told_once_and_nothing_is_done(stack: Stack) -> None:
    stack.edit("m/b.yaml", "apiVersion: v1\nkind: ConfigMap", "apiVersion: v1\nkindd: ConfigMap")
    for verb in (("preview", "dev"), ("up", "dev", "--yes")):
        ended = stack.work.run(*verb).expect(4, "m/b.yaml:1 (document 1): the object has no kind")
        assert ended.text.count("the object has no kind") <= 2  # where it happened, and in the summary
    assert stack.objects() == set()
    stack.edit("m/b.yaml", "kindd", "kind")
    stack.work.run("up", "dev", "--yes").expect(0, "+ 15 created")
    (stack.work.folder / "m" / "extra.yml").unlink()
    stack.work.run("preview", "dev").expect(4, "m/extra.yml: No such file or directory")
    assert stack.objects() == TEAM


def test_a_child_that_fails_is_told_and_what_needs_it_is_skipped(stack: Stack) -> None:
    def fault(method: str, path: str) -> str | None:
        if method == "PATCH" and path.endswith("/namespaces/team"):
            raise Refused(403, "Forbidden", "you may not")
        return None

    stack.cluster.fault = fault
    stack.work.run("up", "dev", "--yes").expect(4, "you may not")
    assert stack.objects() == {("customresourcedefinitions", "", "pools.example.org")}
    stack.cluster.fault = lambda _method, _path: None
    stack.work.run("up", "dev", "--yes").expect(0)
    assert stack.objects() == TEAM


def test_with_the_default_provider_and_only_one_of_them_among_the_targets(stack: Stack) -> None:
    program = stack.work.folder / "__main__.py"
    program.write_text(
        "from pulumi_kubernetes.yaml import v2 as yaml\n"
        "yaml.ConfigGroup('all', files=['m/?.yaml'])\nyaml.ConfigFile('one', file='m/extra.yml')\n"
    )
    config = {"kubernetes:kubeconfig": kubeconfig(stack.cluster.url), "kubernetes:namespace": "team"}
    (stack.work.folder / "Pulumi.dev.yaml").write_text(json.dumps({"config": config}))
    stack.edit("m/extra.yml", "name: bare", "name: bare, namespace: default")
    stack.work.run("up", "dev", "--yes", "--target", "**one**").expect(0)  # of the others there is no reference, either
    assert {name for _, _, name in stack.objects()} == {"bare"}
    stack.work.run("up", "dev", "--yes").expect(0)
    assert {name for _, namespace, name in stack.objects() if namespace} == {"bare", "web", "settings", "password"}
    stack.work.run("destroy", "dev", "--yes").expect(0)
    assert stack.objects() == set()


def test_what_a_preview_does_not_know_is_made_by_the_up(stack: Stack) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: late}}\ndata: {{uid: {0}}}\n"
    program = stack.work.folder / "__main__.py"
    program.write_text(
        program.read_text().partition("files = yaml")[0]
        + "values = yaml.ConfigGroup('values', yaml=base.metadata.uid.apply(\n"
        + f"    lambda uid: {text!r}.format(uid)), opts=cluster)\n"
    )
    stack.edit("__main__.py", 'namespace="team"', 'namespace="default"')
    stack.work.run("preview", "dev").expect(0, "some of its inputs are not known yet")
    stack.work.run("up", "dev", "--yes").expect(0)
    assert stack.objects() == {("configmaps", "default", "late")}
    stack.work.run("preview", "dev", "--expect-no-changes").expect(0)
    stack.edit("__main__.py", 'data={"a": "1"}', 'data={"a": "2"}')  # immutable: replaced, so its uid is not known
    shown = stack.work.run("preview", "dev").expect(0, "some of its inputs are not known yet")
    assert "- 1 delete" not in shown.text, "what is not known yet is not gone"
    stack.work.run("up", "dev", "--yes").expect(1, "values:default/late", "was not in the plan")
    stack.work.run("up", "dev", "--yes").expect(0, "+- 1 replaced")
    assert stack.objects() == {("configmaps", "default", "late")}
    stack.work.run("destroy", "dev", "--yes").expect(0)
    assert stack.objects() == set()


def test_what_no_program_here_can_build_is_previewed_and_up_refuses_it(stack: Stack, tmp_path: Path) -> None:
    program = stack.work.folder / "__main__.py"
    program.write_text(
        program.read_text().partition("files = yaml")[0]
        + "from pulumi_kubernetes.helm.v4 import Chart\nChart('web', chart='web', opts=cluster)\n"
    )
    shown = stack.work.run("preview", "dev", PATH=str(tmp_path)).expect(0, "+ 4 create", "use a Release")
    shown.expect(0, "no provider here knows kubernetes:helm.sh/v4:Chart")
    stack.work.run("up", "dev", "--yes", PATH=str(tmp_path)).expect(1, "nothing was changed", "use a Release")
    assert stack.cluster.requests == []


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH")
def test_a_folder_is_built_and_brought_up(stack: Stack) -> None:
    (stack.work.folder / "m" / "kustomization.yaml").write_text("resources: [b.yaml]\nnamespace: team\n")
    program = stack.work.folder / "__main__.py"
    program.write_text(
        program.read_text().partition("files = yaml")[0]
        + "from pulumi_kubernetes.kustomize.v2 import Directory\nDirectory('m', directory='m', opts=cluster)\n"
    )
    stack.work.run("up", "dev", "--yes").expect(0, "+ 7 created")
    assert {name for _, _, name in stack.objects()} == {"settings", "pools.example.org", "team"}
    stack.work.run("preview", "dev", "--expect-no-changes").expect(0)
    stack.work.run("destroy", "dev", "--yes").expect(0)
    assert stack.objects() == set()
