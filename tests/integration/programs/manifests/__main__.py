"""Components that the Kubernetes provider constructs: of files, of a text, of values, in one another's wake.

The configuration ``manifests:round`` changes what they hold. Files lie in ``m``.
"""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.yaml import v2 as yaml

config = pulumi.Config()
second = config.get("round") == "2"
provider = kubernetes.Provider("kubernetes", kubeconfig=config.require("kubeconfig"), namespace="team")
cluster = pulumi.ResourceOptions(provider=provider)


def labelled(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if args.type_ != "kubernetes:core/v1:ConfigMap":
        return None
    props: dict[str, Any] = dict(args.props)
    metadata = {**props["metadata"], "labels": {"transformed": "yes"}}
    return pulumi.ResourceTransformResult({**props, "metadata": metadata}, args.opts)


base = kubernetes.core.v1.ConfigMap("base", metadata={"namespace": "default"}, data={"a": "1"}, opts=cluster)
files = yaml.ConfigGroup(
    "files", files=["m/*.yaml"], opts=pulumi.ResourceOptions(providers=[provider], transforms=[labelled])
)
one = yaml.ConfigFile(
    "one",
    file="m/extra.yml",
    resource_prefix="",
    skip_await=True,
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[files], ignore_changes=["file"]),
)
values = yaml.ConfigGroup(
    "values",
    objs=[
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "values"},
            "data": {"base": base.metadata.uid, "password": config.require_secret("password")},
        }
    ],
    yaml=pulumi.Output.secret(f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: sealed}}
data: {{round: "{2 if second else 1}", word: quite-a-word}}
"""),
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[one], protect=False),
)
pulumi.export("files", files.resources.apply(lambda found: [getattr(each, "id", each) for each in found or []]))
