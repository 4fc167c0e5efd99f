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
    sandbox: Sandbox | None,
    declared_kubernetes: Callable[[], str | None] = lambda: None,
    gone: frozenset[str] = frozenset(),
) -> dict[str, ProviderFactory]:
    """What makes the providers that we have, by package.

    ``declared_kubernetes`` says by which version's schemas manifests are checked; None: the sandbox's, else 1.35.
    ``gone`` are the Kubernetes API servers of sandboxes that have ended.
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
            return KubernetesProvider(Access(hosts, version=version, gone=gone))
        return KubernetesProvider(Access(hosts, half.kubeconfig, version or half.version, gone))

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
    return sandbox is not None and _record(root, stack).is_file() and _former(root, stack)[0] != sandbox.instance_id


def gone_servers(root: Path, stack: str, sandbox: Sandbox | None) -> frozenset[str]:
    """The Kubernetes API server that the stack was brought up in, where its sandbox has ended since."""
    if sandbox is None or not is_stale(root, stack, sandbox):
        return frozenset()
    now = sandbox.kubernetes.server if sandbox.kubernetes else ""  # the next one may listen where that did
    return frozenset({_former(root, stack)[1]} - {"", now})


def remember(root: Path, stack: str, sandbox: Sandbox) -> None:
    """Note which emulator the stack is in, and which Kubernetes API server."""
    path = _record(root, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    server = sandbox.kubernetes.server if sandbox.kubernetes else ""
    path.write_text(f"{sandbox.instance_id or ''}\n{server}\n")


def stacks_in(root: Path, sandbox: Sandbox) -> list[str]:
    """The stacks that were brought up in the emulator that ``sandbox`` is now; what they had may be gone since."""
    stacks = (path.name for path in _records(root).glob("*"))
    return sorted(stack for stack in stacks if _former(root, stack)[0] == sandbox.instance_id)


def _former(root: Path, stack: str) -> tuple[str | None, str]:
    """The emulator that the stack was brought up in last (None: one that isn't ours), and the API server with it."""
    instance, _, server = _record(root, stack).read_text().partition("\n")
    return instance.strip() or None, server.strip()


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
