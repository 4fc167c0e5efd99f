"""50 nodes of 16 CPUs, and 500 pods of 1 CPU in 10 deployments."""

import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

aws.eks.NodeGroup(
    "general",
    cluster_name="demo",
    node_role_arn="arn:aws:iam::123456789012:role/nodes",
    subnet_ids=["subnet-0123456789abcdef0"],
    instance_types=["m7i.4xlarge"],
    scaling_config={"min_size": 50, "desired_size": 50, "max_size": 50},
)
for number in range(10):
    labels = {"app": f"web-{number}"}
    kubernetes.apps.v1.Deployment(
        f"web-{number}",
        spec={
            "replicas": 50,
            "selector": {"match_labels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [
                        {
                            "name": "web",
                            "image": "example.com/web:1",
                            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
                        }
                    ]
                },
            },
        },
    )
