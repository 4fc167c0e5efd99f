"""What S3 refuses of a bucket's name, its policy and its lifecycle.

Sources: S3 user guide, "General purpose bucket naming rules", "Blocking public access", "Lifecycle transition
constraints"; S3 API reference, PutBucketPolicy.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from moto.s3.exceptions import S3ClientError

Fields = dict[str, Any]

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
MIN_DAYS = {"STANDARD_IA": 30, "ONEZONE_IA": 30}  # before an object may move to the class


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or ".." in name or _ADDRESS.fullmatch(name):
        raise S3ClientError("InvalidBucketName", "The specified bucket is not valid.")


def check_policy(text: bytes | str, bucket_arn: str, *, block_public: bool) -> None:
    """Raise what S3 answers to a policy that is no JSON, names another bucket, or is public where that is blocked."""
    try:
        policy = json.loads(text)
    except ValueError:
        message = "Policies must be valid JSON and the first byte must be '{'"
        raise S3ClientError("MalformedPolicy", message) from None
    statements = _list(policy.get("Statement") if isinstance(policy, dict) else None)
    if not statements:
        raise S3ClientError("MalformedPolicy", "Missing required field Statement")
    for statement in statements:
        resources = _list(statement.get("Resource") or statement.get("NotResource"))
        if not all(resource == "*" or str(resource).split("/", 1)[0] == bucket_arn for resource in resources):
            raise S3ClientError("MalformedPolicy", "Policy has invalid resource")
        if block_public and _is_public(statement):
            raise S3ClientError(
                "AccessDenied",
                "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            )


def delivery_statements(policy: bytes, bucket_arn: str, prefix: str) -> bytes:
    """What ``policy`` says of services and objects below ``prefix``, as if it said it of every object."""
    statements = _list(json.loads(policy).get("Statement"))
    spoken = [each for each in statements if isinstance(each.get("Principal"), dict) and "Service" in each["Principal"]]
    sample = f"{bucket_arn}/{prefix}2026-11-22-log"
    meant = [each for each in spoken if any(fnmatchcase(sample, str(item)) for item in _list(each.get("Resource")))]
    return json.dumps({"Statement": [each | {"Resource": f"{bucket_arn}/*"} for each in meant]}).encode()


def check_lifecycle(rules: list[Fields]) -> None:
    for rule in rules:
        for transition in _list(rule.get("Transition")):
            least = MIN_DAYS.get(transition.get("StorageClass"), 0)
            if transition.get("Days") is not None and int(transition["Days"]) < least:
                message = (
                    "'Days' in Transition action must be greater than or equal to "
                    f"{least} for storageClass '{transition['StorageClass']}'"
                )
                raise S3ClientError("InvalidArgument", message)


def lifecycle_answer(rule: Fields, identifier: str) -> Fields:
    """A rule as it was sent (element names of the XML), in the form of the answer (members of the API)."""
    filters: Fields = dict(rule.get("Filter") or {})
    if "And" in filters:
        both: Fields = dict(filters["And"])
        tags = _list(both.pop("Tag", None))
        filters["And"] = both | ({"Tags": tags} if tags else {})
    if filters.get("Prefix", "") is None:
        filters["Prefix"] = ""
    plural = {"Transition": "Transitions", "NoncurrentVersionTransition": "NoncurrentVersionTransitions"}
    answer = {plural.get(key, key): _list(value) if key in plural else value for key, value in rule.items()}
    kept = answer | ({} if "Prefix" in rule else {"Filter": filters})
    return kept | {"ID": identifier} | ({"Prefix": rule["Prefix"] or ""} if "Prefix" in rule else {})


def _is_public(statement: Fields) -> bool:
    principal = statement.get("Principal")
    anyone = principal == "*" or (isinstance(principal, dict) and "*" in _list(principal.get("AWS")))
    return statement.get("Effect") == "Allow" and anyone and not statement.get("Condition")


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
