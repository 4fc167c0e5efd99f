"""Small Kubernetes objects in one namespace, as many as are asked for."""

import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
provider = kubernetes.Provider("cluster", kubeconfig=config.require("kubeconfig"))
options = pulumi.ResourceOptions(provider=provider)
namespace = kubernetes.core.v1.Namespace("many", metadata={"name": "many"}, opts=options)
for number in range(config.require_int("count")):
    kubernetes.core.v1.ConfigMap(
        f"settings-{number}",
        metadata={"name": f"settings-{number}", "namespace": namespace.metadata.name},
        data={"number": str(number)},
        opts=options,
    )
