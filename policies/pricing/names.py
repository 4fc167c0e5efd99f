"""The services of the price tables, by the names that bills have for them.

FOCUS: version 1.2, columns ServiceName, ServiceCategory, ServiceSubcategory (their allowed values). Cost Explorer: the
values of the dimension SERVICE, as Cost Explorer's documentation and bills have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from policies.pricing.model import Price


@dataclass(frozen=True)
class Service:
    """``name``, ``category`` and ``subcategory`` are FOCUS's; ``billed`` are Cost Explorer's names, the usual first."""

    name: str
    category: str
    subcategory: str
    billed: tuple[str, ...]


_OTHER: Final = Service("Other", "Other", "Other (Other)", ())
_EC2_OTHER: Final = "EC2 - Other"  # volumes and NAT gateways: everything of EC2 but the instances
SERVICES: Final[Mapping[str, Service]] = {
    "amp": Service(
        "Amazon Managed Service for Prometheus", "Management and Governance", "Observability",
        ("Amazon Managed Service for Prometheus",),
    ),
    "cloudtrail": Service("AWS CloudTrail", "Management and Governance", "Compliance", ("AWS CloudTrail",)),
    "cloudwatch": Service("Amazon CloudWatch", "Management and Governance", "Observability", ("AmazonCloudWatch",)),
    "dynamodb": Service("Amazon DynamoDB", "Databases", "NoSQL Databases", ("Amazon DynamoDB",)),
    "ebs": Service("Amazon Elastic Block Store", "Storage", "Block Storage", (_EC2_OTHER,)),
    "ec2": Service(
        "Amazon Elastic Compute Cloud", "Compute", "Virtual Machines", ("Amazon Elastic Compute Cloud - Compute",)
    ),
    "ecr": Service(
        "Amazon Elastic Container Registry", "Compute", "Containers", ("Amazon EC2 Container Registry (ECR)",)
    ),
    "efs": Service("Amazon Elastic File System", "Storage", "File Storage", ("Amazon Elastic File System",)),
    "eks": Service(
        "Amazon Elastic Kubernetes Service", "Compute", "Containers",
        ("Amazon Elastic Container Service for Kubernetes", "Amazon Elastic Kubernetes Service"),
    ),
    "elb": Service(
        "Elastic Load Balancing", "Networking", "Application Networking", ("Amazon Elastic Load Balancing",)
    ),
    "events": Service("Amazon EventBridge", "Integration", "Messaging", ("CloudWatch Events", "Amazon EventBridge")),
    "fsx": Service("Amazon FSx", "Storage", "File Storage", ("Amazon FSx",)),
    "glue": Service("AWS Glue", "Analytics", "Data Processing", ("AWS Glue",)),
    "kms": Service("AWS Key Management Service", "Security", "Secret Management", ("AWS Key Management Service",)),
    "lambda": Service("AWS Lambda", "Compute", "Serverless Compute", ("AWS Lambda",)),
    "mwaa": Service(
        "Amazon Managed Workflows for Apache Airflow", "Integration", "Workflow Orchestration",
        ("Amazon Managed Workflows for Apache Airflow",),
    ),
    "rds": Service(
        "Amazon Relational Database Service", "Databases", "Relational Databases",
        ("Amazon Relational Database Service",),
    ),
    "route53": Service("Amazon Route 53", "Networking", "Network Routing", ("Amazon Route 53",)),
    "s3": Service(
        "Amazon Simple Storage Service", "Storage", "Object Storage", ("Amazon Simple Storage Service",)
    ),
    "sagemaker": Service("Amazon SageMaker", "AI and Machine Learning", "Machine Learning", ("Amazon SageMaker",)),
    "secretsmanager": Service("AWS Secrets Manager", "Security", "Secret Management", ("AWS Secrets Manager",)),
    "sns": Service(
        "Amazon Simple Notification Service", "Integration", "Messaging", ("Amazon Simple Notification Service",)
    ),
    "sqs": Service("Amazon Simple Queue Service", "Integration", "Messaging", ("Amazon Simple Queue Service",)),
    "vpc": Service(
        "Amazon Virtual Private Cloud", "Networking", "Network Connectivity", ("Amazon Virtual Private Cloud",)
    ),
}  # fmt: skip


def service(key: str) -> Service:
    """The service that a price table calls ``key``."""
    return SERVICES.get(key, _OTHER)


def billed_name(price: Price) -> str:
    """Cost Explorer's usual name of what a price is of: gateways are billed with EC2, not with their network."""
    if price.service == "vpc" and price.item.startswith("NAT gateway"):
        return _EC2_OTHER
    names = service(price.service).billed
    return names[0] if names else price.service


def by_billed_name(name: str) -> str:
    """The price tables' key of a service that Cost Explorer calls ``name``; '' where we price nothing of it."""
    return next((key for key, one in SERVICES.items() if name in one.billed), "")
