"""Rules that hold for every Kubernetes object of every environment; a new component is covered without a word here.

Numbers are those of the project's list of rules. What may break one is named here with the reason, once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from components.namespace_names import GPU_NAMESPACE, NODE_METRICS_NAMESPACE
from engine.providers.kubernetes.schema import validate
from stacks.settings import environments, load
from tests.components.kubernetes_objects import Pod, case, everything, manifest, objects, of_kind, pods
from tests.components.platform_recording import Run

COST_LABELS = {"Project", "Environment", "Team", "Owner", "CostCenter", "DeploymentId", "ManagedBy", "Component"}
# Namespaces whose pods drive devices: the kubelet talks to them through folders of the node.
DRIVES_DEVICES = {GPU_NAMESPACE}
# Namespaces whose pods have folders of the node, and which: the node exporter reads how full its disks are.
HOST_FOLDERS = {
    GPU_NAMESPACE: {"/var/lib/kubelet/device-plugins", "/var/lib/kubelet/pod-resources", "/dev/infiniband"},
    NODE_METRICS_NAMESPACE: {"/proc", "/sys", "/"},
}
# These are only read.
READ_ONLY = {"/proc", "/sys", "/", "/var/lib/kubelet/pod-resources", "/dev/infiniband"}
# Watches every node, whatever it is there for.
EVERYWHERE = {"DaemonSet/node-exporter"}
# The EFA interfaces are the node's: its plugin opens their devices, in the node's network.
PRIVILEGED = {"DaemonSet/aws-efa-k8s-device-plugin"}
REGISTRIES = (
    r"(nvcr\.io/nvidia|docker\.io/(prom|grafana)|quay\.io/prometheus|registry\.k8s\.io/kube-state-metrics"
    r"|\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/eks)/"
)


@pytest.fixture(scope="module", params=[*environments(), "shared_gpus"])
def run(request: pytest.FixtureRequest) -> Run:
    name = request.param
    return everything(case("teams_and_shared_gpus") if name == "shared_gpus" else load(name))


def test_every_object_is_one_that_the_api_server_takes(run: Run) -> None:
    seen = 0
    for resource in objects(run):
        assert validate("1.35", manifest(resource)) == [], resource.urn
        seen += 1
    assert seen >= 4


def test_every_object_and_every_pod_says_whose_it_is(run: Run) -> None:  # 78
    for resource in objects(run):
        labels = manifest(resource)["metadata"]["labels"]
        assert labels.keys() >= COST_LABELS, resource.urn
        assert labels["app.kubernetes.io/part-of"] == "bedplate"
        assert all(re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", each) for each in labels.values())
    for pod in pods(run):
        assert pod.labels.keys() >= COST_LABELS, pod.place


def test_claims_say_whose_they_are_and_a_new_label_makes_no_new_volume(run: Run) -> None:
    """The trap: claim templates can't be changed, so a StatefulSet would be made anew, and lose its volumes."""
    for resource in objects(run):
        claims: list[Any] = manifest(resource).get("spec", {}).get("volumeClaimTemplates", [])
        for claim in claims:
            assert claim["metadata"]["labels"].keys() >= COST_LABELS, resource.urn
        assert ("spec.volumeClaimTemplates[*].metadata.labels" in resource.ignore_changes) is bool(claims), resource.urn


def test_what_is_read_once_gets_another_name_and_what_is_read_again_changes_in_place(run: Run) -> None:
    """The trap: the provider makes a ConfigMap of a given name anew, which is away meanwhile.

    Told not to (enableConfigMapMutable), it changes those in place, too, whose readers are to be replaced.
    """
    for config in of_kind(run, "ConfigMap"):
        assert config.get("immutable", False) is ("name" not in config["metadata"]), config["metadata"]


def test_every_object_has_a_provider_and_a_name_that_kubernetes_takes(run: Run) -> None:
    for resource in objects(run):
        assert "pulumi:providers:kubernetes" in resource.provider, resource.urn
        name = manifest(resource)["metadata"].get("name", "given-by-pulumi")
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name), resource.urn


def test_no_two_objects_are_the_same(run: Run) -> None:
    made = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in map(manifest, objects(run))
        if "name" in each["metadata"]
    ]
    assert len(made) == len(set(made))


def _context(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return container["securityContext"]


def test_containers_are_held_down(run: Run) -> None:  # 57, 60-64
    for pod in pods(run):
        for place, container in pod.containers():
            context = _context(container)
            assert context["readOnlyRootFilesystem"] is True, place
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, place
            if pod.place in PRIVILEGED:
                continue
            assert context["privileged"] is False, place
            assert context["allowPrivilegeEscalation"] is False, place
            assert context["capabilities"]["drop"] == ["ALL"], place
            if pod.namespace not in DRIVES_DEVICES:
                assert context["runAsNonRoot"] is True, place
                assert "add" not in context["capabilities"], place


def test_only_what_drives_devices_or_watches_nodes_touches_its_node(run: Run) -> None:  # 58, 59
    for pod in pods(run):
        assert not {"hostPID", "hostIPC"} & pod.spec.keys(), pod.place
        assert pod.spec.get("hostNetwork", False) is (pod.place in PRIVILEGED), pod.place
        volumes = pod.spec.get("volumes", [])
        folders = {each["name"]: each["hostPath"]["path"] for each in volumes if "hostPath" in each}
        assert set(folders.values()) <= HOST_FOLDERS.get(pod.namespace, set()), pod.place
        for place, container in pod.containers():
            for mount in container.get("volumeMounts", []):
                assert mount.get("readOnly") or folders.get(mount["name"]) not in READ_ONLY, (place, mount)


def test_nobody_gets_a_token_who_has_no_use_for_it(run: Run) -> None:  # 65
    bound = {
        (subject["namespace"], subject["name"])
        for binding in of_kind(run, "ClusterRoleBinding")
        for subject in binding["subjects"]
    }
    for pod in pods(run):
        account = pod.spec["serviceAccountName"]
        assert account != "default", pod.place
        if pod.spec["automountServiceAccountToken"]:
            assert (pod.namespace, account) in bound, pod.place
    for account in of_kind(run, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


def test_images_are_of_one_release_and_of_known_registries(run: Run) -> None:  # 66, 67
    for pod in pods(run):
        for place, container in pod.containers():
            assert re.match(REGISTRIES, container["image"]), place
            assert re.search(r":v?\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$", container["image"]), place


def test_containers_say_what_they_take(run: Run) -> None:  # 68
    for pod in pods(run):
        for place, container in pod.containers():
            for kind in ("requests", "limits"):
                assert container["resources"][kind].keys() >= {"cpu", "memory"}, place


def test_namespaces_are_guarded(run: Run) -> None:  # 70, 71, 72
    for namespace in of_kind(run, "Namespace"):
        name, labels = namespace["metadata"]["name"], namespace["metadata"]["labels"]
        level = labels["pod-security.kubernetes.io/enforce"]
        expected = {"privileged"} if name in HOST_FOLDERS else {"restricted", "baseline"}
        assert level in expected, name
        for kind in ("ResourceQuota", "LimitRange"):
            assert [each for each in of_kind(run, kind) if each["metadata"]["namespace"] == name], (name, kind)
        policies = [each for each in of_kind(run, "NetworkPolicy") if each["metadata"]["namespace"] == name]
        assert [each["spec"] for each in policies if each["metadata"]["name"] == "deny-all"] == [
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        ]
    made = {each["metadata"]["name"] for each in of_kind(run, "Namespace")}
    assert {pod.namespace for pod in pods(run)} <= made


def test_a_container_that_asks_for_much_and_states_no_limit_is_let_in(run: Run) -> None:
    for ranges in of_kind(run, "LimitRange"):
        (limit,) = ranges["spec"]["limits"]
        assert limit.keys() == {"type", "defaultRequest"}, ranges["metadata"]


def test_roles_have_no_wildcards_and_lead_to_nothing_more(run: Run) -> None:  # 73, 74
    refused = {"secrets", "roles", "rolebindings", "clusterroles", "clusterrolebindings", "serviceaccounts/token"}
    for role in [*of_kind(run, "Role"), *of_kind(run, "ClusterRole")]:
        for rule in role["rules"]:
            for part in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
                assert not [each for each in rule.get(part, []) if "*" in each], role["metadata"]
            assert not refused & set(rule.get("resources", [])), role["metadata"]
            assert not {"bind", "escalate", "impersonate"} & set(rule["verbs"]), role["metadata"]
    for role in of_kind(run, "ClusterRole"):
        assert {verb for rule in role["rules"] for verb in rule["verbs"]} <= {"get", "list", "watch"}


def test_services_stay_inside(run: Run) -> None:  # 77
    for service in of_kind(run, "Service"):
        assert service["spec"]["type"] == "ClusterIP"
    for quota in of_kind(run, "ResourceQuota"):
        hard = quota["spec"]["hard"]
        if "scopeSelector" not in quota["spec"]:
            assert hard["services.loadbalancers"] == hard["services.nodeports"] == "0"


def _gpus(pod: Pod) -> list[str]:
    return [
        name
        for _, container in pod.containers()
        for kind in ("requests", "limits")
        for name in container["resources"][kind]
        if name.startswith("nvidia.com/")
    ]


def test_a_pod_on_gpu_nodes_is_there_for_the_gpus(run: Run) -> None:
    """The trap: a pod that needs no GPU, put on a GPU node, keeps that node from being empty, and paid for."""
    for pod in pods(run):
        tolerated = [each for each in pod.spec.get("tolerations", []) if each.get("key") in ("nvidia.com/gpu", None)]
        if tolerated and not _gpus(pod):
            # Kubernetes takes pods of a DaemonSet for no reason to keep a node.
            assert pod.place.startswith("DaemonSet/"), pod.place
            if pod.place not in EVERYWHERE:
                assert pod.spec["nodeSelector"] == {"nvidia.com/gpu.present": "true"}, pod.place
    for flavor in of_kind(run, "ResourceFlavor"):
        assert "tolerations" not in flavor["spec"], "the queue would put any pod onto these nodes"
