"""The embedded engine's providers, pointed at the sandbox that runs, or at nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import CommandError, ExitCode
from engine import urn as urns
from engine.sandbox import Sandbox, SandboxState, find, status

if TYPE_CHECKING:
    from engine.provider_registry import ProviderFactory
    from engine.providers.base import Provider
    from engine.state.model import ResourceState

_PACKAGES = ("aws", "kubernetes")  # that only a sandbox can manage


def factories(sandbox: Sandbox | None) -> dict[str, ProviderFactory]:
    """What makes the providers that we have, by package."""

    def aws() -> Provider:
        from engine.providers.aws.endpoint import Endpoint
        from engine.providers.aws.provider import AwsProvider

        if sandbox is None:
            return AwsProvider(Endpoint())
        return AwsProvider(Endpoint(sandbox.endpoint, frozenset(sandbox.allowed_hosts)))

    def kubernetes() -> Provider:
        from engine.providers.kubernetes.access import Access
        from engine.providers.kubernetes.provider import KubernetesProvider

        if sandbox is None:
            return KubernetesProvider()
        half = sandbox.kubernetes
        hosts = frozenset(sandbox.allowed_hosts)
        return KubernetesProvider(Access(hosts, half.kubeconfig, half.version) if half else Access(hosts))

    return {"aws": aws, "kubernetes": kubernetes}


def running(root: Path) -> Sandbox | None:
    """The project's sandbox, when it has been brought up and lives."""
    return find(root)


def needs_sandbox(resources: Iterable[ResourceState]) -> bool:
    """Whether managing ``resources`` takes an emulator."""
    return any(one.custom and urns.package_of(one.type) in _PACKAGES for one in resources)


def is_stale(root: Path, stack: str, sandbox: Sandbox | None) -> bool:
    """Whether the stack's state was made in an emulator that is gone: an emulator keeps everything in memory."""
    former = _record(root, stack)
    return sandbox is not None and former.is_file() and former.read_text().strip() != (sandbox.instance_id or "")


def remember(root: Path, stack: str, sandbox: Sandbox) -> None:
    """Note which emulator the stack is in."""
    path = _record(root, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{sandbox.instance_id or ''}\n")


def _record(root: Path, stack: str) -> Path:
    return root / ".bedplate" / "emulators" / stack


def missing(root: Path) -> CommandError:
    """The error for what needs a sandbox and has none."""
    found = status(root)
    dead = [part.name for part in found.parts if part.state is SandboxState.DEAD]
    if "aws" in dead and found.sandbox is not None:
        what = f"the sandbox's process {found.sandbox.pid} has ended, and what it held is gone"
    elif dead:
        what = f"the sandbox's Kubernetes half is gone: {found.detail}"
    elif found.state is SandboxState.ABSENT:
        what = "no sandbox is running, and the embedded engine changes nothing but sandboxes"
    else:
        what = f"the sandbox does not answer: {found.detail}"
    return CommandError(f"{what}\n  start one with `bedplate sandbox up`", ExitCode.FAILED)
