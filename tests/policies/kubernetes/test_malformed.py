"""Whatever an object holds, a rule answers with findings: none fails, and what it can't read it names."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest
from pulumi_policy import Secret

from policies.kit.mending import mended
from policies.kit.rules import Rule
from policies.security import SECURITY
from tests.policies.kubernetes.judged import judge, resource
from tests.policies.kubernetes.pod_variants import allowed
from tests.policies.kubernetes.test_pod_kinds import UNKNOWN

SEED: Final = 7
ROUNDS: Final = 120
RULES: Final = [rule for rule in SECURITY.rules.values() if 57 <= rule.number <= 77]
WRONG: Final = (None, True, 0, -1, 2.5, "", "text", [], ["text"], {}, {"name": "a"}, [{"name": "a"}], UNKNOWN, [None])


def objects() -> dict[str, dict[str, Any]]:
    """One of each kind that rules look at, with most of what they read."""
    pod = allowed()["spec"]
    pod["containers"][0] |= {
        "env": [{"name": "TOKEN", "value": "abc-1"}, {"name": "A", "valueFrom": {"secretKeyRef": {"name": "a"}}}],
        "livenessProbe": {"httpGet": {"port": 80, "host": "a"}},
        "ports": [{"containerPort": 80, "hostPort": 80}],
        "resources": {"requests": {"cpu": "1", "nvidia.com/gpu": 1}, "limits": {"nvidia.com/gpu": 2}},
    }
    pod |= {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "gpu", "operator": "In", "values": ["a"]}]},
        ]}}},
        "securityContext": {"sysctls": [{"name": "kernel.sem"}], "seLinuxOptions": {"type": "a"}},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "volumes": [{"name": "a", "hostPath": {"path": "/"}}, {"name": "b", "image": {"reference": "a"}}],
    }  # fmt: skip
    meta = {"name": "app", "namespace": "ml"}
    template = {"metadata": {"labels": {"app": "a"}, "annotations": {"a": "b"}}, "spec": pod}
    selector = {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "app", "operator": "In", "values": ["a"]}]}
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["a"]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "app"}
    rbac = "rbac.authorization.k8s.io/v1"
    return {
        "apps/v1:Deployment": {"metadata": meta, "spec": {"replicas": 2, "template": template}},
        "apps/v1:DeploymentList": {"items": [{"metadata": meta, "spec": {"template": template}}]},
        "kubeflow.org/v1:PyTorchJob": {"metadata": meta, "spec": {"replicaSpecs": {"a": {"template": template}}}},
        "serving.kserve.io/v1beta1:InferenceService": {"metadata": meta, "spec": {"predictor": {**pod, "model": {}}}},
        "argoproj.io/v1alpha1:Workflow": {"metadata": meta, "spec": {"templates": [{"container": {"image": "a"}}]}},
        "trainer.kubeflow.org/v1alpha1:TrainJob": {"metadata": meta, "spec": {
            "trainer": {"image": "a", "resourcesPerNode": {"limits": {"nvidia.com/gpu": 1}}},
            "initializer": {"model": {"env": []}}, "podTemplateOverrides": [{"spec": pod}],
        }},
        "core/v1:Namespace": {"metadata": {"name": "ml", "labels": {"a": "b"}}},
        "core/v1:ResourceQuota": {"metadata": meta, "spec": {"hard": {"requests.nvidia.com/gpu": 8}, "scopes": []}},
        "core/v1:LimitRange": {"metadata": meta, "spec": {"limits": [{"type": "Container"}]}},
        "core/v1:ConfigMap": {"metadata": meta, "data": {"a": "password=abc-12"}},
        "core/v1:Service": {"metadata": meta, "spec": {"type": "NodePort"}},
        "core/v1:ServiceAccount": {"metadata": {"name": "default"}, "automountServiceAccountToken": True},
        "networking.k8s.io/v1:NetworkPolicy": {"metadata": meta, "spec": {
            "podSelector": selector, "policyTypes": ["Ingress"],
        }},
        "cilium.io/v2:CiliumNetworkPolicy": {"metadata": meta, "spec": {"endpointSelector": selector}, "specs": []},
        "policy/v1:PodDisruptionBudget": {"metadata": meta, "spec": {"selector": selector, "minAvailable": "50%"}},
        "autoscaling/v2:HorizontalPodAutoscaler": {"metadata": meta, "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "app"}, "minReplicas": 2,
        }},
        f"{rbac}:ClusterRole": {"metadata": {"name": "app"}, "rules": [rule], "aggregationRule": {
            "clusterRoleSelectors": [selector],
        }},
        f"{rbac}:RoleBinding": {"metadata": meta, "roleRef": role, "subjects": [
            {"kind": "ServiceAccount", "name": "default", "namespace": "ml"},
        ]},
    }  # fmt: skip


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, below in inner:
        yield (*path, key)
        yield from places(below, (*path, key))


def spoiled(whole: dict[str, dict[str, Any]], draw: random.Random) -> dict[str, dict[str, Any]]:
    """The objects with a few values put in place of others."""
    result = copy.deepcopy(whole)
    for token in draw.sample(list(result), 3):
        *way, last = draw.choice(list(places(result[token])))
        here: Any = result[token]
        for key in way:
            here = here[key]
        here[last] = copy.deepcopy(draw.choice(WRONG))
    return result


@pytest.mark.parametrize("part", range(4))
def test_no_rule_fails(part: int) -> None:
    whole, draw = objects(), random.Random(SEED + part)
    for _ in range(ROUNDS // 4):
        given = spoiled(whole, draw)
        resources = [
            resource(f"kubernetes:{token}", body, f"r{index}") for index, (token, body) in enumerate(given.items())
        ]
        for rule in RULES:
            failed = [verdict.text for verdict in judge(rule, *resources) if "nothing was judged" in verdict.text]
            assert not failed, (failed, given)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.mend], ids=lambda rule: rule.id)
def test_what_can_not_be_read_is_not_mended_and_no_mend_fails(rule: Rule) -> None:
    whole, draw = objects(), random.Random(SEED)
    for _ in range(8):
        for index, (token, body) in enumerate(spoiled(whole, draw).items()):
            given = resource(f"kubernetes:{token}", {"apiVersion": token.split(":")[0], **body}, f"r{index}")
            after = mended(rule, given, rule.defaults)
            if after is not None:
                again = resource(f"kubernetes:{token}", after, f"r{index}")
                assert mended(rule, again, rule.defaults) is None, "what is mended has nothing left to mend"


def test_a_mend_finds_its_place_below_names_with_dots_and_in_secrets() -> None:
    pod = {"containers": [{"name": "a", "securityContext": {"privileged": True}}]}
    given = resource(
        "kubernetes:example.org/v1:Fleet", {"spec": {"by.node": {'say "hi"': {"template": {"spec": pod}}}}}
    )
    after = mended(SECURITY.rules["privileged-container"], given, {})
    assert after is not None
    calm = {"containers": [{"name": "a", "securityContext": {"privileged": False}}]}
    assert after["spec"]["by.node"]['say "hi"']["template"]["spec"] == calm

    secret = resource("kubernetes:core/v1:Pod", {"spec": Secret(pod)})
    after = mended(SECURITY.rules["privileged-container"], secret, {})
    assert after is not None
    assert isinstance(after["spec"], Secret), "what was secret stays so"
    assert after["spec"].value == calm


def test_what_a_workflow_says_for_all_its_steps_is_mended_there() -> None:
    steps = [{"name": "a", "container": {"image": "a"}}]
    spec = {"hostNetwork": True, "templates": steps}
    given = resource("kubernetes:argoproj.io/v1alpha1:Workflow", {"spec": spec})
    assert mended(SECURITY.rules["host-network"], given, {}) == {"spec": {"hostNetwork": False, "templates": steps}}


def test_findings_never_show_what_is_secret() -> None:
    hidden = Secret("s3cr3t-value")
    pod = {
        "containers": [
            {"name": "a", "image": hidden, "env": [{"name": "TOKEN", "value": hidden}],
             "resources": {"limits": {"cpu": hidden, "nvidia.com/gpu": hidden}},
             "securityContext": {"capabilities": {"add": [hidden]}, "seccompProfile": {"type": hidden}}},
        ],
        "volumes": [{"name": hidden, "hostPath": {"path": hidden}}],
    }  # fmt: skip
    given = resource("kubernetes:core/v1:Pod", {"metadata": {"namespace": hidden}, "spec": pod})
    said = [verdict.text for rule in RULES for verdict in judge(rule, given)]
    assert len(said) > 10
    assert not [text for text in said if "s3cr3t" in text]
