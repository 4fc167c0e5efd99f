"""kubeconfig files: what kubectl, k9s and every client read to find a cluster and enter it. JSON is YAML enough."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine import client_certificates
from engine.sandbox.record import write_private

if TYPE_CHECKING:
    import ssl

CONTEXT = "bedplate"


@dataclass(frozen=True)
class Credentials:
    """Who enters: PEM texts, all empty for an API that asks for nothing (plain HTTP on loopback)."""

    certificate_authority: str = ""
    client_certificate: str = ""
    client_key: str = ""

    def told(self) -> dict[str, str]:
        """As the EKS emulator takes them: PEM in base64."""
        return {
            "certificateAuthority": encoded(self.certificate_authority),
            "clientCertificate": encoded(self.client_certificate),
            "clientKey": encoded(self.client_key),
        }

    def tls(self) -> ssl.SSLContext:
        """What a connection needs to trust the server, and to be trusted by it."""
        import ssl

        context = ssl.create_default_context(cadata=self.certificate_authority)
        if self.client_certificate:
            client_certificates.load(context, (self.client_certificate + self.client_key).encode())
        return context


def write(path: Path, server: str, credentials: Credentials, *, user: str = "admin", context: str = CONTEXT) -> None:
    """Write a kubeconfig with one context, everything embedded, readable by its owner alone."""
    cluster = {"server": server}
    if credentials.certificate_authority:
        cluster["certificate-authority-data"] = encoded(credentials.certificate_authority)
    entry: dict[str, str] = {}
    if credentials.client_certificate:
        entry["client-certificate-data"] = encoded(credentials.client_certificate)
        entry["client-key-data"] = encoded(credentials.client_key)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": user, "user": entry}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        "current-context": context,
    }
    write_private(path, json.dumps(content, indent=2) + "\n")


def read(path: Path) -> Credentials:
    """The credentials in a kubeconfig that ``write`` wrote; those of no one where it is gone."""
    try:
        content = json.loads(path.read_text())
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    except (OSError, ValueError, LookupError, TypeError):
        return Credentials()
    return Credentials(
        decoded(cluster.get("certificate-authority-data", "")),
        decoded(user.get("client-certificate-data", "")),
        decoded(user.get("client-key-data", "")),
    )


def server(path: Path) -> str:
    """The API server that a kubeconfig leads to, if ``write`` wrote it."""
    return str(json.loads(path.read_text())["clusters"][0]["cluster"]["server"])


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
