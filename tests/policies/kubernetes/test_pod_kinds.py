"""Pods and their containers are found in every kind that carries them, and only there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from policies.kit import Value
from policies.subjects.pods import Container, PodTemplate
from tests.policies.kubernetes.judged import judge, resource

Fields = Mapping[str, Any]
POD_KINDS: Final = (
    *("CronJob", "DaemonSet", "Deployment", "Job", "Pod", "PodTemplate", "ReplicaSet", "ReplicationController"),
    "StatefulSet",
)
BAD: Final = {"securityContext": {"privileged": True}}
SPEC: Final = {
    "initContainers": [{"name": "first", **BAD}, {"name": "beside", "restartPolicy": "Always", **BAD}],
    "containers": [{"name": "main", **BAD}, {"name": "fine", "image": "a"}],
    "ephemeralContainers": [{"name": "debug", **BAD}],
}
NAMES: Final = ("first", "beside", "main", "debug")


def tokens() -> list[str]:
    """Every type of pulumi_kubernetes that is, patches or lists a kind with pods."""
    package = find_spec("pulumi_kubernetes")
    assert package is not None and package.origin is not None
    found = re.findall(r"kubernetes:[\w./]+:\w+", Path(package.origin).read_text())
    return sorted({token for token in found if _kind(token) in POD_KINDS})


def _kind(token: str) -> str:
    return token.rpartition(":")[2].removesuffix("Patch").removesuffix("List")


def _object(kind: str, spec: Any) -> Fields:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": spec}
    match kind:
        case "Pod":
            return {"spec": spec}
        case "PodTemplate":
            return {"template": template}
        case "CronJob":
            return {"spec": {"jobTemplate": {"spec": {"template": template}}}}
        case _:
            return {"spec": {"template": template}}


@pytest.mark.parametrize("token", tokens())
def test_every_kind_of_kubernetes_itself(token: str) -> None:
    body = _object(_kind(token), SPEC)
    found = resource(token, {"items": [body, body]} if token.endswith("List") else body)
    assert [each.name for each in Container.found_in(found)] == [*NAMES[:3], "fine", "debug"] * (
        2 if token.endswith("List") else 1
    )
    verdicts = judge("privileged-container", found)
    assert [name for name in NAMES if any(f"'{name}'" in each.text for each in verdicts)] == list(NAMES)
    assert all(verdict.certain for verdict in verdicts)


def test_the_kinds_of_kubernetes_itself_are_all_there() -> None:
    assert {_kind(token) for token in tokens()} == set(POD_KINDS)
    assert len(tokens()) > 50


TEMPLATE: Final = {"spec": SPEC}
CUSTOM: Final[Mapping[str, tuple[str, Fields]]] = {
    "PyTorchJob": ("kubeflow.org/v1", {"pytorchReplicaSpecs": {"Worker": {"replicas": 2, "template": TEMPLATE}}}),
    "MPIJob": ("kubeflow.org/v2beta1", {"mpiReplicaSpecs": {"Launcher": {"template": TEMPLATE}}}),
    "TrainJob": ("trainer.kubeflow.org/v1alpha1", {"podTemplateOverrides": [{"spec": SPEC}]}),
    "ClusterTrainingRuntime": (
        "trainer.kubeflow.org/v1alpha1",
        {"template": {"spec": {"replicatedJobs": [{"name": "node", "template": {"spec": {"template": TEMPLATE}}}]}}},
    ),
    "JobSet": (
        "jobset.x-k8s.io/v1alpha2",
        {"replicatedJobs": [{"name": "workers", "template": {"spec": {"template": TEMPLATE}}}]},
    ),
    "LeaderWorkerSet": ("leaderworkerset.x-k8s.io/v1", {"leaderWorkerTemplate": {"workerTemplate": TEMPLATE}}),
    "RayCluster": ("ray.io/v1", {"workerGroupSpecs": [{"groupName": "gpu", "template": TEMPLATE}]}),
    "RayJob": ("ray.io/v1", {"rayClusterSpec": {"headGroupSpec": {"template": TEMPLATE}}}),
    "RayService": ("ray.io/v1", {"rayClusterConfig": {"headGroupSpec": {"template": TEMPLATE}}}),
    "InferenceService": ("serving.kserve.io/v1beta1", {"predictor": SPEC}),
    "ServingRuntime": ("serving.kserve.io/v1alpha1", SPEC),
    "LLMInferenceService": ("serving.kserve.io/v1alpha1", {"prefill": {"template": SPEC}}),
    "Rollout": ("argoproj.io/v1alpha1", {"template": TEMPLATE}),
    "Service": ("serving.knative.dev/v1", {"template": TEMPLATE}),
    "SparkApplication": ("sparkoperator.k8s.io/v1beta2", {"driver": {"template": TEMPLATE}}),
    "SeldonDeployment": ("machinelearning.seldon.io/v1", {"predictors": [{"componentSpecs": [TEMPLATE]}]}),
    "Anything": ("example.org/v1", {"deep": [{"down": {"podTemplate": TEMPLATE}}]}),
}


@pytest.mark.parametrize("kind", CUSTOM)
def test_custom_resources(kind: str) -> None:
    version, spec = CUSTOM[kind]
    found = resource(f"kubernetes:{version}:{kind}", {"apiVersion": version, "kind": kind, "spec": spec})
    assert [each.name for each in Container.found_in(found)] == [*NAMES[:3], "fine", "debug"]


@pytest.mark.parametrize("kind", ["DeploymentConfig", "SomeWorkload"])
def test_a_kind_in_v1_that_kubernetes_does_not_have(kind: str) -> None:
    body = {"apiVersion": "v1", "kind": kind, "spec": {"replicas": 2, "template": TEMPLATE}}
    found = resource(f"kubernetes:core/v1:{kind}", body)
    assert [each.name for each in Container.found_in(found)] == [*NAMES[:3], "fine", "debug"]
    assert len(judge("privileged-container", found)) == len(NAMES)
    unknown = resource(f"kubernetes:core/v1:{kind}", {"spec": {"template": UNKNOWN}})
    assert [verdict.certain for verdict in judge("privileged-container", unknown)] == [False]


def test_a_workflows_pods_are_its_templates_below_what_holds_for_all() -> None:
    spec = {
        "securityContext": {"runAsNonRoot": True},
        "hostNetwork": True,
        "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
        "templates": [
            {"name": "steps", "steps": [[{"name": "a", "template": "train"}]]},
            {"name": "train", "container": {"image": "a", **BAD}, "initContainers": [{"name": "first", **BAD}]},
            {"name": "script", "script": {"name": "main", "image": "a"}, "sidecars": [{"name": "beside", **BAD}]},
            {"name": "set", "containerSet": {"containers": [{"name": "one"}, {"name": "two"}]}},
        ],
    }
    for kind, body in (
        ("Workflow", spec), ("WorkflowTemplate", spec), ("ClusterWorkflowTemplate", spec),
        ("CronWorkflow", {"workflowSpec": spec}),
    ):  # fmt: skip
        found = resource(f"kubernetes:argoproj.io/v1alpha1:{kind}", {"spec": body})
        pods = list(PodTemplate.found_in(found))
        assert [len(pod.containers) for pod in pods] == [2, 2, 2]
        assert len(judge("privileged-container", found)) == 3
        assert len(judge("host-network", found)) == len(judge("host-path", found)) == 3
        assert len(judge("run-as-non-root", found)) == 0


@pytest.mark.parametrize("part", ["predictor", "transformer", "explainer"])
def test_an_inference_services_model_is_a_container_of_its_part(part: str) -> None:
    for form in ("model", "huggingface", "triton", "sklearn"):
        pod = {form: {"image": "a", **BAD}, "hostPID": True, "workerSpec": SPEC if part == "predictor" else None}
        found = resource("kubernetes:serving.kserve.io/v1beta1:InferenceService", {"spec": {part: pod}})
        assert len(judge("privileged-container", found)) == (5 if part == "predictor" else 1)
        assert len(judge("host-pid", found)) == 1


def test_a_train_jobs_trainer_is_judged_by_what_it_says() -> None:
    trainer = {"image": "nvcr.io/nvidia/pytorch:latest", "env": [{"name": "HF_TOKEN", "value": "abcdef"}],
               "resourcesPerNode": {"requests": {"nvidia.com/gpu": 2}, "limits": {"nvidia.com/gpu": 4}}}  # fmt: skip
    found = resource("kubernetes:trainer.kubeflow.org/v1alpha1:TrainJob", {"spec": {"trainer": trainer}})
    assert len(judge("image-latest", found)) == len(judge("secret-in-environment", found)) == 1
    assert "they must be equal" in judge("gpu-amounts", found)[0].text
    # What it doesn't say, the runtime's template does.
    assert judge("run-as-non-root", found) == judge("gpu-toleration", found) == judge("cpu-limits", found) == []


NO_PODS: Final[Mapping[str, Fields]] = {
    "kubernetes:kyverno.io/v1:ClusterPolicy": {"spec": {"rules": [{"validate": {"pattern": {"spec": SPEC}}}]}},
    "kubernetes:constraints.gatekeeper.sh/v1beta1:K8sPSP": {"spec": SPEC},
    "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": {"spec": SPEC},
    "kubernetes:helm.sh/v3:Release": {"values": TEMPLATE, "spec": SPEC},
    "kubernetes:core/v1:ConfigMap": {"data": {"pod.yaml": "spec: {containers: [{name: a}]}"}, "spec": SPEC},
    "kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler": {"spec": {"resourcePolicy": {"containerPolicies": []}}},
    "kubernetes:example.org/v1:Ship": {"spec": {"containers": [{"weight": 3}], "crew": {"containers": ["a", "b"]}}},
    "kubernetes:example.org/v1:Empty": {"spec": {"containers": []}, "status": {"spec": SPEC}},
    "kubernetes:yaml:ConfigFile": {"spec": SPEC},
    "pulumi:providers:kubernetes": {"spec": SPEC},
    "aws:ecs/taskDefinition:TaskDefinition": {"spec": SPEC},
}


@pytest.mark.parametrize("token", NO_PODS)
def test_what_only_looks_like_a_pod_is_none(token: str) -> None:
    assert list(PodTemplate.found_in(resource(token, NO_PODS[token]))) == []


UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # a text that is not known yet, on Pulumi's wire
HIDDEN: Final[Mapping[str, tuple[str, Callable[[str], Fields]]]] = {
    "a pod's specification": ("core/v1:Pod", lambda unknown: {"spec": unknown}),
    "a template": ("apps/v1:Deployment", lambda unknown: {"spec": {"template": unknown}}),
    "a list of containers": ("batch/v1:Job", lambda unknown: _object("Job", {"containers": unknown})),
    "a container": ("apps/v1:DaemonSet", lambda unknown: _object("DaemonSet", {"containers": [unknown]})),
    "a context": ("core/v1:Pod", lambda unknown: {"spec": {"containers": [{"securityContext": unknown}]}}),
    "a list of objects": ("apps/v1:DeploymentList", lambda unknown: {"items": unknown}),
    "an object of a list": ("apps/v1:DeploymentList", lambda unknown: {"items": [unknown]}),
    "a custom resource": ("kubeflow.org/v1:PyTorchJob", lambda unknown: {"spec": unknown}),
    "a template somewhere": ("ray.io/v1:RayJob", lambda unknown: {"spec": {"a": [{"template": unknown}]}}),
    "containers somewhere": ("ray.io/v1:RayJob", lambda unknown: {"spec": {"a": {"containers": unknown}}}),
    "a predictor": ("serving.kserve.io/v1beta1:InferenceService", lambda unknown: {"spec": {"predictor": unknown}}),
    "a model": (
        "serving.kserve.io/v1beta1:InferenceService", lambda unknown: {"spec": {"predictor": {"model": unknown}}},
    ),
    "a workflow": ("argoproj.io/v1alpha1:Workflow", lambda unknown: {"spec": unknown}),
    "a workflow's templates": ("argoproj.io/v1alpha1:Workflow", lambda unknown: {"spec": {"templates": unknown}}),
    "a TrainJob": ("trainer.kubeflow.org/v1alpha1:TrainJob", lambda unknown: {"spec": unknown}),
    "a TrainJob's trainer": ("trainer.kubeflow.org/v1alpha1:TrainJob", lambda unknown: {"spec": {"trainer": unknown}}),
}  # fmt: skip


@pytest.mark.parametrize("what", HIDDEN)
def test_nothing_passes_because_it_is_not_known_yet(what: str) -> None:
    token, body = HIDDEN[what]
    verdicts = judge("privileged-container", resource(f"kubernetes:{token}", body(UNKNOWN)))
    assert len(verdicts) == 1
    assert "is not known before the change is applied" in verdicts[0].text
    assert not verdicts[0].certain


def test_an_unknown_that_no_pod_hides_behind_is_nobodys_business() -> None:
    found = resource("kubernetes:karpenter.sh/v1:NodePool", {"spec": {"limits": UNKNOWN, "weight": UNKNOWN}})
    assert list(PodTemplate.found_in(found)) == []


MALFORMED: Final[Mapping[str, Fields]] = {
    "template": {"spec": {"template": "none"}},
    "spec": {"spec": {"template": {"spec": 3}}},
    "containers": _object("Deployment", {"containers": {"name": "a"}}),
    "container": _object("Deployment", {"containers": ["a"]}),
    "securityContext": _object("Deployment", {"containers": [{"securityContext": []}]}),
    "privileged": _object("Deployment", {"containers": [{"securityContext": {"privileged": "true"}}]}),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_another_type_than_expected_is_a_finding(what: str) -> None:
    verdicts = judge("privileged-container", resource("kubernetes:apps/v1:Deployment", MALFORMED[what]))
    assert [verdict.certain for verdict in verdicts] == [False]
    assert "expected" in verdicts[0].text


@pytest.mark.parametrize("absent", [{}, {"spec": None}, {"spec": {"template": None}}, {"spec": {"template": {}}}])
def test_an_object_without_a_pod_has_none(absent: Fields) -> None:
    assert judge("privileged-container", resource("kubernetes:apps/v1:Deployment", absent)) == []


def test_a_patch_is_judged_by_what_it_says() -> None:
    """What it leaves out the live object has: no rule can know."""
    silent = resource("kubernetes:apps/v1:DeploymentPatch", _object("Deployment", {"containers": [{"name": "a"}]}))
    for rule in ("privilege-escalation", "run-as-non-root", "drop-capabilities", "seccomp-profile", "read-only-root",
                 "service-account-token", "cpu-requests", "cpu-limits", "memory-requests", "memory-limits",
                 "high-user-id", "liveness-probe", "readiness-probe", "network-policy", "disruption-budget",
                 "minimum-replicas", "default-namespace"):  # fmt: skip
        assert judge(rule, silent) == [], rule
    loud = {"containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": True, "runAsNonRoot": False}}]}
    patch = resource("kubernetes:apps/v1:DeploymentPatch", _object("Deployment", loud))
    assert len(judge("privilege-escalation", patch)) == len(judge("run-as-non-root", patch)) == 1


def test_a_containers_own_word_wins_over_its_pods() -> None:
    spec = {"securityContext": {"runAsUser": 7}, "containers": [{"name": "a", "securityContext": {"runAsUser": 8}}, {}]}
    first, second = Container.found_in(resource("kubernetes:core/v1:Pod", {"spec": spec}))
    assert (first.effective("runAsUser").number(), second.effective("runAsUser").number()) == (8, 7)
    assert isinstance(first.effective("runAsUser"), Value)
