"""Whom the policies of buckets, keys, image repositories, topics and queues let in, and how (rows 1, 3, 9, 13)."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kit import Finding, Resource, Stack
from policies.security.pack import SECURITY
from policies.subjects.aws_buckets import BUCKETS, companions
from policies.subjects.documents import PolicyDocument
from policies.subjects.openness import is_public, speaks_of_everyone
from policies.subjects.statements import Statement


@SECURITY.rule(
    "s3-tls-only",
    number=3,
    title="Buckets refuse requests without TLS",
    severity="medium",
    fix="Deny s3:* to everyone on the bucket and its objects where aws:SecureTransport is false.",
    frameworks=("CIS-AWS:2.1.1", "FSBP:S3.5"),
    tags=("checkov:CKV_AWS_379", "guard:s3_bucket_ssl_requests_only"),
    types=BUCKETS,
)
def s3_tls_only(bucket: Resource, stack: Stack) -> Iterator[str]:
    """S3 answers over plain HTTP unless a policy forbids it.

    An Allow with the condition is not enough: another policy, of a role for instance, allows the same without it.
    """
    documents = [document for holder in _policies(bucket, stack) for document in PolicyDocument.found_in(holder)]
    unknown = [document for document in documents if document.value.unknown]
    known = [document for document in documents if document.value.known]
    if any(_denies_plain_http(statement) for document in known for statement in document.statements):
        return
    for document in unknown:
        document.value.text()  # raises: it may deny it, nobody knows yet
    yield (
        "its policy denies no request without TLS" if documents else "it has no policy that denies requests without TLS"
    )


def _policies(bucket: Resource, stack: Stack) -> Iterator[Resource]:
    yield from companions(stack, bucket, "Policy")
    yield bucket


def _denies_plain_http(statement: Statement) -> bool:
    """Whether it denies everything to everyone, on objects as well as on the bucket, for no other reason than HTTP."""
    if not (statement.denies and speaks_of_everyone(statement) and statement.covers("s3:GetObject")):
        return False
    conditions = [(each.operator.lower(), each.key.lower(), each.values) for each in statement.conditions]
    if len(conditions) != 1 or not statement.covers("s3:PutObject") or not statement.covers("s3:ListBucket"):
        return False
    ((operator, key, values),) = conditions
    return (
        operator in ("bool", "boolifexists", "stringequals")
        and (key, [value.lower() for value in values]) == ("aws:securetransport", ["false"])
        and any(resource.endswith("*") for resource in statement.resources)
    )


def _strangers(document: PolicyDocument) -> Iterator[Finding]:
    """What lets everybody in; a document that can't be read may do so, too."""
    for statement in document.content.statements:
        if not statement.unknown and not statement.unknown_reach and is_public(statement):
            yield Finding(f"{statement.place} lets every principal of every account in", document.path)
    # Of what an unknown resource is part of, only that which speaks of everybody may let everybody in.
    document.settle(lambda statement: statement.allows and speaks_of_everyone(statement))
    if not document.content.statements and document.faults:
        yield Finding(f"{document.faults[0]}, so nobody can say whom it lets in", document.path)


class BucketDocument(PolicyDocument):
    """Who may do what with a bucket."""

    places = (
        dict.fromkeys(
            (
                *BUCKETS,
                "aws:s3/accessPoint:AccessPoint",
                "aws:s3/bucketPolicy:BucketPolicy",
            ),
            ("policy",),
        ),
    )
    types = tuple(places[0])


@SECURITY.rule(
    "s3-policy-not-public",
    number=1,
    title="No bucket's policy lets everybody in",
    severity="high",
    fix="Name the principals, or add a condition such as aws:PrincipalOrgID or aws:SourceVpce with StringEquals.",
    frameworks=("FSBP:S3.2", "FSBP:S3.3"),
    tags=("checkov:CKV_AWS_70", "pulumi:s3-bucket-disallow-public-read"),
)
def s3_policy_not_public(document: BucketDocument) -> Iterator[Finding]:
    """The principal ``*`` is everybody on the internet: a public access block may be all that keeps them out.

    A condition that a stranger can meet (a key that his request need not have, such as with ``ForAllValues:``) is none.
    """
    return _strangers(document)


class KeyDocument(PolicyDocument):
    """Who may do what with a key."""

    places = (
        dict.fromkeys(
            (
                "aws:kms/externalKey:ExternalKey",
                "aws:kms/key:Key",
                "aws:kms/keyPolicy:KeyPolicy",
                "aws:kms/replicaExternalKey:ReplicaExternalKey",
                "aws:kms/replicaKey:ReplicaKey",
            ),
            ("policy",),
        ),
    )
    types = tuple(places[0])


@SECURITY.rule(
    "kms-policy-principals",
    number=9,
    title="No key's policy lets everybody in",
    severity="high",
    fix="Name the principals, or add a condition such as kms:CallerAccount or aws:PrincipalOrgID.",
    frameworks=("FSBP:KMS.5",),
    tags=("checkov:CKV_AWS_33", "checkov:CKV2_AWS_64", "pulumi:kms-key-disallow-bypass-policy-lockout-safety-check"),
)
def kms_policy_principals(document: KeyDocument) -> Iterator[Finding]:
    """The principal ``*`` is every account of AWS, unless a condition says which.

    A condition that a stranger can meet (a key that his request need not have, such as with ``ForAllValues:``) is none.
    Without a policy, KMS gives a key one that lets only the account in.
    """
    return _strangers(document)


class ImageDocument(PolicyDocument):
    """Who may do what with images."""

    places = (
        {
            "aws:ecr/registryPolicy:RegistryPolicy": ("policy",),
            "aws:ecr/repositoryPolicy:RepositoryPolicy": ("policy",),
            "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": ("repositoryPolicy",),
        },
    )
    types = tuple(places[0])


@SECURITY.rule(
    "ecr-not-public",
    number=13,
    title="No repository's policy lets everybody in",
    severity="high",
    fix="Name the principals, or add a condition such as aws:PrincipalOrgID with StringEquals.",
    frameworks=("Prowler:ecr_repositories_not_publicly_accessible",),
    tags=("checkov:CKV_AWS_32", "trivy:AWS-0032"),
)
def ecr_not_public(document: ImageDocument) -> Iterator[Finding]:
    """The principal ``*`` is every account of AWS: it may pull what is in the image, or push another in its place.

    A condition that a stranger can meet (a key that his request need not have, such as with ``ForAllValues:``) is none.
    """
    return _strangers(document)


class MessageDocument(PolicyDocument):
    """Who may do what with a topic or a queue."""

    places = (
        dict.fromkeys(
            (
                "aws:sns/topic:Topic",
                "aws:sns/topicPolicy:TopicPolicy",
                "aws:sqs/queue:Queue",
                "aws:sqs/queuePolicy:QueuePolicy",
            ),
            ("policy",),
        ),
    )
    types = tuple(places[0])


@SECURITY.rule(
    "messages-not-public",
    number=1,
    title="No topic's and no queue's policy lets everybody in",
    severity="high",
    fix="Name the principals, or add a condition such as aws:SourceAccount, aws:SourceArn or aws:PrincipalOrgID.",
    frameworks=("FSBP:SNS.4", "FSBP:SQS.3"),
    tags=(
        "checkov:CKV_AWS_168",
        "checkov:CKV_AWS_169",
        "prowler:sns_topics_not_publicly_accessible",
        "prowler:sqs_queues_not_publicly_accessible",
    ),
)
def messages_not_public(document: MessageDocument) -> Iterator[Finding]:
    """The principal ``*`` is everybody: he may send what looks like an alert or an event, or read what was sent.

    A condition that a stranger can meet (a key that his request need not have, such as with ``ForAllValues:``) is none.
    ``aws:SourceOwner``, which SNS's default policy has, says who sends; ``sns:Endpoint`` only says to where.
    """
    return _strangers(document)
