"""What instances are told when they start holds no credentials (row 26)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from policies.kit import Finding, Resource, Value
from policies.security.pack import SECURITY
from policies.subjects.credentials_in_text import credentials_in, decoded
from policies.subjects.launches import INSTANCES, LAUNCH_CONFIGURATION, LAUNCH_TEMPLATE, NODE_CLASSES

_NOTEBOOK_SCRIPTS: Final = (
    "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration",
    "aws:sagemaker/studioLifecycleConfig:StudioLifecycleConfig",
)
_WHERE: Final = {
    **dict.fromkeys((*INSTANCES, LAUNCH_CONFIGURATION), ("userData", "userDataBase64")),
    LAUNCH_TEMPLATE: ("userData",),
    _NOTEBOOK_SCRIPTS[0]: ("onCreate", "onStart"),
    _NOTEBOOK_SCRIPTS[1]: ("studioLifecycleConfigContent",),
}


@dataclass(frozen=True)
class StartScript:
    """What an instance or a notebook is told when it starts, as text or in base64."""

    value: Value

    types: ClassVar = (*_WHERE, NODE_CLASSES)

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[Self]:
        of_karpenter = resource.is_a(NODE_CLASSES)
        paths = [("spec", "userData")] if of_karpenter else [(name,) for name in _WHERE.get(resource.type, ())]
        for value in (resource.properties.get(*path) for path in paths):
            if value.present:
                yield cls(value)


@SECURITY.rule(
    "user-data-secrets",
    number=26,
    title="Start scripts hold no credentials",
    severity="critical",
    fix="Give the instance a role, and let it fetch secrets from Secrets Manager or Parameter Store when it starts.",
    tags=("checkov:CKV_AWS_46", "trivy:AWS-0029", "trivy:AWS-0129"),
)
def user_data_secrets(script: StartScript) -> Iterator[Finding]:
    """Every process on the machine reads its user data, and so does everybody who may describe the instance.

    References are none: variables, commands that fetch a secret, ARNs, paths.
    """
    for credential in credentials_in(decoded(script.value.text(""))):
        yield Finding(f"line {credential.line} holds {credential.what}", script.value.path)
