"""The lines that are run: which argument of a release is which option of ``helm``. Pure.

Values, the kubeconfig and passwords are never among them: they go through files and through standard input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from engine.providers.kubernetes.helm.release import Release

_BOTH: Final[Mapping[str, str]] = {
    "atomic": "--atomic",
    "dependencyUpdate": "--dependency-update",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "renderSubchartNotes": "--render-subchart-notes",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
}
_INSTALL: Final[Mapping[str, str]] = {
    **_BOTH,
    "createNamespace": "--create-namespace",
    "disableWebhooks": "--no-hooks",
    "replace": "--replace",
}
_UPGRADE: Final[Mapping[str, str]] = {
    **_BOTH,
    "cleanupOnFail": "--cleanup-on-fail",
    "disableCRDHooks": "--no-hooks",
    "forceUpdate": "--force",
    "recreatePods": "--recreate-pods",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
}
_CERTIFICATES: Final = {"caFile": "--ca-file", "certFile": "--cert-file", "keyFile": "--key-file"}
_REPOSITORY: Final = "release"  # the name under which a repository with credentials is known for one operation


def pull(release: Release, folder: str) -> list[str]:
    """Download the chart into ``folder``."""
    chart, repository = release.chart, release.repository
    options: list[str] = []
    if has_credentials(release) and not chart.startswith("oci://"):
        chart = f"{_REPOSITORY}/{chart}"
    elif "repo" in repository:
        options += ["--repo", repository["repo"]]
    for key, option in _CERTIFICATES.items():
        if key in repository:
            options += [option, repository[key]]
    if release.text("version"):
        options += ["--version", release.text("version")]
    elif release.wants("devel"):
        options.append("--devel")
    if release.wants("verify"):
        options += ["--verify", "--keyring", release.text("keyring")] if release.text("keyring") else ["--verify"]
    if release.wants("plainHttp"):
        options.append("--plain-http")
    return ["pull", chart, "--destination", folder, *options]


def has_credentials(release: Release) -> bool:
    return "username" in release.repository or "password" in release.repository


def log_in(release: Release) -> list[str]:
    """Make the repository known with its credentials; the password is read from standard input."""
    repository = release.repository
    user = ["--username", repository.get("username", ""), "--password-stdin"]
    if release.chart.startswith("oci://"):
        return ["registry", "login", urlsplit(release.chart).netloc, *user]
    certificates = [
        part for key, option in _CERTIFICATES.items() if key in repository for part in (option, repository[key])
    ]
    return ["repo", "add", _REPOSITORY, repository.get("repo", ""), *user, *certificates]


def install(release: Release, chart: str, values: str, attempt: str) -> list[str]:
    """Install the chart at ``chart`` with the file ``values``; ``attempt`` marks whose work it is."""
    mark = ["--labels", f"{ATTEMPT}={mark_of(attempt)}"]
    return ["install", release.name, chart, *_where(release), "--values", values, *mark, *_options(release, _INSTALL)]


def upgrade(release: Release, chart: str, values: str) -> list[str]:
    history = release.inputs.get("maxHistory")
    kept = ["--history-max", str(int(history))] if isinstance(history, int | float) else []
    return ["upgrade", release.name, chart, *_where(release), "--values", values, *kept, *_options(release, _UPGRADE)]


def template(release: Release, chart: str, values: str, version: str) -> list[str]:
    """Render the chart at ``chart`` as for Kubernetes ``version``, without hooks, which no release would run."""
    flags = [
        *([] if release.wants("skipCrds") else ["--include-crds"]),
        *(["--dependency-update"] if release.wants("dependencyUpdate") else []),
    ]
    where = [*_where(release), "--kube-version", version]
    return ["template", release.name, chart, *where, "--values", values, "--no-hooks", *flags]


def uninstall(release: Release) -> list[str]:
    return ["uninstall", release.name, *_where(release), "--wait", "--timeout", f"{release.seconds}s"]


def find(name: str, namespace: str, selector: str = "") -> list[str]:
    """List the releases of a name, in whatever state; with ``selector``, only those that it chooses."""
    chosen = ["--selector", selector] if selector else []
    return ["list", "--namespace", namespace, "--all", "--filter", f"^{name}$", "--output", "json", *chosen]


def manifest(name: str, namespace: str) -> list[str]:
    return ["get", "manifest", name, "--namespace", namespace]


def values(name: str, namespace: str) -> list[str]:
    return ["get", "values", name, "--namespace", namespace, "--output", "json"]


ATTEMPT: Final = "bedplate.dev/attempt"


def mark_of(attempt: str) -> str:
    """A create's token as the value of a label."""
    return hashlib.sha256(attempt.encode()).hexdigest()[:32]


def _where(release: Release) -> list[str]:
    return ["--namespace", release.namespace]


def _options(release: Release, flags: Mapping[str, str]) -> Sequence[str]:
    options = [option for key, option in flags.items() if release.wants(key)]
    if release.awaited:
        options += ["--wait", *(["--wait-for-jobs"] if release.wants("waitForJobs") else [])]
    if release.text("description"):
        options += ["--description", release.text("description")]
    if release.text("postrender"):
        options += ["--post-renderer", release.text("postrender")]
    return [*options, "--timeout", f"{release.seconds}s"]
