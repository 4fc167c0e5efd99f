"""What drives GPUs: where its pods run, how GPUs are shared, and what comes only where it is needed."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from components.gpu_efa import image
from components.gpu_metrics import metrics_file
from components.gpu_sharing import Sharing, node_labels
from components.mig import TABLE, partitions
from stacks.settings import PlatformSettings, load_file
from stacks.settings.gpu import GpuSettings
from tests.components.kubernetes_objects import CASES, RELEASE, case, declared, named, of_kind, pods
from tests.components.platform_recording import Run


@pytest.fixture(scope="module")
def shared() -> Run:
    return declared(case("teams_and_shared_gpus"))


@pytest.fixture(scope="module")
def whole() -> Run:
    """The same pools, each pod with its GPUs for itself."""
    settings = case("teams_and_shared_gpus")
    teams = {name: team.model_copy(update={"queues": {}}) for name, team in settings.scheduling.teams.items()}
    scheduling = settings.scheduling.model_copy(update={"teams": teams})
    return declared(settings.model_copy(update={"gpu": GpuSettings(), "scheduling": scheduling}))


def _smallest() -> PlatformSettings:
    return load_file(CASES / "smallest.yaml")


def _spec(run: Run, name: str) -> dict[str, Any]:
    return named(run, "DaemonSet", name)["spec"]["template"]["spec"]


def test_without_gpu_pools_nothing_of_it_is_made() -> None:
    assert list(pods(declared(_smallest()))) == []
    assert of_kind(declared(_smallest()), "Namespace") == []


@pytest.mark.parametrize("name", ["nvidia-device-plugin", "dcgm-exporter"])
def test_plugin_and_exporter_run_on_every_gpu_node_before_all_else(whole: Run, name: str) -> None:
    spec = _spec(whole, name)
    assert spec["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in spec["tolerations"]
    assert spec["priorityClassName"] == "system-node-critical"
    assert "affinity" not in spec
    assert named(whole, "DaemonSet", name)["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": 1}


def test_the_versions_are_those_of_the_platform(whole: Run) -> None:
    images = {pod.place: [each["image"] for _, each in pod.containers()] for pod in pods(whole)}
    digest = "b5788e29e7ae5272de8de863ebe386d6611e608421a6ecc5b4e7d5952aba637f"
    exporter = "60d3b00ac80b4ae77f94dae2f943685605585ad9e92fdccda3154d009ae317cc"
    assert images == {
        "DaemonSet/nvidia-device-plugin": [f"nvcr.io/nvidia/k8s-device-plugin:v0.18.2@sha256:{digest}"],
        "DaemonSet/dcgm-exporter": [f"nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless@sha256:{exporter}"],
        "DaemonSet/aws-efa-k8s-device-plugin": [
            "602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/aws-efa-k8s-device-plugin:v0.5.20"
        ],
    }


@pytest.mark.parametrize(
    ("region", "registry"),
    [
        ("eu-west-1", "602401143452.dkr.ecr.eu-west-1.amazonaws.com/"),
        ("ap-east-1", "800184023465.dkr.ecr.ap-east-1.amazonaws.com/"),
        ("cn-north-1", "918309763551.dkr.ecr.cn-north-1.amazonaws.com.cn/"),
        ("xx-new-9", "602401143452.dkr.ecr.us-west-2.amazonaws.com/"),
    ],
)
def test_the_efa_plugin_comes_from_the_registry_of_its_region(region: str, registry: str) -> None:
    assert image(region).startswith(registry)


def test_the_efa_plugin_runs_where_there_is_efa_and_nowhere_else(whole: Run, shared: Run) -> None:
    (term,) = _spec(whole, "aws-efa-k8s-device-plugin")["affinity"]["nodeAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "bedplate.dev/pool", "operator": "In", "values": ["train"]}]
    # Turned off, or without a pool that has it, there is none.
    assert "aws-efa-k8s-device-plugin" not in [each["metadata"]["name"] for each in of_kind(shared, "DaemonSet")]
    settings = case("teams_and_shared_gpus")
    pools = {name: pool for name, pool in settings.cluster.node_pools.items() if name == "turns"}
    without = settings.model_copy(
        update={
            "cluster": settings.cluster.model_copy(update={"node_pools": pools}),
            "gpu": GpuSettings(),
            "scheduling": _smallest().scheduling,
        }
    )
    assert len(of_kind(declared(without), "DaemonSet")) == 2


def test_whole_gpus_take_no_configuration_and_no_rights(whole: Run) -> None:
    assert of_kind(whole, "ClusterRole") == []
    spec = _spec(whole, "nvidia-device-plugin")
    assert [each["name"] for each in spec["containers"]] == ["plugin"]
    assert "shareProcessNamespace" not in spec
    assert [each["name"] for each in spec["volumes"]] == ["device-plugins"]
    (configs,) = of_kind(whole, "ConfigMap")
    assert list(configs["data"]) == ["metrics.csv"]


def test_shared_gpus_are_configured_by_pool(shared: Run) -> None:
    (configs,) = (each["data"] for each in of_kind(shared, "ConfigMap") if "whole" in each["data"])
    read = {name: yaml.safe_load(text) for name, text in configs.items()}
    assert read == {
        "whole": {"version": "v1", "flags": {"migStrategy": "none", "failOnInitError": True}},
        "turns": {
            "version": "v1",
            "flags": {"migStrategy": "none", "failOnInitError": True},
            "sharing": {
                "timeSlicing": {
                    "failRequestsGreaterThanOne": True,
                    "resources": [{"name": "nvidia.com/gpu", "replicas": 4}],
                }
            },
        },
        "alike": {"version": "v1", "flags": {"migStrategy": "single", "failOnInitError": True}},
        "mixed": {"version": "v1", "flags": {"migStrategy": "mixed", "failOnInitError": True}},
    }


def test_the_sidecar_follows_the_label_of_the_node_and_has_the_only_token(shared: Run) -> None:
    spec = _spec(shared, "nvidia-device-plugin")
    (first,) = spec["initContainers"]
    plugin, follower = spec["containers"]
    for container, once in ((first, "true"), (follower, "false")):
        env = {each["name"]: each.get("value") for each in container["env"]}
        assert (env["ONESHOT"], env["NODE_LABEL"]) == (once, "nvidia.com/device-plugin.config")
        assert env["DEFAULT_CONFIG"] == "whole"
        assert "token" in [each["name"] for each in container["volumeMounts"]]
    assert "token" not in [each["name"] for each in plugin["volumeMounts"]]
    assert {"name": "CONFIG_FILE", "value": "/config/config.yaml"} in plugin["env"]
    (role,) = (each for each in of_kind(shared, "ClusterRole") if each["metadata"]["name"] == "nvidia-device-plugin")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]}]


def test_another_configuration_gives_other_pods(shared: Run) -> None:
    # Pulumi names the map, and names it anew when its content changes; the pods ask for it by that name.
    (configs,) = (each for each in shared.resources if each.name == "gpu-plugin-configs")
    assert "name" not in configs.inputs["metadata"]
    volumes = _spec(shared, "nvidia-device-plugin")["volumes"]
    assert {"name": "available-configs", "configMap": {"name": "gpu-plugin-configs-0123abcd"}} in volumes


def test_partitions_take_the_operator_with_all_else_of_it_off(shared: Run, whole: Run) -> None:
    releases = {each.inputs["name"]: each.inputs for each in shared.of(RELEASE)}
    operator = releases["gpu-operator"]
    assert (operator["version"], operator["namespace"]) == ("v26.3.3", "gpu-system")
    values = operator["values"]
    on = sorted(name for name, part in values.items() if part.get("enabled"))
    assert on == ["gfd", "migManager", "nfd"]
    assert values["driver"] == values["toolkit"] == {"enabled": False}
    assert values["mig"] == {"strategy": "mixed"}
    assert values["migManager"]["config"]["name"] == "gpu-operator-configs-0123abcd"
    (configs,) = (each["data"]["config.yaml"] for each in of_kind(shared, "ConfigMap") if "config.yaml" in each["data"])
    assert json.loads(configs)["mig-configs"] == {
        "all-disabled": [{"devices": "all", "mig-enabled": False}],
        "alike": [{"devices": "all", "mig-enabled": True, "mig-devices": {"1g.10gb": 7}}],
        "mixed": [{"devices": "all", "mig-enabled": True, "mig-devices": {"1g.10gb": 4, "3g.40gb": 1}}],
    }
    assert "gpu-operator" not in [each.inputs["name"] for each in whole.of(RELEASE)]


@pytest.mark.parametrize("name", ["nvidia-device-plugin", "dcgm-exporter"])
def test_whatever_holds_a_gpu_lets_go_while_it_is_partitioned(shared: Run, name: str) -> None:
    (term,) = _spec(shared, name)["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    label = name.removeprefix("nvidia-")
    assert {
        "key": f"nvidia.com/gpu.deploy.{label}",
        "operator": "NotIn",
        "values": ["paused-for-mig-change"],
    } in term["matchExpressions"]


def test_administrators_rights_come_with_partitions_and_profiling_only(shared: Run, whole: Run) -> None:
    for run, added in ((shared, {"SYS_ADMIN"}), (whole, set[str]())):
        for pod in pods(run):
            for place, container in pod.containers():
                capabilities = container["securityContext"].get("capabilities", {})
                expected = added if place.endswith(("/plugin", "/exporter")) else set()
                assert set(capabilities.get("add", [])) == expected, place


def test_bottlerocket_keeps_its_own_plugin() -> None:
    run = declared(case("gpu_pools"))
    (term,) = _spec(run, "nvidia-device-plugin")["affinity"]["nodeAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "bedplate.dev/pool", "operator": "NotIn", "values": ["notebooks"]}]


def test_metrics_are_a_service_without_an_address_of_its_own(whole: Run) -> None:
    service = named(whole, "Service", "dcgm-exporter")
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"] == {"app.kubernetes.io/name": "dcgm-exporter"}
    assert [each["port"] for each in service["spec"]["ports"]] == [9400]
    policy = named(whole, "NetworkPolicy", "allow-scrape", "gpu-system")["spec"]
    assert policy["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "dcgm-exporter"}}
    assert policy["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 9400}]


@pytest.mark.parametrize("profiling", [False, True])
def test_the_list_of_metrics_is_one_that_the_exporter_reads(profiling: bool) -> None:
    lines = metrics_file(profiling=profiling).splitlines()
    fields = [line.split(", ", 2) for line in lines]
    assert all(len(field) == 3 and field[1] in ("gauge", "counter", "label") for field in fields)
    assert len({field[0] for field in fields}) == len(fields)
    # A comma more would be one column more.
    assert not [field for field in fields if "," in field[2]]
    assert any(field[0].startswith("DCGM_FI_PROF_") for field in fields) is profiling


def test_labels_of_pods_on_metrics_take_the_right_to_read_pods(shared: Run, whole: Run) -> None:
    role = named(shared, "ClusterRole", "dcgm-exporter")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    assert _spec(shared, "dcgm-exporter")["automountServiceAccountToken"] is True
    assert _spec(whole, "dcgm-exporter")["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("sharing", "labels", "devices"),
    [
        (Sharing(), {}, {"nvidia.com/gpu": 8}),
        (Sharing(replicas=4), {"nvidia.com/device-plugin.config": "p"}, {"nvidia.com/gpu": 32}),
        (
            Sharing(mig={"1g.10gb": 7}),
            {"nvidia.com/device-plugin.config": "p", "nvidia.com/mig.config": "p"},
            {"nvidia.com/gpu": 56},
        ),
        (
            Sharing(mig={"1g.10gb": 4, "3g.40gb": 1}),
            {"nvidia.com/device-plugin.config": "p", "nvidia.com/mig.config": "p"},
            {"nvidia.com/mig-1g.10gb": 32, "nvidia.com/mig-3g.40gb": 8},
        ),
    ],
)
def test_sharing_is_a_label_of_the_nodes_and_a_number_of_devices(
    sharing: Sharing, labels: dict[str, str], devices: dict[str, int]
) -> None:
    assert node_labels("p", sharing) == labels
    assert sharing.devices(8) == devices


# Number of instances of each profile alone, as NVIDIA's guide has it ("Number of Instances Available").
@pytest.mark.parametrize(
    ("gpu", "memory", "most"),
    [
        ("A100", 40.0, {"1g.5gb": 7, "1g.10gb": 4, "2g.10gb": 3, "3g.20gb": 2, "4g.20gb": 1, "7g.40gb": 1}),
        ("A100", 80.0, {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "4g.40gb": 1, "7g.80gb": 1}),
        ("H200", 141.0, {"1g.18gb": 7, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "4g.71gb": 1, "7g.141gb": 1}),
        ("B300", 268.6, {"1g.34gb": 7, "1g.67gb": 4, "2g.67gb": 3, "3g.135gb": 2, "4g.135gb": 1, "7g.269gb": 1}),
        ("RTX PRO Server 6000", 96.0, {"1g.24gb": 4, "2g.48gb": 2, "4g.96gb": 1}),
    ],
)
def test_a_gpu_takes_as_many_instances_as_its_maker_says(gpu: str, memory: float, most: dict[str, int]) -> None:
    known = partitions(gpu, memory)
    assert known is not None
    assert {profile: known.most(profile) for profile in known.profiles} == most
    for profile, count in most.items():
        assert known.problem({profile: count}) is None
        assert known.problem({profile: count + 1}) is not None


def test_no_gpu_is_in_the_table_twice_and_older_ones_are_not() -> None:
    assert len({(each.gpu_name, each.memory_gib) for each in TABLE}) == len(TABLE)
    assert partitions("L4", 22.4) is partitions("A10G", 22.4) is partitions("A100", 96.0) is None
