"""The embedded engine's providers, pointed at the sandbox that runs, or at nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.provider_registry import ProviderFactory
    from engine.providers.base import Provider
    from engine.sandbox.model import Sandbox

PACKAGES: Final = ("aws", "kubernetes")  # that only a sandbox can manage


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
