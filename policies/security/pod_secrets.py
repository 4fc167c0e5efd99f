"""Row 76: secrets are in Secrets, not in pods' environments or in ConfigMaps."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kit import Finding, Value
from policies.security.pack import SECURITY
from policies.subjects.kubernetes import KubernetesObject
from policies.subjects.pods import Container
from policies.subjects.secret_texts import assigned_in, is_reference, is_secret_name, secret_in


@SECURITY.rule(
    "secret-in-environment",
    number=76,
    title="No secret is written into a pod's environment",
    severity="high",
    fix="Put it into a Secret (best from Secrets Manager), and mount that, or refer to it by valueFrom.secretKeyRef.",
    frameworks=("CISE:4.4.1",),
    tags=("trivy:KSV-0109",),
)
def secret_in_environment(container: Container) -> Iterator[Finding]:
    """What is written into a pod's environment is readable by whoever may get pods, and lies in logs and backups.

    A value counts as a secret by its variable's name (unless it only refers to one), by its shape, or because Pulumi
    knows it for one. References by valueFrom are none. A value that is not known yet is judged by its name and by
    Pulumi's mark: where a secret goes into a value, the mark goes with it.
    """
    for variable in container.get("env").items():
        name, value = variable.get("name").text(""), variable.get("value")
        problem = None if value.missing else _problem(name, value)
        if problem:
            yield Finding(f"container '{container.name}' has {problem} in its variable {name}", value.path)


@SECURITY.rule(
    "secret-in-configmap",
    number=76,
    title="No secret is in a ConfigMap",
    severity="high",
    fix="Put it into a Secret (best from Secrets Manager).",
    frameworks=("CISE:4.4.1",),
    tags=("trivy:KSV-0109", "trivy:KSV-01010"),
)
def secret_in_configmap(each: KubernetesObject) -> Iterator[Finding]:
    """ConfigMaps are readable by nearly everybody, and encrypted by nobody.

    A value counts by its key's name, by its shape, because Pulumi knows it for a secret, or because it is a file in
    which a secret's name is given a value.
    """
    if (each.group, each.kind) != ("", "ConfigMap"):
        return
    for key, value in each.body.get("data").entries():
        problem = None if value.missing else _problem(key, value)
        named = assigned_in(value.text("")) if problem is None and value.known else None
        if problem or named:
            told = problem or f"a value for {named}"
            yield Finding(f"the ConfigMap '{each.name}' has {told} in its key {key}", value.path)


def _problem(name: str, value: Value) -> str | None:
    """What makes the value a secret; None where nothing does."""
    if value.secret:
        return "what Pulumi knows for a secret"
    if value.unknown:
        return "a value that is not known yet, and by its name a secret," if is_secret_name(name) else None
    text = value.text("")
    if is_secret_name(name) and not is_reference(text):
        return "by its name a secret"
    return secret_in(text)


@SECURITY.rule(
    "secrets-as-files",
    number=76,
    title="Pods get secrets as files",
    severity="low",
    fix="Mount the Secret as a volume in place of valueFrom.secretKeyRef or envFrom.secretRef.",
    frameworks=("CISE:4.4.1",),
    tags=("checkov:CKV_K8S_35",),
    level="advisory",  # most programs take their secrets from the environment
)
def secrets_as_files(container: Container) -> Iterator[Finding]:
    """An environment is inherited by every child process and printed by crash reports; a file follows its Secret."""
    for variable in container.get("env").items():
        reference = variable.get("valueFrom", "secretKeyRef")
        if reference.present:
            yield Finding(
                f"container '{container.name}' has the secret {reference.get('name').shown()} in its environment",
                reference.path,
            )
    for source in container.get("envFrom").items():
        reference = source.get("secretRef")
        if reference.present:
            yield Finding(
                f"container '{container.name}' has the whole secret {reference.get('name').shown()} in its environment",
                reference.path,
            )
