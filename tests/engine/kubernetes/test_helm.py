"""Helm releases: installed by a strict fake of ``helm``, or recorded where helm or the chart can't be had."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.providers.base import PartialFailure, ProviderError
from engine.providers.kubernetes import helm
from engine.providers.kubernetes.helm.definitions import definitions_of
from engine.providers.kubernetes.helm.executable import Helm as Executable
from engine.providers.kubernetes.helm.executable import HelmTimedOut
from engine.providers.kubernetes.helm.workspace import workspace
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.providers.notes import taking_notes
from engine.values import UNKNOWN, Asset, Properties, Value, reveal
from tests.engine.kubernetes.cluster import Cluster
from tests.engine.kubernetes.conftest import CHARTS, Helm
from tests.engine.kubernetes.objects import Declared

URN = "urn:pulumi:dev::p::kubernetes:helm.sh/v3:Release::karpenter"
KARPENTER: dict[str, Any] = {
    "chart": "karpenter",
    "version": "1.14.0",
    "repositoryOpts": {"repo": CHARTS},
    "namespace": "kube-system",
}


@dataclass
class Released:
    """A release with its state, as the engine handles it."""

    provider: KubernetesProvider
    id: str = ""
    inputs: Properties = field(default_factory=dict[str, Value])
    outputs: Properties = field(default_factory=dict[str, Value])
    notes: list[str] = field(default_factory=list[str])

    def checked(self, **news: Any) -> Properties:
        checked = self.provider.check(URN, helm.RELEASE, self.inputs or None, news, seed="seed")
        assert not checked.failures, checked.failures
        return dict(checked.inputs)

    def create(self, token: str = "attempt", **news: Any) -> Properties:
        inputs = self.checked(**news)
        with taking_notes() as self.notes:
            made = self.provider.create(URN, helm.RELEASE, inputs, timeout=0, preview=False, token=token)
        self.id, self.inputs, self.outputs = made.id, inputs, reveal(made.outputs)
        return self.outputs

    def update(self, **news: Any) -> Properties:
        inputs = self.checked(**news)
        assert self.provider.diff(URN, helm.RELEASE, self.id, self.inputs, self.outputs, inputs).changes
        with taking_notes() as self.notes:
            outputs = self.provider.update(
                URN, helm.RELEASE, self.id, self.inputs, self.outputs, inputs, timeout=0, preview=False
            )
        self.inputs, self.outputs = inputs, reveal(outputs)
        return self.outputs

    def refresh(self) -> bool:
        with taking_notes() as self.notes:
            found = self.provider.read(URN, helm.RELEASE, self.id, self.inputs, self.outputs)
        if found is not None:
            self.inputs, self.outputs = found.inputs, reveal(found.outputs)
        return found is not None

    def delete(self) -> None:
        self.provider.delete(URN, helm.RELEASE, self.id, self.inputs, self.outputs, timeout=0)


def test_a_release_is_installed_upgraded_read_and_uninstalled(fake: Helm, provider: KubernetesProvider) -> None:
    release = Released(provider)
    outputs = release.create(**KARPENTER, values={"replicas": 2}, atomic=True, waitForJobs=True, skipCrds=True)
    assert release.id == f"kube-system/{outputs['name']}"
    assert outputs["name"].startswith("karpenter-")
    told = {"chart": "karpenter", "version": "1.14.0", "appVersion": "1.14.0", "revision": 1, "status": "deployed"}
    assert outputs["status"] == {**told, "name": outputs["name"], "namespace": "kube-system"}
    names = {"ConfigMap/v1": [outputs["name"]], "Deployment.apps/apps/v1": [f"tools/{outputs['name']}"]}
    assert outputs["resourceNames"] == names
    assert release.notes == []
    [install] = fake.calls("install")
    assert install["values"] == {"replicas": 2}
    assert {"--atomic", "--wait", "--wait-for-jobs", "--skip-crds", "300s"} <= set(install["arguments"])
    assert "--create-namespace" not in install["arguments"]

    release.update(**KARPENTER, values={"replicas": 3}, cleanupOnFail=True, skipAwait=True)
    [upgrade] = fake.calls("upgrade")
    assert upgrade["values"] == {"replicas": 3}
    assert "--cleanup-on-fail" in upgrade["arguments"]
    assert "--wait" not in upgrade["arguments"]
    assert release.outputs["status"]["revision"] == 2
    assert release.refresh()
    release.delete()
    assert fake.state["releases"] == {}
    assert not release.refresh()
    release.delete()  # gone already is a success


def test_nothing_secret_is_on_a_command_line_and_nothing_stays_behind(
    fake: Helm, provider: KubernetesProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "work"))
    monkeypatch.setenv("KUBECONFIG", "/the/users/own")
    monkeypatch.setenv("HELM_KUBECONTEXT", "elsewhere")
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    fake.set(credentials={CHARTS: ["me", "hunter2"]})
    options = {"repo": CHARTS, "username": "me", "password": "hunter2"}
    Released(provider).create(chart="web", repositoryOpts=options, values={"password": "swordfish"})
    calls = fake.state["calls"]
    assert not any(secret in " ".join(call["arguments"]) for call in calls for secret in ("hunter2", "swordfish"))
    assert fake.calls("repo")[0]["stdin"] == "hunter2"
    modes = fake.calls("install")[0]["modes"]
    assert modes == {"kubeconfig": 0o600, "values.json": 0o600, "folder": 0o700}
    assert list((tmp_path / "work").iterdir()) == []


def test_a_registry_is_logged_in_to_by_its_host(fake: Helm, provider: KubernetesProvider) -> None:
    fake.set(
        credentials={"registry.example": ["me", "hunter2"]},
        repositories={"oci://registry.example/a": {"web": ["1.0.0"]}},
    )
    options = {"username": "me", "password": "hunter2"}
    outputs = Released(provider).create(chart="oci://registry.example/a/web", repositoryOpts=options)
    assert outputs["status"]["chart"] == "web"


def test_a_chart_of_this_machine_needs_no_repository(fake: Helm, provider: KubernetesProvider, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    outputs = Released(provider).create(chart=str(tmp_path / "own"))
    assert outputs["status"]["status"] == "deployed"
    assert "pull" not in fake.commands


def test_files_of_values_lie_below_the_values(fake: Helm, provider: KubernetesProvider) -> None:
    files = [Asset(text="a: {b: 1, c: 1}\nd: [1]"), Asset(text="a: {c: 2}\nd: [2]")]
    Released(provider).create(**KARPENTER, valueYamlFiles=files, values={"a": {"e": None}, "f": True})
    assert fake.calls("install")[0]["values"] == {"a": {"b": 1, "c": 2, "e": None}, "d": [2], "f": True}


def test_without_helm_a_release_is_recorded_and_its_definitions_stand_in(
    no_helm: None, cluster: Cluster, provider: KubernetesProvider
) -> None:
    release = Released(provider)
    outputs = release.create(**KARPENTER)
    [note] = release.notes
    assert note == (
        "chart karpenter is not installed in this sandbox: `helm` is not on PATH; permissive definitions stand in"
        " for its own (autoscaling.x-k8s.io, karpenter.k8s.aws, karpenter.sh)"
    )
    assert outputs["status"]["status"] == "not installed"
    assert outputs["status"]["name"] == outputs["name"]
    assert outputs["resourceNames"] == {}
    live = cluster.get("customresourcedefinitions", "nodepools.karpenter.sh")
    assert live is not None
    assert live["spec"]["scope"] == "Cluster"
    cluster.define("karpenter.sh/v1", "NodePool", "nodepools", namespaced=False)  # as its definition says
    pool = Declared(provider, "karpenter.sh/v1", "NodePool", name="pool")
    pool.create(metadata={"name": "gpu"}, spec={"anything": {"goes": [1]}})
    pool.delete()
    assert release.refresh()
    assert not provider.diff(
        URN, helm.RELEASE, release.id, release.inputs, release.outputs, release.checked(**KARPENTER)
    ).changes
    release.delete()
    assert cluster.get("customresourcedefinitions", "nodepools.karpenter.sh") is None
    release.delete()


def test_a_repository_that_cant_be_reached_is_told_in_one_line(
    fake: Helm, cluster: Cluster, provider: KubernetesProvider
) -> None:
    release = Released(provider)
    gone = "https://gone.example/charts"
    outputs = release.create(chart="kueue", version="0.18.2", repositoryOpts={"repo": gone})
    [note] = release.notes
    assert note.startswith(
        "chart kueue is not installed in this sandbox: https://gone.example/charts can't be reached: no such host;"
    )
    assert "\n" not in note
    assert outputs["status"]["status"] == "not installed"
    assert cluster.get("customresourcedefinitions", "clusterqueues.kueue.x-k8s.io") is not None
    assert fake.commands == ["pull"]
    release.update(chart="kueue", version="0.18.2", repositoryOpts={"repo": CHARTS})  # by now it answers
    assert release.outputs["status"]["status"] == "deployed"
    release.delete()
    assert fake.state["releases"] == {}
    assert cluster.get("customresourcedefinitions", "clusterqueues.kueue.x-k8s.io") is None


def test_an_emulated_api_that_helm_cant_use_is_told(fake: Helm, cluster: Cluster, provider: KubernetesProvider) -> None:
    cluster.publishes_openapi = False
    release = Released(provider)
    release.create(**KARPENTER)
    assert "not installed in this sandbox: this API server publishes no OpenAPI" in release.notes[0]
    assert fake.commands == []


def test_wrong_credentials_count_as_out_of_reach(fake: Helm, provider: KubernetesProvider) -> None:
    release = Released(provider)
    release.create(chart="web", repositoryOpts={"repo": CHARTS, "username": "me", "password": "hunter2"})
    assert "can't be reached: 401 Unauthorized" in release.notes[0]


def test_a_chart_that_does_not_exist_is_an_error(fake: Helm, provider: KubernetesProvider) -> None:
    with pytest.raises(
        ProviderError, match=r'"karpenter" version "9.9.9" not found in https://charts.example.*`version`'
    ):
        Released(provider).create(**{**KARPENTER, "version": "9.9.9"})


def test_a_release_that_fails_exists_and_is_kept(fake: Helm, provider: KubernetesProvider) -> None:
    fake.set(broken=["web"])
    with pytest.raises(PartialFailure, match="context deadline exceeded") as failure:
        Released(provider).create(chart="web", name="web", repositoryOpts={"repo": CHARTS})
    assert failure.value.id == "default/web"
    assert failure.value.outputs["status"]["status"] == "failed"


def test_one_that_helm_rolls_back_does_not_exist(fake: Helm, provider: KubernetesProvider) -> None:
    fake.set(broken=["web"])
    with pytest.raises(ProviderError, match="uninstalled due to atomic") as failure:
        Released(provider).create(chart="web", name="web", atomic=True, repositoryOpts={"repo": CHARTS})
    assert not isinstance(failure.value, PartialFailure)


def test_a_name_that_is_in_use_is_somebody_elses(fake: Helm, provider: KubernetesProvider) -> None:
    first = Released(provider)
    first.create(chart="web", name="web", repositoryOpts={"repo": CHARTS})
    with pytest.raises(ProviderError, match="cannot re-use a name") as failure:
        Released(provider).create("another", chart="web", name="web", repositoryOpts={"repo": CHARTS})
    assert not isinstance(failure.value, PartialFailure)


def test_a_cancelled_run_ends_helm_and_keeps_what_it_has_made(fake: Helm, provider: KubernetesProvider) -> None:
    fake.set(slow=["web"])
    canceller = threading.Thread(target=_cancel_when_it_is_made, args=(fake, provider))
    canceller.start()
    with pytest.raises(PartialFailure, match="helm install was ended because the run was cancelled") as failure:
        Released(provider).create(chart="web", name="web", repositoryOpts={"repo": CHARTS})
    canceller.join()
    assert failure.value.outputs["status"]["status"] == "pending-install"


def _cancel_when_it_is_made(fake: Helm, provider: KubernetesProvider) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(ValueError):  # it is being written
            if fake.state["releases"]:
                break
        time.sleep(0.05)
    provider.cancel()


def test_helm_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    script = tmp_path / "helm"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    with workspace("{}") as work, pytest.raises(HelmTimedOut, match=r"helm pull did not end within 0\.1 seconds"):
        Executable(str(script)).run(["pull"], work, seconds=0.1)


def test_helm_that_takes_longer_than_a_look_is_waited_for(tmp_path: Path) -> None:
    script = tmp_path / "helm"
    script.write_text("#!/bin/sh\nread word\nsleep 1.5\necho got $word\n")
    script.chmod(0o755)
    with workspace("{}") as work:
        assert Executable(str(script)).run(["pull"], work, seconds=60, stdin="hunter2\n") == "got hunter2\n"


def test_an_upgrade_that_fails_keeps_what_there_is(fake: Helm, provider: KubernetesProvider) -> None:
    release = Released(provider)
    release.create(**KARPENTER)
    fake.set(broken=["karpenter"])
    with pytest.raises(PartialFailure, match="context deadline exceeded"):
        release.update(**KARPENTER, values={"a": 1})


def test_what_helm_installed_needs_helm(
    fake: Helm, provider: KubernetesProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Released(provider)
    release.create(**KARPENTER)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert release.refresh()
    assert "taken to be as it was recorded: `helm` is not on PATH" in release.notes[0]
    with pytest.raises(ProviderError, match="was installed with helm"):
        release.delete()
    with pytest.raises(ProviderError, match="was installed with helm"):
        release.update(**KARPENTER, values={"a": 1})


def test_a_create_that_died_is_found_by_its_mark(fake: Helm, provider: KubernetesProvider) -> None:
    release = Released(provider)
    release.create(**KARPENTER)
    found = provider.find(URN, helm.RELEASE, release.inputs, token="attempt", known_ids=frozenset())
    assert found is not None
    assert found.id == release.id
    assert provider.find(URN, helm.RELEASE, release.inputs, token="other", known_ids=frozenset()) is None
    assert provider.find(URN, helm.RELEASE, release.inputs, token="attempt", known_ids=frozenset({release.id})) is None


def test_an_import_takes_chart_version_and_values_from_helm(fake: Helm, provider: KubernetesProvider) -> None:
    Released(provider).create(**{**KARPENTER, "name": "mine"}, values={"a": 1})
    found = provider.read(URN, helm.RELEASE, "kube-system/mine", {}, {})
    assert found is not None
    expected = {
        "name": "mine",
        "namespace": "kube-system",
        "chart": "karpenter",
        "version": "1.14.0",
        "values": {"a": 1},
    }
    assert found.inputs == expected
    assert provider.read(URN, helm.RELEASE, "kube-system/other", {}, {}) is None


def test_a_definition_goes_with_the_last_release_that_brings_it(
    no_helm: None, cluster: Cluster, provider: KubernetesProvider
) -> None:
    both = [Released(provider), Released(provider)]
    both[0].create(**{**KARPENTER, "name": "one"})
    both[1].create(**{**KARPENTER, "chart": "karpenter-crd", "name": "two"})
    both[0].delete()
    assert cluster.get("customresourcedefinitions", "nodepools.karpenter.sh") is not None
    both[1].delete()
    assert cluster.get("customresourcedefinitions", "nodepools.karpenter.sh") is None


def test_what_others_have_put_there_is_left_alone(
    no_helm: None, cluster: Cluster, provider: KubernetesProvider
) -> None:
    spec = {"group": "karpenter.sh", "scope": "Cluster"}
    cluster.put("apiextensions.k8s.io/v1", "CustomResourceDefinition", "nodepools.karpenter.sh", spec=spec)
    release = Released(provider)
    release.create(**KARPENTER)
    live = cluster.get("customresourcedefinitions", "nodepools.karpenter.sh")
    assert live is not None
    assert live["spec"] == spec
    release.delete()
    assert cluster.get("customresourcedefinitions", "nodepools.karpenter.sh") is not None
    assert cluster.get("customresourcedefinitions", "nodeclaims.karpenter.sh") is None


def test_a_namespace_that_a_release_asks_for_stands_in_too(
    no_helm: None, cluster: Cluster, provider: KubernetesProvider
) -> None:
    release = Released(provider)
    release.create(chart="unheard-of", namespace="tools", createNamespace=True)
    assert release.notes == ["chart unheard-of is not installed in this sandbox: `helm` is not on PATH"]
    assert cluster.get("namespaces", "tools") is not None
    release.delete()
    assert cluster.get("namespaces", "tools") is None


def test_definitions_of_a_chart_that_lies_here_are_its_own(
    no_helm: None, cluster: Cluster, provider: KubernetesProvider, tmp_path: Path
) -> None:
    (tmp_path / "own" / "crds").mkdir(parents=True)
    manifest = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": "as.example.com"}, "spec": {"group": "example.com"}}  # fmt: skip
    (tmp_path / "own" / "crds" / "a.yaml").write_text(f"# one\n---\n{json.dumps(manifest)}\n---\n")
    release = Released(provider)
    release.create(chart=str(tmp_path / "own"))
    assert cluster.get("customresourcedefinitions", "as.example.com") is not None
    skipping = Released(provider)
    release.delete()
    skipping.create(chart=str(tmp_path / "own"), skipCrds=True)
    assert cluster.get("customresourcedefinitions", "as.example.com") is None


def test_a_new_cluster_knows_nothing_of_what_was_recorded(
    no_helm: None, cluster: Cluster, provider: KubernetesProvider
) -> None:
    release = Released(provider)
    release.create(**KARPENTER)
    for definition in definitions_of("karpenter"):
        del cluster.objects["customresourcedefinitions", "", f"{definition.plural}.{definition.group}"]
    assert not release.refresh()


def test_a_preview_runs_nothing(fake: Helm, provider: KubernetesProvider) -> None:
    inputs = Released(provider).checked(**KARPENTER)
    made = provider.create(URN, helm.RELEASE, inputs, timeout=0, preview=True, token="attempt")
    assert made.outputs["name"] == inputs["name"]
    assert made.outputs["status"] is UNKNOWN  # programs read by its name what the chart brings: `Service.get`
    assert fake.commands == []
