"""IAM policy documents, wherever a resource may carry one: as JSON text, or as an object.

What ``aws.iam.getPolicyDocument`` returns arrives as its ``json``, which is such a text; its whole result is taken too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import ClassVar, Final, Self

from policies.kit import Resource, UnknownValue, Value, WrongType
from policies.subjects.document_text import UNKNOWN_PART, read
from policies.subjects.statements import Statement, Statements

# Where documents lie, by type; "*" stands for every element of a list. What somebody may do:
_IDENTITY: Final[Mapping[str, Sequence[str]]] = {
    "aws:iam/policy:Policy": ("policy",),
    "aws:iam/rolePolicy:RolePolicy": ("policy",),
    "aws:iam/userPolicy:UserPolicy": ("policy",),
    "aws:iam/groupPolicy:GroupPolicy": ("policy",),
    "aws:iam/role:Role": ("inlinePolicies.*.policy",),
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": ("inlinePolicy",),
}
# Who may become a role:
_TRUST: Final[Mapping[str, Sequence[str]]] = {"aws:iam/role:Role": ("assumeRolePolicy",)}
# Who may use a resource:
_RESOURCE: Final[Mapping[str, Sequence[str]]] = {
    "aws:backup/vaultPolicy:VaultPolicy": ("policy",),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": ("policy",),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": ("policyDocument",),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("policy",),
    "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy": ("policy",),
    "aws:ecr/registryPolicy:RegistryPolicy": ("policy",),
    "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": ("repositoryPolicy",),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": ("policy",),
    "aws:ecrpublic/repositoryPolicy:RepositoryPolicy": ("policy",),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": ("policy",),
    "aws:glue/resourcePolicy:ResourcePolicy": ("policy",),
    "aws:kms/externalKey:ExternalKey": ("policy",),
    "aws:kms/key:Key": ("policy",),
    "aws:kms/keyPolicy:KeyPolicy": ("policy",),
    "aws:kms/replicaKey:ReplicaKey": ("policy",),
    "aws:opensearch/domain:Domain": ("accessPolicies",),
    "aws:opensearch/domainPolicy:DomainPolicy": ("accessPolicies",),
    "aws:s3/accessPoint:AccessPoint": ("policy",),
    "aws:s3/bucket:Bucket": ("policy",),
    "aws:s3/bucketPolicy:BucketPolicy": ("policy",),
    "aws:s3/bucketV2:BucketV2": ("policy",),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": ("resourcePolicy",),
    "aws:secretsmanager/secret:Secret": ("policy",),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("policy",),
    "aws:sns/topic:Topic": ("policy",),
    "aws:sns/topicPolicy:TopicPolicy": ("policy",),
    "aws:sqs/queue:Queue": ("policy",),
    "aws:sqs/queuePolicy:QueuePolicy": ("policy",),
}


@dataclass(frozen=True, eq=False)
class PolicyDocument:
    """A document and where it lies. A rule that names a subclass sees only documents of that kind."""

    resource: Resource
    value: Value

    places: ClassVar[Sequence[Mapping[str, Sequence[str]]]] = (_IDENTITY, _TRUST, _RESOURCE)
    types: ClassVar[tuple[str, ...]] = tuple(sorted({*_IDENTITY, *_TRUST, *_RESOURCE}))

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[Self]:
        """Every document of a resource. Raises UnknownValue where a list of them isn't known."""
        for places in cls.places:
            for path in places.get(resource.type, ()):
                for value in _at(resource.properties, path.split(".")):
                    if _given(value):
                        yield cls(resource, value)

    @property
    def path(self) -> str:
        """Where it lies in its resource."""
        return self.value.path

    @property
    def statements(self) -> Iterator[Statement]:
        """Its statements; none where it is malformed, which a rule of its own reports.

        Raises UnknownValue, after those that are known, where the document or a part of it is not known yet.
        """
        for statement in self.acting:
            if not statement.unknown_reach:
                yield statement
        self.settle(lambda _: True)

    @property
    def acting(self) -> Iterator[Statement]:
        """Its statements, for rules that ask whom and what they speak of, but not how far they reach.

        Raises UnknownValue, after those that are known, where even that is not known yet.
        """
        for statement in self.content.statements:
            if not statement.unknown:
                yield statement
        self.settle(lambda _: False)

    def settle(self, matters: Callable[[Statement], bool]) -> None:
        """Raises UnknownValue for the first statement that, once it is known, may be one that ``matters``.

        For the end of a rule: what is known has been judged, and nothing passes because it was unknown.
        """
        for statement in self.content.statements:
            unknown = statement.unknown or (statement.unknown_reach if matters(statement) else "")
            if unknown:
                raise UnknownValue(f"{self.path}.{unknown}", self.value.owner)

    @property
    def faults(self) -> Sequence[str]:
        """What AWS would refuse of it. Raises UnknownValue where it isn't known, WrongType where it's no document."""
        return self.content.faults

    @cached_property
    def content(self) -> Statements:
        """All statements, those with unknown parts among them. Raises UnknownValue and WrongType."""
        if self.value.kind == "an object":
            inner = self.value.get("json")  # the result of aws.iam.getPolicyDocument as a whole
            if inner.present:
                return read(inner.text(""))
            return read(json.dumps(self.value.plain(UNKNOWN_PART)))
        if self.value.kind in ("text", "unknown"):
            return read(self.value.text(""))
        raise WrongType(self.path, "a policy document, as JSON text or an object", self.value.kind, self.value.owner)


class IdentityDocument(PolicyDocument):
    """What a role, user or group may do."""

    places = (_IDENTITY,)
    types = tuple(_IDENTITY)


class TrustDocument(PolicyDocument):
    """Who may assume a role."""

    places = (_TRUST,)
    types = tuple(_TRUST)


class ResourceDocument(PolicyDocument):
    """Who may do what with a resource: buckets, keys, repositories, queues, topics, secrets, endpoints."""

    places = (_RESOURCE,)
    types = tuple(_RESOURCE)


def _at(value: Value, steps: Sequence[str]) -> Iterator[Value]:
    if not steps:
        return iter((value,))
    step, *rest = steps
    if step == "*":
        return chain.from_iterable(_at(element, rest) for element in value.items())
    return _at(value.get(step), rest)


def _given(value: Value) -> bool:
    """Empty text is how providers say that there is none."""
    return value.unknown or (value.present and not (value.kind == "text" and not value.text("").strip()))
