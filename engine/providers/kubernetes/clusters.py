"""Which cluster a provider's configuration leads to, and what to show there."""

from __future__ import annotations

from dataclasses import replace

from engine.providers.base import EndpointRefused
from engine.providers.kubernetes import kubeconfig
from engine.providers.kubernetes.access import Access, same_server
from engine.providers.kubernetes.config import Config
from engine.providers.kubernetes.kubeconfig import Target
from engine.providers.kubernetes.manifests import DEFAULT_NAMESPACE


def target_of(config: Config, access: Access) -> Target:
    """The API server that ``config`` means and the credentials for it. Raises EndpointRefused or ProviderError.

    Where that is the sandbox's server, its own credentials are used: the program's user may be a plugin of AWS.
    """
    sandbox = _sandbox(access)
    found = _configured(config) or sandbox or _ambient(config)
    if found is None:
        raise EndpointRefused(
            "no cluster is configured, and the embedded engine changes sandboxes only."
            " Start one with `bedplate sandbox up`, or use the Pulumi engine (`--engine pulumi`)."
        )
    access.check(found.server, sandbox.server if sandbox else None)
    if sandbox is not None and same_server(found.server, sandbox.server):
        return replace(sandbox, namespace=found.namespace or sandbox.namespace)
    return found


def namespace_of(config: Config) -> str:
    """Where objects are put that say nothing: the namespace of the configuration, or of its context."""
    found = None if config.namespace else _configured(config)
    return config.namespace or (found.namespace if found else None) or DEFAULT_NAMESPACE


def has_ended(config: Config, access: Access) -> bool:
    """Whether the cluster that ``config`` means was a sandbox's that has ended, with all that was in it."""
    if not access.gone:
        return False
    found = _configured(config)
    return found is not None and access.has_ended(found.server)


def _sandbox(access: Access) -> Target | None:
    return None if access.kubeconfig is None else kubeconfig.target(kubeconfig.load(str(access.kubeconfig)))


def _configured(config: Config) -> Target | None:
    if config.kubeconfig is None:
        return None
    return kubeconfig.target(kubeconfig.load(config.kubeconfig), config.context, config.cluster)


def _ambient(config: Config) -> Target | None:
    """What kubectl would use. It is refused by the caller unless it is a sandbox: nobody has said that it is meant."""
    found = kubeconfig.ambient()
    return None if found is None else kubeconfig.target(found, config.context, config.cluster)
