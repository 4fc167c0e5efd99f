"""The embedded engine's providers, pointed at the sandbox that runs, or at nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import CommandError, ExitCode
from engine import urn as urns
from engine.sandbox import Sandbox, SandboxState, find, status
from engine.stack_config import mapping_in

if TYPE_CHECKING:
    from engine.project import Project
    from engine.provider_registry import ProviderFactory
    from engine.providers.base import Provider
    from engine.state.model import ResourceState

_PACKAGES = ("aws", "kubernetes")  # that only a sandbox can manage


def factories(
    sandbox: Sandbox | None, declared_kubernetes: Callable[[], str | None] = lambda: None
) -> dict[str, ProviderFactory]:
    """What makes the providers that we have, by package.

    ``declared_kubernetes`` says by which version's schemas manifests are checked; None: the sandbox's, else 1.35.
    """

    def aws() -> Provider:
        from engine.providers.aws.endpoint import Endpoint
        from engine.providers.aws.provider import AwsProvider

        if sandbox is None:
            return AwsProvider(Endpoint())
        return AwsProvider(Endpoint(sandbox.endpoint, frozenset(sandbox.allowed_hosts)))

    def kubernetes() -> Provider:
        from engine.providers.kubernetes.access import Access
        from engine.providers.kubernetes.provider import KubernetesProvider

        version = declared_kubernetes()
        if sandbox is None:
            return KubernetesProvider(Access(version=version))
        half = sandbox.kubernetes
        hosts = frozenset(sandbox.allowed_hosts)
        if half is None:
            return KubernetesProvider(Access(hosts, version=version))
        return KubernetesProvider(Access(hosts, half.kubeconfig, version or half.version))

    return {"aws": aws, "kubernetes": kubernetes}


def declared_kubernetes(project: Project, stack: str) -> str | None:
    """The version of Kubernetes in the platform's settings (``cluster.kubernetes_version``), if its API is known.

    None where they don't say it. What is wrong with them, the program says.
    """
    from engine.kubernetes import versions

    path = project.stack_file(stack)
    config = mapping_in(path).get("config") if path.is_file() else None
    cluster = config.get(f"{project.name}:cluster") if isinstance(config, dict) else None
    version = cluster.get("kubernetes_version") if isinstance(cluster, dict) else None
    return version if version in versions() else None


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


def stacks_in(root: Path, sandbox: Sandbox) -> list[str]:
    """The stacks that were brought up in the emulator that ``sandbox`` is now; what they had may be gone since."""
    there = sandbox.instance_id or ""
    return sorted(path.name for path in _records(root).glob("*") if path.read_text().strip() == there)


def _record(root: Path, stack: str) -> Path:
    return _records(root) / stack


def _records(root: Path) -> Path:
    return root / ".bedplate" / "emulators"


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
