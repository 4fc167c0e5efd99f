"""Getting a chart: downloaded into the workspace, or found where it lies; and telling why it can't be had."""

from __future__ import annotations

import re
from typing import Final

from engine.providers.base import ProviderError
from engine.providers.kubernetes.helm import commands
from engine.providers.kubernetes.helm.executable import Helm, HelmCancelled, HelmFailed, HelmTimedOut
from engine.providers.kubernetes.helm.release import Release
from engine.providers.kubernetes.helm.workspace import Workspace

PATIENCE: Final = 20.0  # seconds for a download; a sandbox must not wait for a network that it does not have

# How helm, Go's network library and registries say that nothing answers, or that nobody may have it.
_OUT_OF_REACH: Final = re.compile(
    r"no such host|connection refused|network is unreachable|no route to host|connection reset|i/o timeout"
    r"|TLS handshake timeout|Client\.Timeout|context deadline exceeded|server misbehaving|proxyconnect"
    r"|certificate signed by unknown authority|cannot be reached|\b(401|403|407|502|503|504)\b|unauthorized|EOF$",
    re.IGNORECASE,
)


class OutOfReach(ProviderError):
    """The chart's repository does not answer from here; the message says why, in a few words."""


def fetch(helm: Helm, release: Release, work: Workspace) -> str:
    """The path of the release's chart. Raises OutOfReach, or ProviderError where the chart does not exist."""
    local = release.local_chart
    if local is not None:
        return str(local.resolve())
    try:
        if commands.has_credentials(release):
            work.keep_repositories_apart()
            password = release.repository.get("password", "")
            helm.run(commands.log_in(release), work, seconds=PATIENCE, stdin=password)
        helm.run(commands.pull(release, str(work.folder)), work, seconds=PATIENCE)
    except HelmCancelled:
        raise
    except HelmTimedOut as error:
        raise OutOfReach(f"{_place(release)} does not answer within {PATIENCE:g} seconds") from error
    except HelmFailed as error:
        if _OUT_OF_REACH.search(str(error)):
            raise OutOfReach(f"{_place(release)} can't be reached: {_cause(str(error))}") from error
        raise ProviderError(
            f"chart {release.chart!r}: {error}; check `chart`, `version` and `repositoryOpts`"
        ) from error
    chart = work.downloaded()
    if chart is None:
        raise ProviderError(f"chart {release.chart!r}: helm downloaded nothing; check `chart` and `repositoryOpts`")
    return str(chart)


def _place(release: Release) -> str:
    return release.repository.get("repo") or release.chart


def _cause(message: str) -> str:
    """The innermost of errors that are written one around the other."""
    return re.split(r": (?=[^/:])", message.strip().rstrip("."))[-1]
