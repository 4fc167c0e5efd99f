"""One cluster and what belongs to it, in the form of the API."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.moto_api._internal import mock_random

Facts = dict[str, Any]


@dataclass
class Cluster:
    """``facts`` is what DescribeCluster answers; the rest by name, entries by principal, associations by id.

    ``fargate_profiles`` and ``fargate_profile_count`` are moto's: its own Fargate operations look there.
    """

    facts: Facts
    nodegroups: dict[str, Facts] = field(default_factory=dict[str, Facts])
    addons: dict[str, Facts] = field(default_factory=dict[str, Facts])
    access_entries: dict[str, Facts] = field(default_factory=dict[str, Facts])
    access_policies: dict[str, dict[str, Facts]] = field(default_factory=dict[str, "dict[str, Facts]"])
    pod_identities: dict[str, Facts] = field(default_factory=dict[str, Facts])
    updates: dict[str, Facts] = field(default_factory=dict[str, Facts])
    fargate_profiles: dict[str, Any] = field(default_factory=dict[str, Any])
    fargate_profile_count: int = 0
    bootstraps_addons: bool = True  # EKS puts VPC CNI, CoreDNS and kube-proxy into the cluster itself

    @property
    def name(self) -> str:
        return self.facts["name"]

    @property
    def version(self) -> str:
        return self.facts["version"]

    @property
    def is_active(self) -> bool:
        return self.facts["status"] == "ACTIVE"

    @property
    def has_network(self) -> bool:
        """Whether nodes find a network plugin; without one they are never ready."""
        return self.bootstraps_addons or "vpc-cni" in self.addons

    @property
    def answers_access_entries(self) -> bool:
        """Whether the authentication mode lets the API say who may enter."""
        return self.facts["accessConfig"]["authenticationMode"] != "CONFIG_MAP"

    def tagged(self) -> dict[str, Facts]:
        """Everything of the cluster that carries tags, by ARN."""
        keys = {
            "nodegroupArn": self.nodegroups,
            "addonArn": self.addons,
            "accessEntryArn": self.access_entries,
            "associationArn": self.pod_identities,
        }
        found = {item[key]: item for key, items in keys.items() for item in items.values()}
        return {self.facts["arn"]: self.facts, **found}

    def record_update(self, kind: str, params: list[Facts]) -> Facts:
        """An update that was carried out at once, as UpdateClusterConfig and its like answer."""
        update: Facts = {
            "id": str(mock_random.uuid4()),
            "status": "Successful",
            "type": kind,
            "params": params,
            "createdAt": datetime.now(UTC),
            "errors": [],
        }
        self.updates[update["id"]] = update
        return update


def certificate_authority(name: str) -> str:
    """A certificate authority of ten years for the cluster ``name``, PEM in base64, as kubeconfig files have it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"kubernetes {name}"[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()
