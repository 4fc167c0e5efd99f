"""How clients reach a cluster of EKS: a kubeconfig without a secret in it."""

from __future__ import annotations

import pulumi


def kubeconfig(
    name: pulumi.Input[str], region: str, endpoint: pulumi.Input[str], certificate_authority: pulumi.Input[str]
) -> pulumi.Output[str]:
    """JSON, which is YAML; whoever uses it gets a token for himself from the AWS command line."""
    command = ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"]
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "args": command}}
    server = {"server": endpoint, "certificate-authority-data": certificate_authority}
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": server}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
            "users": [{"name": name, "user": user}],
            "preferences": {},
        }
    )
