"""Objects made, changed, read and deleted on a cluster that applies server-side."""

from __future__ import annotations

from typing import Any

import pytest

from engine.providers.base import DiffKind, ProviderError
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.values import Secret
from tests.engine.kubernetes.cluster import Cluster
from tests.engine.kubernetes.objects import Declared

DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "a"}]}},
    },
}


def with_spec(**changed: Any) -> dict[str, Any]:
    return {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], **changed}}


def test_an_object_is_made_read_changed_and_deleted(cluster: Cluster, provider: KubernetesProvider) -> None:
    web = Declared(provider, "apps/v1", "Deployment")
    outputs = web.create(**DEPLOYMENT)
    assert web.id == "default/web"
    assert outputs["metadata"]["uid"]
    assert "managedFields" not in outputs["metadata"]
    assert outputs["__fieldManager"].startswith("pulumi-kubernetes-")
    assert web.refresh()
    assert not web.diff(**DEPLOYMENT).changes
    web.update(**with_spec(replicas=3))
    live = cluster.get("deployments", "web", "default")
    assert live is not None
    assert live["spec"]["replicas"] == 3
    web.delete()
    assert cluster.get("deployments", "web", "default") is None
    assert not web.refresh()
    web.delete()  # gone already is a success


def test_what_is_declared_no_more_is_removed_and_the_rest_is_left(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    web = Declared(provider, "apps/v1", "Deployment")
    web.create(**with_spec(minReadySeconds=5))
    live = cluster.get("deployments", "web", "default")
    assert live is not None
    live["spec"]["paused"] = True  # somebody else's
    web.update(**DEPLOYMENT)
    assert "minReadySeconds" not in live["spec"]
    assert live["spec"]["paused"] is True


def test_numbers_are_whole_where_the_protocol_made_them_fractions(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    Declared(provider, "apps/v1", "Deployment").create(**with_spec(replicas=2.0))
    live = cluster.get("deployments", "web", "default")
    assert live is not None
    assert repr(live["spec"]["replicas"]) == "2"


def test_an_object_that_exists_is_not_taken_over(cluster: Cluster, provider: KubernetesProvider) -> None:
    cluster.put("v1", "ConfigMap", "settings", "default", data={"a": "theirs"})
    settings = Declared(provider, "v1", "ConfigMap")
    with pytest.raises(
        ProviderError, match=r"ConfigMap 'it': it exists already, made 2026-\S+ by kubectl, .*Import it"
    ):
        settings.create(metadata={"name": "settings"}, data={"a": "ours"})
    live = cluster.get("configmaps", "settings", "default")
    assert live is not None
    assert live["data"] == {"a": "theirs"}


def test_an_object_is_taken_over_where_the_provider_says_so(cluster: Cluster, provider: KubernetesProvider) -> None:
    cluster.put("v1", "ConfigMap", "settings", "default", data={"a": "theirs", "b": "theirs"})
    from tests.engine.kubernetes.conftest import kubeconfig

    provider.configure({"kubeconfig": kubeconfig(cluster.url), "upsertExistingObjects": "true"})
    Declared(provider, "v1", "ConfigMap").create(metadata={"name": "settings"}, data={"a": "ours"})
    live = cluster.get("configmaps", "settings", "default")
    assert live is not None
    assert live["data"] == {"a": "ours", "b": "theirs"} or live["data"] == {"a": "ours"}


def test_a_conflict_of_field_managers_names_managers_fields_and_a_way_out(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    web = Declared(provider, "apps/v1", "Deployment")
    web.create(**DEPLOYMENT)
    live = cluster.get("deployments", "web", "default")
    assert live is not None
    live["spec"]["replicas"] = 7
    live["metadata"]["managedFields"].append(
        {"manager": "autoscaler", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    )
    with pytest.raises(ProviderError) as raised:
        web.update(**with_spec(replicas=3))
    assert "autoscaler owns .spec.replicas" in str(raised.value)
    assert "ignore_changes" in str(raised.value)
    assert 'pulumi.com/patchForce: "true"' in str(raised.value)
    assert live["spec"]["replicas"] == 7
    forced = {**with_spec(replicas=3), "metadata": {"name": "web", "annotations": {"pulumi.com/patchForce": "true"}}}
    web.update(**forced)
    assert live["spec"]["replicas"] == 3


def test_what_client_side_tools_had_declared_is_taken_over_silently(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    cluster.put(
        "v1", "ConfigMap", "settings", "default", manager="kubectl-client-side-apply", data={"a": "1", "b": "2"}
    )
    settings = Declared(provider, "v1", "ConfigMap", id="default/settings")
    assert settings.refresh()
    settings.update(metadata={"name": "settings"}, data={"a": "ours"})
    live = cluster.get("configmaps", "settings", "default")
    assert live is not None
    assert live["data"]["a"] == "ours"
    assert [entry["manager"] for entry in live["metadata"]["managedFields"]] == [settings.outputs["__fieldManager"]]


def test_drift_of_what_is_declared_is_seen_and_what_the_server_adds_is_not(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    web = Declared(provider, "apps/v1", "Deployment")
    web.create(**DEPLOYMENT)
    cluster.change("deployments", "web", "default", status={"replicas": 2})
    live = cluster.get("deployments", "web", "default")
    assert live is not None
    live["spec"]["progressDeadlineSeconds"] = 600
    web.refresh()
    assert not web.diff(**DEPLOYMENT).changes
    live["spec"]["replicas"] = 9
    web.refresh()
    assert web.diff(**DEPLOYMENT).detailed == {"spec.replicas": DiffKind.UPDATE}


def test_what_another_has_made_under_the_same_name_is_not_ours(cluster: Cluster, provider: KubernetesProvider) -> None:
    settings = Declared(provider, "v1", "ConfigMap")
    settings.create(metadata={"name": "settings"}, data={"a": "1"})
    cluster.remove("configmaps", "settings", "default")
    cluster.put("v1", "ConfigMap", "settings", "default", data={"a": "theirs"})
    assert not settings.refresh()
    settings.delete()
    assert cluster.get("configmaps", "settings", "default") is not None


def test_an_import_takes_what_somebody_has_applied(cluster: Cluster, provider: KubernetesProvider) -> None:
    first = Declared(provider, "apps/v1", "Deployment")
    first.create(**DEPLOYMENT)
    cluster.change("deployments", "web", "default", status={"replicas": 2})
    live = cluster.get("deployments", "web", "default")
    assert live is not None
    live["spec"]["progressDeadlineSeconds"] = 600
    imported = Declared(provider, "apps/v1", "Deployment", id="default/web")
    assert imported.refresh()
    assert not imported.diff(**DEPLOYMENT).changes


def test_a_patch_manages_its_fields_and_leaves_the_object(cluster: Cluster, provider: KubernetesProvider) -> None:
    cluster.put("v1", "Namespace", "theirs")
    patch = Declared(provider, "v1", "Namespace", patch=True)
    patch.create(metadata={"name": "theirs", "labels": {"team": "a"}})
    live = cluster.get("namespaces", "theirs")
    assert live is not None
    assert live["metadata"]["labels"] == {"team": "a"}
    patch.update(metadata={"name": "theirs", "labels": {"team": "b"}})
    assert live["metadata"]["labels"] == {"team": "b"}
    patch.delete()
    assert cluster.get("namespaces", "theirs") is live
    assert "team" not in live["metadata"].get("labels", {})
    assert patch.failures(metadata={}) == {
        "metadata.name": "is required and missing: a patch names the object whose fields it manages"
    }


def test_a_cluster_scoped_object_has_no_namespace_in_its_id(cluster: Cluster, provider: KubernetesProvider) -> None:
    pool = Declared(provider, "karpenter.sh/v1", "NodePool")
    cluster.define("karpenter.sh/v1", "NodePool", "nodepools", namespaced=False)
    pool.create(metadata={"name": "gpu"}, spec={"limits": {"cpu": "10"}})
    assert pool.id == "gpu"
    assert pool.refresh()
    assert not pool.diff(metadata={"name": "gpu"}, spec={"limits": {"cpu": "10"}}).changes
    pool.delete()
    assert cluster.get("nodepools", "gpu") is None


def test_what_an_interrupted_create_has_made_is_found_by_its_token(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    cluster.put("v1", "ConfigMap", "theirs", "default", data={"a": "1"})
    ours = Declared(provider, "v1", "ConfigMap")
    ours.create(token="bedplate-a", metadata={"name": "ours"}, data={"a": "1"})
    arguments = (ours.urn, ours.type, ours.inputs)
    found = provider.find(*arguments, token="bedplate-a", known_ids=frozenset())
    assert found is not None
    assert (found.id, found.inputs) == (ours.id, ours.inputs)
    assert provider.find(*arguments, token="bedplate-b", known_ids=frozenset()) is None
    assert provider.find(*arguments, token="bedplate-a", known_ids=frozenset({ours.id})) is None
    theirs = ours.check(olds={}, metadata={"name": "theirs"}, data={"a": "1"})
    assert provider.find(ours.urn, ours.type, theirs, token="bedplate-a", known_ids=frozenset()) is None


def test_what_the_server_warns_of_is_noted(cluster: Cluster, provider: KubernetesProvider) -> None:
    from engine.providers.notes import taking_notes

    cluster.warnings = ['unknown field "spec.\\"replicsa\\""', "v1 X is deprecated"]
    with taking_notes() as notes:
        Declared(provider, "v1", "ConfigMap").create(metadata={"name": "a"})
    assert len(notes) == 2
    assert notes[1] == "v1 X is deprecated"


def test_what_declares_only_a_name_is_found_again_too(cluster: Cluster, provider: KubernetesProvider) -> None:
    """The server keeps no field manager of an object that declares no fields."""
    account = Declared(provider, "v1", "ServiceAccount")
    account.create(token="bedplate-a", metadata={"name": "a"})
    found = provider.find(account.urn, account.type, account.inputs, token="bedplate-a", known_ids=frozenset())
    assert found is not None
    assert found.inputs == account.inputs
    imported = Declared(provider, "v1", "ServiceAccount", id="default/a")
    assert imported.refresh()
    assert not imported.diff(metadata={"name": "a"}).changes


def test_a_quantity_that_the_server_writes_otherwise_is_the_same(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    quota = Declared(provider, "v1", "ResourceQuota")
    cluster.react = lambda live: live.update(spec={"hard": {"cpu": "500m"}}, status={"hard": {"cpu": "500m"}})
    declared: dict[str, Any] = {"metadata": {"name": "q"}, "spec": {"hard": {"cpu": "0.5"}}}
    quota.create(**declared)
    assert quota.refresh()
    assert quota.inputs["spec"] == {"hard": {"cpu": "0.5"}}
    assert not quota.diff(**{**declared, "spec": {"hard": {"cpu": "500m"}}}).changes
    assert quota.diff(**{**declared, "spec": {"hard": {"cpu": "5"}}}).changes


def test_what_the_server_leaves_out_is_no_drift_and_what_others_take_away_is(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    def leave_out(live: dict[str, Any]) -> None:
        live.pop("globalDefault", None)
        for one in live["items"]:
            one.pop("value", None)

    cluster.react = leave_out
    declared: dict[str, Any] = {
        "metadata": {"name": "a"}, "globalDefault": False, "preemptionPolicy": "Never",
        "items": [{"name": "EMPTY", "value": ""}],
    }  # fmt: skip
    one = Declared(provider, "example.com/v1", "Thing")
    cluster.define("example.com/v1", "Thing", "things", namespaced=False)
    one.create(**declared)
    assert one.refresh()
    assert not one.diff(**declared).changes
    found = cluster.get("things", "a")
    assert found is not None
    del found["preemptionPolicy"]
    assert one.refresh()
    assert list(one.diff(**declared).detailed) == ["preemptionPolicy"]


def test_a_definition_from_yaml_is_seen_as_it_is_spelt_there(cluster: Cluster, provider: KubernetesProvider) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    declared: dict[str, Any] = {
        "metadata": {"name": "things.example.com", "annotations": {"pulumi.com/skipAwait": "true"}},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }  # fmt: skip
    one = Declared(provider, "apiextensions.k8s.io/v1", "CustomResourceDefinition")
    one.create(**declared)
    assert one.refresh()
    assert not one.diff(**declared).changes


def test_a_secret_is_compared_by_what_it_says(cluster: Cluster, provider: KubernetesProvider) -> None:
    def encode(live: dict[str, Any]) -> None:
        live.pop("stringData", None)
        live["data"] = {"a": "b25l"}

    cluster.react = encode
    secret = Declared(provider, "v1", "Secret")
    declared: dict[str, Any] = {"metadata": {"name": "s"}, "stringData": {"a": "one"}}
    secret.create(**declared)
    assert secret.refresh()
    assert not secret.diff(**declared).changes
    live = cluster.get("secrets", "s", "default")
    assert live is not None
    live["data"] = {"a": "dHdv"}
    secret.refresh()
    assert secret.inputs["stringData"] == {"a": "two"}
    assert secret.diff(**declared).changes
    imported = Declared(provider, "v1", "Secret", id="default/s")
    imported.refresh()
    assert not imported.diff(metadata={"name": "s"}, stringData={"a": "two"}).changes


def test_what_a_secret_holds_is_secret_in_its_outputs_and_in_the_inputs_kept_beside_them(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    secret = Declared(provider, "v1", "Secret")
    inputs = secret.check(metadata={"name": "s"}, data={"a": "b25l"})
    outputs = provider.create(secret.urn, secret.type, inputs, timeout=5, preview=False, token="t").outputs
    assert outputs["data"] == Secret({"a": "b25l"})
    kept = outputs["__inputs"]
    assert isinstance(kept, dict)
    assert kept["data"] == Secret({"a": "b25l"})
    assert kept["kind"] == "Secret"  # what is no secret is none: its texts would be masked in every message


def test_the_copy_of_a_secret_that_kubectl_keeps_in_it_is_secret_too(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    secret = Declared(provider, "v1", "Secret")
    secret.create(metadata={"name": "s", "annotations": {"note": "plain"}}, data={"a": "b25l"})
    live = cluster.get("secrets", "s", "default")
    assert live is not None
    live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = '{"data":{"a":"b25l"}}'
    found = provider.read(secret.urn, secret.type, secret.id, secret.inputs, secret.outputs)
    assert found is not None
    annotations = found.outputs["metadata"]["annotations"]
    assert annotations["kubectl.kubernetes.io/last-applied-configuration"] == Secret('{"data":{"a":"b25l"}}')
    assert annotations["note"] == "plain"
