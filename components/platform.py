"""The whole platform: makes the provider with the tags that everything gets, and composes the components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from components.account import Account, look_up
from components.alerts import Alerts, AlertsArgs
from components.base import PlatformComponent
from components.cluster import Cluster, ClusterArgs, ClusterKeys, ClusterPlace
from components.cluster import key_users as cluster_key_users
from components.cost import CostControl, CostControlArgs
from components.flowlogs import FlowLogChoices, FlowLogs, FlowLogsArgs
from components.in_cluster import ClusterSetting, InClusterChoices, declare_in_cluster
from components.karpenter import Karpenter, KarpenterArgs, KarpenterPlace
from components.karpenter_nodes import KarpenterNodes, KarpenterNodesArgs
from components.keys import KeyPurpose, Keys, KeysArgs, KeyUser
from components.kubernetes import deployment_labels
from components.loggroups import LogGroups, LogGroupsArgs, LogKind
from components.network import ExistingNetwork, Network, NetworkPlace
from components.node_pools import NodePools, NodePoolsArgs
from components.observability.aws_access import AmpPlace, AwsPlaces
from components.observability.aws_access import key_users as monitoring_key_users
from components.observability.aws_half import AwsHalfArgs, declare_aws_half, needs_key
from components.observability.cloudwatch import CloudWatch, CloudWatchArgs
from components.observability.stack import MonitoringChoices
from components.platform_args import PlatformArgs
from components.registry import Registry, RegistryArgs
from components.registry import key_users as registry_key_users
from components.roles import Boundary
from components.storage import BucketKind, ObjectStore, ObjectStoreArgs
from components.tags import deployment_tags
from components.volumes import Volumes, VolumesArgs

# Components whose roles the keys know by name.
_CLUSTER, _REGISTRY = "cluster", "registry"


class Platform(PlatformComponent, area="platform"):
    """Everything that one environment runs. ``kubernetes`` is the provider of what lies in the cluster."""

    cluster: ClusterPlace | None = None
    node_pools: NodePools | None = None
    karpenter: KarpenterPlace | None = None
    kubernetes: pulumi.ProviderResource | None = None
    cloudwatch: CloudWatch | None = None
    metrics: AmpPlace | None = None

    def __init__(self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._aws = provider = self._make_provider(args)
        account = look_up(args.region, args.account_id, provider)
        below = self.options(providers=[provider])

        monitoring = args.monitoring_of_ours
        unused = [] if monitoring is not None and needs_key(monitoring.amp) else [KeyPurpose.METRICS]
        self.keys = Keys("keys", KeysArgs(account, args.keys, self._key_users(args), unused), below)
        self.boundary = Boundary("boundary", args.boundary, below)
        key = self.keys.arns
        self.logs = LogGroups("logs", LogGroupsArgs(key[KeyPurpose.LOGS], args.log_retention_days), below)
        self.storage = ObjectStore("storage", ObjectStoreArgs(account, key[KeyPurpose.DATA], args.storage), below)
        tags = self._tags(args)
        images = RegistryArgs(account, key[KeyPurpose.IMAGES], self.boundary.arn, tags, args.registry)
        self.registry = Registry(_REGISTRY, images, below)
        self.network = self._make_network(args, below)
        if args.flow_logs is not None and args.existing_vpc_id is None:
            self._record_flows(args.flow_logs, account, below)
        if args.existing_cluster is None:
            self._make_cluster(args, account, below)
        self.alerts = Alerts("alerts", AlertsArgs(account, key[KeyPurpose.ALERTS], args.cost.emails), below)
        if args.in_cluster is not None:
            self._make_kubernetes(args, args.in_cluster, account, provider)
        self.cost = CostControl(
            "cost", CostControlArgs(args.ownership.deployment_id, self.alerts.topic_arn, args.cost), below
        )
        self._watch_aws(args, account, below)
        self.register_outputs({})

    def exports(self) -> dict[str, Any]:
        """The stack's outputs: what people and other stacks need to find what was made."""
        return {
            **self._exports_of_cluster(),
            "vpcId": self.network.vpc_id,
            "publicSubnetIds": self.network.public_subnet_ids,
            "privateSubnetIds": self.network.private_subnet_ids,
            "podSubnetIds": self.network.pod_subnet_ids,
            "bucketNames": {kind.value: name for kind, name in self.storage.buckets.items()},
            "keyArns": {purpose.value: arn for purpose, arn in self.keys.arns.items()},
            "repositoryUrls": self.registry.urls,
            "imageCaches": self.registry.caches,
            "logGroups": {kind.value: name for kind, name in self.logs.group_names.items()},
            "alertTopicArn": self.alerts.topic_arn,
            **({} if self.cloudwatch is None else {"awsDashboard": self.cloudwatch.dashboard_name}),
            **({} if self.metrics is None else {"metricsWriteUrl": self.metrics.url}),
            "budgetName": self.cost.budget_name,
        }

    def _exports_of_cluster(self) -> dict[str, Any]:
        if self.cluster is None or self.node_pools is None:
            return {}
        return {
            "clusterName": self.cluster.name,
            "clusterEndpoint": self.cluster.endpoint,
            "kubeconfig": self.cluster.kubeconfig,
            "nodePools": {pool: made.node_group.node_group_name for pool, made in self.node_pools.managed.items()},
        }

    def _make_provider(self, args: PlatformArgs) -> aws.Provider:
        return aws.Provider(
            "aws",
            region=args.region,
            allowed_account_ids=None if args.account_id is None else [args.account_id],
            default_tags={"tags": self._tags(args)},
            opts=self.options(),
        )

    def _key_users(self, args: PlatformArgs) -> Mapping[KeyPurpose, Sequence[KeyUser]]:
        """The roles that keys let in by name: keys come before them."""
        ours = args.existing_cluster is None
        return {
            **registry_key_users(self.naming, _REGISTRY, args.registry),
            **(cluster_key_users(self.naming, _CLUSTER, args.cluster.addons) if ours else {}),
            **(monitoring_key_users(self.naming) if args.monitoring_of_ours is not None else {}),
        }

    def _tags(self, args: PlatformArgs) -> Mapping[str, str]:
        return deployment_tags(self.naming.project, self.naming.stack, args.ownership)

    def _make_network(self, args: PlatformArgs, below: pulumi.ResourceOptions) -> NetworkPlace:
        if args.existing_vpc_id is not None:
            return ExistingNetwork("network", args.existing_vpc_id, below).place
        return Network("network", args.network, below).place

    def _record_flows(self, choices: FlowLogChoices, account: Account, below: pulumi.ResourceOptions) -> None:
        FlowLogs(
            "flow-logs",
            FlowLogsArgs(
                account=account,
                vpc_id=self.network.vpc_id,
                log_group_arn=account.arn(
                    "logs", pulumi.Output.concat("log-group:", self.logs.group_names[LogKind.NETWORK])
                ),
                bucket_arn=self.storage.arns[BucketKind.LOGS],
                boundary_arn=self.boundary.arn,
                choices=choices,
            ),
            below,
        )

    def _make_cluster(self, args: PlatformArgs, account: Account, below: pulumi.ResourceOptions) -> None:
        key, tags = self.keys.arns, self._tags(args)
        self.cluster = Cluster(
            _CLUSTER,
            ClusterArgs(
                account=account,
                network=self.network,
                boundary_arn=self.boundary.arn,
                keys=ClusterKeys(
                    secrets=key[KeyPurpose.CLUSTER],
                    logs=key[KeyPurpose.LOGS],
                ),
                tags=tags,
                readable_buckets=[self.storage.arns[kind] for kind in (BucketKind.DATASETS, BucketKind.MODELS)],
                choices=args.cluster,
            ),
            below,
        ).place
        pools = NodePoolsArgs(self.cluster, args.cluster.version, self.network, tags, args.node_pools)
        self.node_pools = NodePools("node-pools", pools, below)
        if args.karpenter is not None:
            karpenter = KarpenterArgs(account, self.cluster, self.boundary.arn)
            self.karpenter = Karpenter("karpenter", karpenter, below).place

    def _make_kubernetes(
        self, args: PlatformArgs, contents: InClusterChoices, account: Account, aws_provider: aws.Provider
    ) -> None:
        existing, ours = args.existing_cluster, self.cluster
        if existing is not None:
            where, context, ready = existing.kubeconfig, existing.context, []
        else:
            assert ours is not None, "made before"
            where, context, ready = ours.kubeconfig, None, list(ours.ready)
        # What lies in the cluster goes before what lets us in, and before the nodes that it runs on.
        options = self.options(depends_on=ready)
        self.kubernetes = kubernetes.Provider(
            "kubernetes",
            kubeconfig=where,
            context=context,
            # A ConfigMap with a name of its own is read again when it changes: made anew, it would be away meanwhile.
            enable_config_map_mutable=True,
            opts=options,
        )
        labels = deployment_labels(self.naming.project, self.naming.stack, args.ownership)
        inside = self.options(providers=[aws_provider, self.kubernetes])
        places = None
        if ours is not None:
            self._fill_cluster(args, ours, labels, inside)
            if contents.monitoring is not None:
                places = self._let_monitoring_in(args, contents.monitoring, account, ours)
                self.metrics = places.amp
        declare_in_cluster(contents, ClusterSetting(labels, args.region, places), inside)

    def _let_monitoring_in(
        self, args: PlatformArgs, monitoring: MonitoringChoices, account: Account, cluster: ClusterPlace
    ) -> AwsPlaces:
        half = AwsHalfArgs(
            account=account,
            cluster=cluster,
            boundary_arn=self.boundary.arn,
            keys=self.keys.arns,
            log_retention_days=args.log_retention_days,
            namespace=monitoring.watched.namespace,
            topic_arn=self.alerts.arn_by_name,
            amp=monitoring.amp,
        )
        return declare_aws_half(half, self.options(providers=[self._aws]))

    def _watch_aws(self, args: PlatformArgs, account: Account, below: pulumi.ResourceOptions) -> None:
        if args.cloudwatch is None:
            return
        watched = CloudWatchArgs(
            account=account,
            topic_arn=self.alerts.topic_arn,
            gateway_ids=self.network.nat_gateway_ids,
            cluster_name=None if self.cluster is None else self.cluster.name,
            choices=args.cloudwatch,
        )
        self.cloudwatch = CloudWatch("cloudwatch", watched, below)

    def _fill_cluster(
        self, args: PlatformArgs, cluster: ClusterPlace, labels: Mapping[str, str], inside: pulumi.ResourceOptions
    ) -> None:
        """What a cluster of our own needs inside before anything else can lie in it: volumes, and nodes as needed."""
        tags = self._tags(args)
        Volumes("volumes", VolumesArgs(labels, tags, self.keys.arns[KeyPurpose.VOLUMES]), inside)
        if args.karpenter is not None and self.karpenter is not None:
            KarpenterNodes(
                "karpenter-nodes",
                KarpenterNodesArgs(
                    labels=labels,
                    tags=tags,
                    cluster=cluster,
                    karpenter=self.karpenter,
                    network=self.network,
                    replicas=args.karpenter.replicas,
                    pools=args.karpenter.pools,
                ),
                inside,
            )
