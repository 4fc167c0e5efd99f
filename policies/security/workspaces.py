"""Row 52: what a workspace of Managed Prometheus keeps is encrypted with a key of ours, as logs are."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kit import Finding, Resource
from policies.security.pack import SECURITY


@SECURITY.rule(
    "workspace-own-key",
    number=52,
    title="Workspaces of metrics are encrypted with a key of ours",
    severity="low",
    fix="Set kmsKeyArn to a key whose policy lets the workspace's maker use it; it replaces the workspace.",
    tags=("bedplate:workspace-own-key",),
    types=("aws:amp/workspace:Workspace",),
)
def workspace_own_key(workspace: Resource) -> Iterator[Finding]:
    """Labels of metrics name models, users and paths: who reads them is for our key to say."""
    key = workspace.properties.get("kmsKeyArn")
    if key.missing or (key.known and not key.text("")):
        yield Finding("is missing: AWS's own key is used", key.path)
