"""Teams and queues: what a team's place holds, what its quota comes to, and in which order it comes and goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.kubernetes import deployment_labels, label_value
from components.tags import Ownership
from stacks.settings.scheduling import SchedulingSettings
from tests.components.kubernetes_objects import RELEASE, case, declared, manifest, named, objects, of_kind
from tests.components.platform_recording import Recorded, Run


@pytest.fixture(scope="module")
def run() -> Run:
    return declared(case("teams_and_shared_gpus"))


def _quota(run: Run, namespace: str) -> dict[str, str]:
    return named(run, "ResourceQuota", "quota", namespace)["spec"]["hard"]


def _policies(run: Run, namespace: str) -> dict[str, Any]:
    found = [each for each in of_kind(run, "NetworkPolicy") if each["metadata"]["namespace"] == namespace]
    return {each["metadata"]["name"]: each["spec"] for each in found}


def test_a_teams_objects_carry_its_name_and_its_costs(run: Run) -> None:
    seen = 0
    for each in map(manifest, objects(run)):
        metadata = each["metadata"]
        if "seeing" in (metadata.get("namespace"), metadata.get("name")) and not each["apiVersion"].startswith("kueue"):
            labels = metadata["labels"]
            assert (labels["Team"], labels["CostCenter"]) == ("vision", "CC-2")
            assert labels["Owner"] == "vision_at_example.com"
            seen += 1
    assert seen >= 15
    assert named(run, "Namespace", "team-speech")["metadata"]["labels"]["CostCenter"] == "CC-1"


def test_pods_keep_the_standard_that_the_settings_say(run: Run) -> None:
    levels = {
        each["metadata"]["name"]: {
            value for key, value in each["metadata"]["labels"].items() if key.startswith("pod-security")
        }
        for each in of_kind(run, "Namespace")
    }
    assert levels == {
        "gpu-system": {"privileged"},
        "kueue-system": {"restricted"},
        "seeing": {"baseline"},
        "team-speech": {"restricted"},
    }


def test_a_quota_holds_what_the_teams_gpus_bring_along(run: Run) -> None:
    # 24 GPUs of p5.48xlarge (8 with 192 vCPU and 2,048 GiB), 28 of 56 shares of p4de.24xlarge (96 vCPU, 1,152 GiB),
    # and the 12 that no queue says the pool of: those of p5.4xlarge bring most, but are partitioned: p5.48xlarge. The 2
    # of the 5 partitions of a p5.4xlarge (16 vCPU and 256 GiB) bring theirs.
    quota = _quota(run, "seeing")
    assert quota["requests.nvidia.com/gpu"] == "64"
    assert quota["requests.cpu"] == str(64 + 24 * 24 + 48 + 12 * 24 + 6)
    assert quota["requests.memory"] == f"{256 + 24 * 256 + 576 + 12 * 256 + 102}Gi"
    assert (quota["pods"], quota["requests.storage"]) == ("200", "2000Gi")
    assert _quota(run, "team-speech")["requests.nvidia.com/gpu"] == "32"
    assert _quota(run, "team-speech")["requests.cpu"] == str(32 + 16 * 24 + 48)


def test_partitions_that_a_team_has_none_of_are_named_in_its_quota(run: Run) -> None:
    mig = {name: each for name, each in _quota(run, "seeing").items() if "mig" in name}
    assert mig == {"requests.nvidia.com/mig-1g.10gb": "2", "requests.nvidia.com/mig-3g.40gb": "0"}
    assert _quota(run, "team-speech")["requests.nvidia.com/mig-1g.10gb"] == "0"


def test_a_team_uses_the_priorities_that_are_its_own(run: Run) -> None:
    def forbidden(namespace: str) -> set[str]:
        spec = named(run, "ResourceQuota", "priorities", namespace)["spec"]
        assert spec["hard"] == {"pods": "0"}
        (selector,) = spec["scopeSelector"]["matchExpressions"]
        assert (selector["scopeName"], selector["operator"]) == ("PriorityClass", "In")
        return set(selector["values"])

    system = {"system-cluster-critical", "system-node-critical"}
    assert forbidden("seeing") == {"urgent", *system}
    assert forbidden("team-speech") == system


def test_priority_classes_say_who_may_push_whom() -> None:
    classes = {each["metadata"]["name"]: each for each in of_kind(declared(case("smallest")), "PriorityClass")}
    order = sorted(classes, key=lambda name: -classes[name]["value"])
    assert order == ["inference", "interactive", "training", "batch"]
    preempting = {name for name, each in classes.items() if each["preemptionPolicy"] == "PreemptLowerPriority"}
    assert preempting == {"inference", "interactive"}
    assert not any(each["globalDefault"] for each in classes.values())


def test_a_team_reaches_its_own_and_what_its_settings_say(run: Run) -> None:
    always = {"deny-all", "allow-dns", "allow-same-namespace", "allow-scrape", "allow-push"}
    vision = _policies(run, "seeing")
    assert vision.keys() == {*always, "allow-api-server", "allow-destinations"}
    assert vision["allow-destinations"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "ports": [{"protocol": "TCP", "port": 5432}]},
        {"to": [{"ipBlock": {"cidr": "10.2.0.0/16"}}]},
    ]
    # Its interfaces, and the service `kubernetes`: the VPC CNI sees the address that a pod calls, not where it leads.
    assert vision["allow-api-server"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"protocol": "TCP", "port": 443}]}
        for cidr in ("10.0.0.0/16", "172.20.0.1/32")
    ]
    assert _policies(run, "team-speech").keys() == always
    (source,) = vision["allow-scrape"]["ingress"][0]["from"]
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}}
    assert source == monitoring
    # Only pods that say that they push reach the gateway.
    assert vision["allow-push"]["podSelector"] == {"matchLabels": {"bedplate.dev/pushes-metrics": "true"}}
    gateway = {**monitoring, "podSelector": {"matchLabels": {"app.kubernetes.io/name": "pushgateway"}}}
    assert vision["allow-push"]["egress"] == [{"to": [gateway], "ports": [{"protocol": "TCP", "port": 9091}]}]


def test_https_leads_everywhere_but_to_the_nodes_own_credentials() -> None:
    settings = case("smallest")
    scheduling = SchedulingSettings.model_validate({"teams": {"text": {}}})
    policies = _policies(declared(settings.model_copy(update={"scheduling": scheduling})), "team-text")
    (way,) = policies["allow-https"]["egress"]
    assert way["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]
    assert [each["port"] for each in way["ports"]] == [443]
    (agent,) = policies["allow-pod-identity"]["egress"]
    assert agent == {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"protocol": "TCP", "port": 80}]}


def test_the_api_server_of_an_existing_network_is_looked_for_in_private_ranges() -> None:
    settings = case("existing_vpc")
    scheduling = SchedulingSettings.model_validate({"teams": {"text": {"egress": "api-server"}}})
    policies = _policies(declared(settings.model_copy(update={"scheduling": scheduling})), "team-text")
    ranges = [each["to"][0]["ipBlock"]["cidr"] for each in policies["allow-api-server"]["egress"]]
    assert ranges == ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "172.20.0.1/32"]


def test_groups_get_roles_of_their_namespace(run: Run) -> None:
    for role, group in (("team-editor", "vision"), ("team-viewer", "everybody")):
        binding = named(run, "RoleBinding", role, "seeing")
        assert [(each["kind"], each["name"]) for each in binding["subjects"]] == [("Group", group)]
        assert binding["roleRef"]["name"] == role
    assert not [each for each in of_kind(run, "Role") if each["metadata"]["namespace"] == "team-speech"]
    viewer = named(run, "Role", "team-viewer", "seeing")["rules"]
    assert {verb for rule in viewer for verb in rule["verbs"]} == {"get", "list", "watch"}
    editor = named(run, "Role", "team-editor", "seeing")["rules"]
    changed = {name for rule in editor if "create" in rule["verbs"] for name in rule["resources"]}
    assert {"pods", "jobs", "deployments"} <= changed
    # A team that could change these could give itself what it was not given.
    assert not {"resourcequotas", "limitranges", "networkpolicies", "daemonsets", "serviceaccounts"} & changed


def test_flavors_are_the_pools_with_their_taints(run: Run) -> None:
    flavors = {each["metadata"]["name"]: each["spec"] for each in of_kind(run, "ResourceFlavor")}
    taint = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
    assert flavors == {
        "work": {"nodeLabels": {"bedplate.dev/pool": "work"}},
        "train": {
            "nodeLabels": {"bedplate.dev/pool": "train"},
            "nodeTaints": [taint],
            "topologyName": "network",
        },
        "turns": {"nodeLabels": {"bedplate.dev/pool": "turns"}, "nodeTaints": [taint]},
        "alike": {"nodeLabels": {"bedplate.dev/pool": "alike"}, "nodeTaints": [taint]},
        "mixed": {"nodeLabels": {"bedplate.dev/pool": "mixed"}, "nodeTaints": [taint]},
    }
    (topology,) = of_kind(run, "Topology")
    assert topology["spec"]["levels"][-1] == {"nodeLabel": "kubernetes.io/hostname"}


def test_a_queue_guarantees_lends_and_borrows_in_one_cohort(run: Run) -> None:
    spec = named(run, "ClusterQueue", "vision")["spec"]
    assert (spec["cohortName"], spec["queueingStrategy"]) == ("platform", "StrictFIFO")
    assert spec["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "seeing"}}
    assert spec["preemption"]["reclaimWithinCohort"] == "Any"
    (group,) = spec["resourceGroups"]
    partition = "nvidia.com/mig-1g.10gb"
    assert group["coveredResources"] == ["cpu", "memory", "nvidia.com/gpu", partition]
    quotas = {
        flavor["name"]: {each["name"]: (each["nominalQuota"], each["borrowingLimit"]) for each in flavor["resources"]}
        for flavor in group["flavors"]
    }
    assert quotas == {
        "work": {"cpu": ("64", "0"), "memory": ("256Gi", "0"), "nvidia.com/gpu": ("0", "0"), partition: ("0", "0")},
        "train": {
            "cpu": ("384", "192"), "memory": ("4096Gi", "2048Gi"), "nvidia.com/gpu": ("16", "8"), partition: ("0", "0"),
        },
        "alike": {
            "cpu": ("48", "0"), "memory": ("576Gi", "0Gi"), "nvidia.com/gpu": ("28", "0"), partition: ("0", "0"),
        },
        # Partitions of several profiles are resources of their own: what no queue covers is never let in.
        "mixed": {"cpu": ("6", "0"), "memory": ("102Gi", "0"), "nvidia.com/gpu": ("0", "0"), partition: ("2", "0")},
    }  # fmt: skip
    local = named(run, "LocalQueue", "default", "seeing")
    assert local["spec"] == {"clusterQueue": "vision"}


def test_nodes_without_gpus_are_tried_first(run: Run) -> None:
    """The trap: a CPU workload on a GPU node keeps that node. Here it finds a place elsewhere before it is asked."""
    for queue in of_kind(run, "ClusterQueue"):
        names = [flavor["name"] for flavor in queue["spec"]["resourceGroups"][0]["flavors"]]
        assert names[0] == "work"


def test_every_flavor_lists_the_covered_resources_in_their_order(run: Run) -> None:
    # Kueue refuses a queue otherwise.
    for queue in of_kind(run, "ClusterQueue"):
        for group in queue["spec"]["resourceGroups"]:
            for flavor in group["flavors"]:
                assert [each["name"] for each in flavor["resources"]] == group["coveredResources"]


def test_a_cluster_without_pools_has_a_flavor_of_any_node() -> None:
    settings = case("smallest")
    scheduling = SchedulingSettings.model_validate({"teams": {"text": {}}})
    run = declared(settings.model_copy(update={"scheduling": scheduling}))
    (flavor,) = of_kind(run, "ResourceFlavor")
    assert (flavor["metadata"]["name"], flavor["spec"]) == ("any", {"nodeLabels": {}})


def _by_urn(run: Run) -> dict[str, Recorded]:
    return {each.urn: each for each in run.resources}


def _before(run: Run, resource: Recorded) -> set[str]:
    """Everything that ``resource`` waits for, by urn: what it depends on, its component, and what that depends on."""
    known, found, ahead = _by_urn(run), set[str](), [*resource.depends_on, resource.parent]
    while ahead:
        urn = ahead.pop()
        if urn not in found and urn in known:
            found.add(urn)
            ahead += [*known[urn].depends_on, known[urn].parent]
    return found


def test_kueue_comes_after_the_teams_and_before_its_queues(run: Run) -> None:
    """So it also goes in the other order: queues while Kueue still answers, namespaces when nothing is queued."""
    known = _by_urn(run)
    (kueue,) = (each for each in run.of(RELEASE) if each.inputs["name"] == "kueue")
    before = {known[urn].inputs["metadata"]["name"] for urn in _before(run, kueue) if "metadata" in known[urn].inputs}
    assert {"seeing", "team-speech", "kueue-system", "deny-all"} <= before
    custom = [each for each in run.resources if each.type.startswith("kubernetes:kueue.x-k8s.io/")]
    assert len(custom) == 2 + 1 + 5 + 2 + 2
    for each in custom:
        assert kueue.urn in _before(run, each), each.urn
    for queue in run.of("kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue"):
        flavors = {known[urn].type.split(":")[-1] for urn in queue.depends_on}
        assert "ResourceFlavor" in flavors


def test_namespaces_come_before_what_is_in_them(run: Run) -> None:
    known = _by_urn(run)
    namespaces = {each.inputs["metadata"]["name"]: each for each in run.of("kubernetes:core/v1:Namespace")}
    seen = 0
    for resource in objects(run):
        namespace = resource.inputs["metadata"].get("namespace")
        if namespace is not None:
            assert namespaces[namespace].urn in _before(run, resource), known[resource.urn].urn
            seen += 1
    assert seen > 40


def test_kueue_manages_what_is_in_teams_namespaces_and_nothing_else(run: Run) -> None:
    (kueue,) = (each for each in run.of(RELEASE) if each.inputs["name"] == "kueue")
    assert (kueue.inputs["version"], kueue.inputs["namespace"]) == ("0.18.2", "kueue-system")
    configuration = kueue.inputs["values"]["managerConfig"]["controllerManagerConfigYaml"]
    assert '"key": "bedplate.dev/team"' in configuration
    marked = {
        each["metadata"]["name"]
        for each in of_kind(run, "Namespace")
        if "bedplate.dev/team" in each["metadata"]["labels"]
    }
    assert marked == {"seeing", "team-speech"}
    assert kueue.inputs["values"]["controllerManager"]["replicas"] == 2


def test_the_api_server_reaches_all_that_kueue_serves_it(run: Run) -> None:
    # Without its API of pending workloads no namespace of the cluster could be deleted any more: discovery would fail.
    policies = _policies(run, "kueue-system")
    reached = {rule["ports"][0]["port"] for each in policies.values() for rule in each.get("ingress", [])}
    assert reached == {8082, 8443, 9443}
    assert len(policies["allow-visibility"]["ingress"][0]["from"]) == 2


def test_a_job_over_several_nodes_is_let_in_with_all_that_it_asks_for(run: Run) -> None:
    (kueue,) = (each for each in run.of(RELEASE) if each.inputs["name"] == "kueue")
    configuration = json.loads(kueue.inputs["values"]["managerConfig"]["controllerManagerConfigYaml"])
    not_counted = tuple(configuration["resources"]["excludeResourcePrefixes"])
    queues = run.of("kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue")
    asked = {"cpu", "memory", "nvidia.com/gpu", "vpc.amazonaws.com/efa", "hugepages-2Mi", "ephemeral-storage"}
    for queue in queues:
        (group,) = queue.inputs["spec"]["resourceGroups"]
        counted = set(group["coveredResources"])
        assert not {each for each in counted if each.startswith(not_counted)}
        assert {each for each in asked - counted if not each.startswith(not_counted)} == set()


def test_without_queues_nothing_of_kueue_is_made() -> None:
    settings = case("smallest")
    scheduling = SchedulingSettings.model_validate({"queues": False, "teams": {"text": {}}})
    run = declared(settings.model_copy(update={"scheduling": scheduling}))
    assert not [each for each in run.resources if "kueue" in each.urn]
    assert named(run, "Namespace", "team-text")


def test_adding_a_team_touches_no_other_teams_objects(run: Run) -> None:
    settings = case("teams_and_shared_gpus")
    more = settings.scheduling.model_dump() | {
        "teams": {**{name: team.model_dump() for name, team in settings.scheduling.teams.items()}, "text": {}}
    }
    scheduling = SchedulingSettings.model_validate(more)
    after = {
        each.urn: manifest(each) for each in objects(declared(settings.model_copy(update={"scheduling": scheduling})))
    }
    before = {each.urn: manifest(each) for each in objects(run)}
    assert [urn for urn in before if before[urn] != after.get(urn)] == []
    assert {each["metadata"].get("namespace") for urn, each in after.items() if urn not in before} == {
        "team-text",
        None,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ml@example.com", "ml_at_example.com"),
        ("Team A/B", "Team_A_B"),
        ("x" * 80, "x" * 63),
        ("-odd-", "odd"),
        ("x" * 62 + "--", "x" * 62),
        ("", ""),
    ],
)
def test_any_tag_is_said_by_a_label(text: str, value: str) -> None:
    assert label_value(text) == value


def test_any_key_of_a_tag_is_a_label_or_none() -> None:
    extra = {"====": "a", ":zone": "b", "k" * 100: "c", "ключ": "d", "Data Class": "e"}
    labels = deployment_labels("bedplate", "dev", Ownership("ml", "ml@example.com", "CC-1", "bedplate-dev", extra))
    of_extra = {key: value for key, value in labels.items() if value in extra.values()}
    assert of_extra == {"zone": "b", "k" * 63: "c", "Data_Class": "e"}


def test_the_account_that_kubernetes_makes_is_changed_not_made_again(run: Run) -> None:
    # Made a second time, it would be refused: the controller is there first.
    made = {each.inputs["metadata"]["name"] for each in run.of("kubernetes:core/v1:ServiceAccount")}
    assert "default" not in made
    patches = run.of("kubernetes:core/v1:ServiceAccountPatch")
    assert [each.inputs["metadata"]["name"] for each in patches] == ["default", "default"]
    assert not any(each.inputs["automountServiceAccountToken"] for each in patches)
