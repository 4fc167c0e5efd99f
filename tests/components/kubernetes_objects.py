"""The Kubernetes objects of a recording as manifests, the pods in them, and recordings of its components alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.gpu import GpuSupport, GpuSupportArgs
from components.kubernetes import deployment_labels
from components.observability.aws_access import AwsPlaces, TopicPlace
from components.observability.stack import Observability, ObservabilityArgs
from components.scheduling import Scheduling, SchedulingArgs
from components.tags import Ownership
from stacks.gpu_choices import gpu_choices
from stacks.monitoring_choices import monitoring_choices
from stacks.scheduling_choices import network_ranges, scheduling_choices
from stacks.settings import PlatformSettings, load_file
from tests.components.platform_recording import UNKNOWN, Recorded, Run, run_component

CASES = Path(__file__).parents[1] / "cases" / "settings" / "good"
LABELS = deployment_labels("bedplate", "dev", Ownership("ml", "ml@example.com", "CC-1", "bedplate-dev"))
RELEASE = "kubernetes:helm.sh/v3:Release"
TOPIC = "sns:us-east-1:123456789012:bedplate-dev-alerts"
_TEMPLATES = {"Pod": (), "CronJob": ("spec", "jobTemplate", "spec", "template")}


@dataclass(frozen=True)
class Pod:
    """The pods of one object: where they are from, their labels and their spec."""

    place: str
    namespace: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    def containers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for kind in ("initContainers", "containers"):
            for container in self.spec.get(kind, []):
                yield f"{self.place}/{container['name']}", container


def declared(settings: PlatformSettings) -> Run:
    """What drives GPUs, teams and queues: what ``settings`` make of them in a cluster that is already there."""
    return _recorded(settings, (_declare_gpus, _declare_teams))


def monitored(settings: PlatformSettings) -> Run:
    """The same of monitoring alone."""
    return _recorded(settings, (_declare_monitoring,))


def everything(settings: PlatformSettings) -> Run:
    """The same of all that lies in the cluster."""
    return _recorded(settings, (_declare_gpus, _declare_monitoring, _declare_teams))


_Declare = Callable[[PlatformSettings, pulumi.ResourceOptions], object]


def _recorded(settings: PlatformSettings, parts: Sequence[_Declare]) -> Run:
    def make() -> None:
        provider = kubernetes.Provider("kubernetes", kubeconfig="{}")
        for declare in parts:
            declare(settings, pulumi.ResourceOptions(providers=[provider]))

    return run_component(make)


def _declare_gpus(settings: PlatformSettings, below: pulumi.ResourceOptions) -> None:
    gpu = gpu_choices(settings)
    if gpu is not None:
        GpuSupport("gpu", GpuSupportArgs(LABELS, settings.aws.region, network_ranges(settings), gpu), below)


def _declare_monitoring(settings: PlatformSettings, below: pulumi.ResourceOptions) -> None:
    choices = monitoring_choices(settings, LABELS["Environment"])
    if choices is not None:
        args = ObservabilityArgs(LABELS, network_ranges(settings), _aws(settings), choices)
        Observability("monitoring", args, below)


def _aws(settings: PlatformSettings) -> AwsPlaces | None:
    """What pods of a cluster of our own may use in AWS."""
    if settings.cluster.existing is not None:
        return None
    arn, role = (pulumi.Output.from_input(f"arn:aws:{each}") for each in (TOPIC, "iam::123456789012:role/alertmanager"))
    return AwsPlaces(None, TopicPlace(arn, settings.aws.region, role, []))


def _declare_teams(settings: PlatformSettings, below: pulumi.ResourceOptions) -> None:
    args = SchedulingArgs(LABELS, network_ranges(settings), scheduling_choices(settings))
    Scheduling("scheduling", args, below)


def case(name: str) -> PlatformSettings:
    """The settings of a good case."""
    return load_file(CASES / f"{name}.yaml")


def objects(run: Run) -> list[Recorded]:
    """The Kubernetes objects that ``run`` registers; what a chart renders is not among them."""
    return [each for each in run.resources if each.type.startswith("kubernetes:") and each.type != RELEASE]


def manifest(resource: Recorded) -> dict[str, Any]:
    """The object as it goes to the API server; numbers are whole where they came over the wire as 1.0."""
    return {key: _plain(value) for key, value in resource.inputs.items()}


def of_kind(run: Run, kind: str) -> list[dict[str, Any]]:
    return [each for each in map(manifest, objects(run)) if each["kind"] == kind]


def named(run: Run, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    """The one object of that kind and name."""
    (found,) = (
        each
        for each in of_kind(run, kind)
        if each["metadata"].get("name") == name and namespace in (None, each["metadata"].get("namespace"))
    )
    return found


def pods(run: Run) -> Iterator[Pod]:
    """The pods of every object that has any."""
    for each in map(manifest, objects(run)):
        template: Any = each
        for part in _TEMPLATES.get(each["kind"], ("spec", "template")):
            template = template.get(part, {}) if isinstance(template, dict) else {}
        if "containers" in template.get("spec", {}):
            metadata = each["metadata"]
            place = f"{each['kind']}/{metadata.get('name')}"
            yield Pod(place, metadata["namespace"], template["metadata"].get("labels", {}), template["spec"])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(each) for each in cast("list[Any]", value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    assert value != UNKNOWN, "a preview should know every part of an object"
    return value
