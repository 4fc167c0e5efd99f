"""Objects of every way to be found again: named by hand and automatically, bare, custom, awaited, patched.

The configuration ``objects:round`` changes some in place, replaces some and removes some.
"""

import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
second = config.get("round") == "2"
cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("kubernetes", kubeconfig=config.require("kubeconfig")))

team = kubernetes.core.v1.Namespace("team", metadata={"name": "team"}, opts=cluster)
settings = kubernetes.core.v1.ConfigMap(
    "settings", metadata={"namespace": team.metadata.name}, data={"round": "2" if second else "1"}, opts=cluster
)
kubernetes.core.v1.ConfigMap(
    "fixed", metadata={"name": "fixed", "namespace": "default"}, data={"round": "2" if second else "1"}, opts=cluster
)
kubernetes.core.v1.Secret(
    "password",
    metadata={"name": "password", "namespace": "default"},
    string_data={"password": pulumi.Output.secret("correct-horse-battery")},
    opts=cluster,
)
labels = {"app": "web"}
kubernetes.apps.v1.Deployment(
    "web",
    metadata={"name": "web", "namespace": team.metadata.name},
    spec={
        "replicas": 3 if second else 2,
        "selector": {"match_labels": labels},
        "template": {
            "metadata": {"labels": {**labels, "settings": settings.metadata["name"]}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    },
    opts=cluster,
)
pools = kubernetes.apiextensions.v1.CustomResourceDefinition(
    "pools",
    metadata={"name": "pools.example.org"},
    spec={
        "group": "example.org",
        "scope": "Cluster",
        "names": {"kind": "Pool", "plural": "pools"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"open_apiv3_schema": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}},
            }
        ],
    },
    opts=cluster,
)
kubernetes.apiextensions.CustomResource(
    "pool",
    api_version="example.org/v1",
    kind="Pool",
    metadata={"name": "pool"},
    spec={"size": 2 if second else 1},
    opts=pulumi.ResourceOptions.merge(cluster, pulumi.ResourceOptions(depends_on=[pools])),
)
if not second:
    kubernetes.core.v1.ServiceAccount("bare", metadata={"name": "bare", "namespace": "default"}, opts=cluster)
pulumi.export("settings", settings.metadata["name"])
