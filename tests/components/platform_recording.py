"""Runs the program under Pulumi's mocks and records every resource that it registers, as the engine would see it."""

from __future__ import annotations

import json
import os
import runpy
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from google.protobuf import json_format
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks, test
from pulumi.runtime.proto import resource_pb2

from tests.fresh_context import in_fresh_context

STACKS = Path(__file__).parents[2] / "stacks"
ACCOUNT = "123456789012"
# Who deploys: a session, and the role behind it.
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ada"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/teams/deployer"
# The value that stands for "unknown" in Pulumi's protocol.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# The key that marks a secret in Pulumi's protocol, and its value there.
SECRET_MARK = ("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270")
ZONE_IDS = ["use1-az6", "use1-az1", "use1-az2", "use1-az4", "use1-az3", "use1-az5"]
# Properties that Pulumi's autonaming fills in, by type.
_AUTONAMED = {"aws:s3/bucket:Bucket": "bucket"}

# What only the cloud says of a resource, by type, and the program works with.
_SAID_BY_AWS: Mapping[str, Mapping[str, Any]] = {
    "aws:eks/cluster:Cluster": {
        "endpoint": "https://test.eks.amazonaws.com",
        "certificateAuthority": {"data": "dGVzdA=="},
        "vpcConfig": {"clusterSecurityGroupId": "sg-cluster"},
    },
    "aws:amp/workspace:Workspace": {"prometheusEndpoint": "https://aps-workspaces.test/workspaces/ws-test/"},
    "aws:eks/nodeGroup:NodeGroup": {"resources": [{"autoscalingGroups": [{"name": "eks-nodes"}]}]},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
}


@dataclass(frozen=True)
class Recorded:
    """One registration: type, logical name, inputs as they go over the wire, and the options that matter here."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    urn: str
    parent: str
    provider: str
    protect: bool
    depends_on: Sequence[str]
    ignore_changes: Sequence[str] = ()
    replacement_trigger: Any = None
    delete_before_replace: bool | None = None  # None: as the provider has it


@dataclass(frozen=True)
class Run:
    """What one run of the program registered and called."""

    resources: Sequence[Recorded]
    calls: Sequence[tuple[str, Mapping[str, Any]]]

    def of(self, type_: str) -> list[Recorded]:
        return [resource for resource in self.resources if resource.type == type_]

    @property
    def aws(self) -> list[Recorded]:
        return [resource for resource in self.resources if resource.type.startswith("aws:")]


class Cloud(Mocks):
    """Answers as AWS would, or, ``offline``, with nothing known that only AWS knows."""

    def __init__(self, *, offline: bool, zone_ids: Sequence[str]) -> None:
        self.offline, self.zone_ids = offline, zone_ids
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        outputs: dict[str, Any] = dict(args.inputs)
        if args.typ in _AUTONAMED:
            outputs.setdefault(_AUTONAMED[args.typ], f"{args.name}-0123abc")
        if args.typ.startswith("kubernetes:") and "metadata" in outputs:
            outputs["metadata"] = {"name": f"{args.name}-0123abcd", **outputs["metadata"]}
        if self.offline:
            return None, {**outputs, "arn": UNKNOWN}
        arn = f"arn:aws:test:us-east-1:{ACCOUNT}:{args.name}"
        said = _SAID_BY_AWS.get(args.typ, {})
        return f"{args.name}-id", {**outputs, **said, "arn": arn, "secretArn": arn}

    def call(self, args: MockCallArgs) -> Any:
        self.calls.append((args.token, dict(args.args)))
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:index/getCallerIdentity:getCallerIdentity": dict.fromkeys(("accountId", "arn"), UNKNOWN)
            if self.offline
            else {"accountId": ACCOUNT, "arn": SESSION},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"zoneIds": list(self.zone_ids)},
            "aws:iam/getSessionContext:getSessionContext": {"issuerArn": UNKNOWN if self.offline else DEPLOYER},
            "aws:ec2/getSubnet:getSubnet": {"availabilityZone": UNKNOWN if self.offline else "us-east-1a"},
            "aws:ec2/getVpc:getVpc": {"id": args.args.get("id")},
            "aws:ec2/getSubnets:getSubnets": {"ids": UNKNOWN if self.offline else ["subnet-1", "subnet-2"]},
        }
        return answers[args.token]


class RecordingMonitor(MockMonitor):
    """The mock engine, which besides remembers what the options of each registration were."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.recorded: list[Recorded] = []
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        response = super().RegisterResource(request)
        with self._lock:
            self.recorded.append(
                Recorded(
                    type=request.type,
                    name=request.name,
                    inputs=json_format.MessageToDict(request.object),
                    urn=response.urn,
                    parent=request.parent,
                    provider=request.provider,
                    protect=request.protect,
                    depends_on=tuple(request.dependencies),
                    ignore_changes=tuple(request.ignoreChanges),
                    replacement_trigger=json_format.MessageToDict(request.replacement_trigger),
                    delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
                )
            )
        return response

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        response = super().Invoke(request)
        # As an engine answers during a preview: a result with anything unknown in it is unknown as a whole.
        if UNKNOWN in json_format.MessageToJson(getattr(response, "return")):
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        return response


def config_of(environment: str) -> dict[str, Any]:
    """The configuration in an environment's settings file, by key."""
    return yaml.safe_load((STACKS / f"Pulumi.{environment}.yaml").read_text(encoding="utf-8"))["config"]


def config_with_cluster(environment: str, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The same with another cluster, and without the sections that speak of the pools which it had."""
    parts = {key: value for key, value in config_of(environment).items() if key not in _ABOUT_POOLS}
    return {**parts, "bedplate:cluster": cluster}


_ABOUT_POOLS = ("bedplate:gpu", "bedplate:scheduling")


def run_program(
    config: Mapping[str, Any],
    stack: str,
    *,
    offline: bool = False,
    secret_keys: Sequence[str] = (),
    zone_ids: Sequence[str] = tuple(ZONE_IDS),
) -> Run:
    """Run ``stacks/__main__.py`` with ``config``; ``offline`` is a preview in which AWS can't be asked."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    variables = {"PULUMI_CONFIG": json.dumps(texts), "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(secret_keys))}
    cloud = Cloud(offline=offline, zone_ids=zone_ids)
    monitor = RecordingMonitor(cloud)

    def program() -> None:
        set_mocks(cloud, project="bedplate", stack=stack, preview=offline, monitor=monitor)
        with mock.patch.dict(os.environ, variables):
            test(lambda: runpy.run_path(str(STACKS), run_name="__main__"))()

    in_fresh_context(program)
    return Run(tuple(monitor.recorded), tuple(cloud.calls))


def run_component(make: Callable[[], object], *, offline: bool = False) -> Run:
    """Run ``make``, which declares resources, as the whole program."""
    cloud = Cloud(offline=offline, zone_ids=tuple(ZONE_IDS))
    monitor = RecordingMonitor(cloud)

    def program() -> None:
        set_mocks(cloud, project="bedplate", stack="dev", preview=offline, monitor=monitor)
        test(make)()

    in_fresh_context(program)
    return Run(tuple(monitor.recorded), tuple(cloud.calls))


def is_secret(value: object) -> bool:
    """True for a value that the program marked as secret."""
    return isinstance(value, Mapping) and value.get(SECRET_MARK[0]) == SECRET_MARK[1]
