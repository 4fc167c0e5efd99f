"""Puts our backends in the place of moto's, service by service.

Each extended service is a package here in moto's own form: ``models`` (a subclass of moto's backend), ``responses``
and ``urls``. moto finds a backend's urls by the name of its module, so replacing the class is all it takes.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple


class Extension(NamedTuple):
    """``backends`` names moto's BackendDict in ``moto.SERVICE.models``, ``backend`` our class in our own models."""

    service: str
    backends: str
    backend: str


EXTENSIONS = (
    Extension("amp", "amp_backends", "ExtendedAmpBackend"),
    Extension("autoscaling", "autoscaling_backends", "ExtendedAutoScalingBackend"),
    Extension("budgets", "budgets_backends", "ExtendedBudgetsBackend"),
    Extension("ce", "ce_backends", "ExtendedCostExplorerBackend"),
    Extension("cloudwatch", "cloudwatch_backends", "ExtendedCloudWatchBackend"),
    Extension("dynamodb", "dynamodb_backends", "ExtendedDynamoDBBackend"),
    Extension("ecr", "ecr_backends", "ExtendedECRBackend"),
    Extension("ec2", "ec2_backends", "ExtendedEC2Backend"),
    Extension("eks", "eks_backends", "ExtendedEKSBackend"),
    Extension("iam", "iam_backends", "ExtendedIAMBackend"),
    Extension("kms", "kms_backends", "ExtendedKmsBackend"),
    Extension("logs", "logs_backends", "ExtendedLogsBackend"),
    Extension("s3", "s3_backends", "ExtendedS3Backend"),
    Extension("sns", "sns_backends", "ExtendedSNSBackend"),
    Extension("sqs", "sqs_backends", "ExtendedSQSBackend"),
    Extension("ssm", "ssm_backends", "ExtendedSSMBackend"),
)


def install() -> None:
    """Replace the backend classes. Call it before the first request; a backend that exists already stays as it is."""
    for extension in EXTENSIONS:
        theirs = importlib.import_module(f"moto.{extension.service}.models")
        ours = importlib.import_module(f"engine.emulator.{extension.service}.models")
        getattr(theirs, extension.backends).backend = getattr(ours, extension.backend)
