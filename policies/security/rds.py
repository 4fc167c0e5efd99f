"""Rules 37 to 41: databases are encrypted, private, backed up, and not deleted by accident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies.kit import Finding, Resource
from policies.mends import setting
from policies.security.pack import SECURITY

_INSTANCE = "aws:rds/instance:Instance"
_CLUSTER = "aws:rds/cluster:Cluster"
_CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
_GLOBAL = "aws:rds/globalCluster:GlobalCluster"
_MOST_DAYS = 35
_AWS_BACKS_UP = 1  # days, for a cluster that says nothing; an instance that says nothing has no backups


@SECURITY.rule(
    "rds-storage-encrypted",
    number=37,
    title="Databases are encrypted at rest",
    severity="high",
    fix="Set storageEncrypted to true, and kmsKeyId to a key of your own.",
    frameworks=("CIS:2.2.1", "FSBP:RDS.3", "FSBP:RDS.27"),
    tags=("checkov:CKV_AWS_16", "checkov:CKV_AWS_96", "trivy:AWS-0080", "trivy:AWS-0079"),
    types=(_INSTANCE, _CLUSTER, _GLOBAL),
    mend=setting(storageEncrypted=True),
    mend_risk="replaces a database that exists: encryption is decided when it is made",
)
def rds_storage_encrypted(database: Resource) -> Iterator[Finding]:
    """Snapshots, logs and replicas are encrypted exactly when their database is, and it can't be changed later.

    A read replica within its region is encrypted as its source is, a global cluster as the cluster that it is made of.
    """
    encrypted = database.properties.get("storageEncrypted")
    inherited = database.properties.get("sourceDbClusterIdentifier").present or _replica(database)
    if encrypted.missing and inherited:
        return
    serverless = database.properties.get("engineMode")
    if encrypted.missing and serverless.text("") == "serverless":
        return  # Aurora Serverless v1 is always encrypted
    if not encrypted.boolean():
        yield Finding(f"is {encrypted.shown()}, not true", encrypted.path)


@SECURITY.rule(
    "rds-not-public",
    number=38,
    title="Databases are not reachable from the internet",
    severity="high",
    fix="Set publiclyAccessible to false; connect through the VPC.",
    frameworks=("CIS:2.2.3", "FSBP:RDS.2"),
    tags=("checkov:CKV_AWS_17", "trivy:AWS-0180"),
    types=(_INSTANCE, _CLUSTER_INSTANCE, _CLUSTER),
    mend=setting(publiclyAccessible=False),
)
def rds_not_public(database: Resource) -> Iterator[Finding]:
    """A database with a public address is one leaked password away from everybody."""
    public = database.properties.get("publiclyAccessible")
    if public.boolean():
        yield Finding("is true: the database gets a public address", public.path)


def _keep_backups(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {**properties, "backupRetentionPeriod": parameters["minimum_days"]}


@SECURITY.rule(
    "rds-backups",
    number=39,
    title="Databases are backed up",
    severity="medium",
    fix="Set backupRetentionPeriod to the days that a loss may go unnoticed.",
    frameworks=("FSBP:RDS.11",),
    tags=("checkov:CKV_AWS_133", "trivy:AWS-0077"),
    types=(_INSTANCE, _CLUSTER),
    parameters={
        "minimum_days": {
            "description": "Days that backups are kept at least",
            "type": "integer",
            "minimum": 1,
            "maximum": 35,
            "default": 7,
        }
    },
    mend=_keep_backups,
)
def rds_backups(database: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """An instance that says nothing has no backups, a cluster one day of them. Replicas rest on their source."""
    if _replica(database):
        return
    days = database.properties.get("backupRetentionPeriod")
    kept = days.number(_AWS_BACKS_UP if database.type == _CLUSTER else 0)
    if kept < parameters["minimum_days"]:
        yield Finding(f"backups are kept for {kept} days, not for {parameters['minimum_days']:g}", days.path)
    elif kept > _MOST_DAYS:
        yield Finding(f"is {kept}: AWS keeps backups for {_MOST_DAYS} days at most", days.path)


@SECURITY.rule(
    "rds-deletion-protection",
    number=40,
    title="Databases are protected from deletion",
    severity="medium",
    fix="Set deletionProtection to true.",
    frameworks=("FSBP:RDS.8", "FSBP:RDS.7"),
    tags=("checkov:CKV_AWS_293", "checkov:CKV_AWS_139", "trivy:AWS-0177", "trivy:AWS-0343"),
    types=(_INSTANCE, _CLUSTER, _GLOBAL),
    mend=setting(deletionProtection=True),
)
def rds_deletion_protection(database: Resource) -> Iterator[Finding]:
    """What a mistake in a program deletes is gone with its automatic backups."""
    protection = database.properties.get("deletionProtection")
    if not protection.boolean():
        yield Finding(f"is {protection.shown()}, not true", protection.path)


@SECURITY.rule(
    "rds-multi-az",
    number=41,
    title="Databases stand in two zones",
    severity="low",
    fix="Set multiAz to true; it doubles the price of the instance.",
    frameworks=("CIS:2.2.4", "FSBP:RDS.5"),
    tags=("checkov:CKV_AWS_157",),
    types=(_INSTANCE,),
    level="advisory",  # doubles the cost: whether it is worth it is for the environment to say
    mend=setting(multiAz=True),
    mend_risk="doubles the price of the instance",
)
def rds_multi_az(database: Resource) -> Iterator[Finding]:
    """A database in one zone is away when that zone is. Clusters and replicas spread in their own way."""
    multi_az = database.properties.get("multiAz")
    if not _replica(database) and not multi_az.boolean():
        yield Finding(f"is {multi_az.shown()}, not true", multi_az.path)


def _replica(database: Resource) -> bool:
    return database.properties.get("replicateSourceDb").present or (
        database.properties.get("replicationSourceIdentifier").present
    )
