"""Check: is this a manifest that the declared version of Kubernetes takes? Fill in what the program left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, cast

from engine.providers.base import Checked, CheckFailure
from engine.providers.kubernetes import autonames, manifests, schema
from engine.providers.kubernetes.conditions import BadExpression, wanted_conditions
from engine.providers.kubernetes.config import Config
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.manifests import absent
from engine.providers.kubernetes.tokens import ObjectType
from engine.values import UNKNOWN, Properties, Secret, Value, reveal

# Source: Kubernetes' documentation, "Object Names and IDs". A name becomes a part of a URL, whatever the kind.
_NAME: Final = re.compile(r"[^/%]{1,253}")
_PLAIN_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_FREELY_NAMED: Final = "rbac.authorization.k8s.io"  # whose names may hold colons and capitals


def check(
    object_type: ObjectType,
    config: Config,
    kinds: Kinds,
    urn: str,
    olds: Properties | None,
    news: Properties,
    seed: str,
) -> Checked:
    """``news`` with API version, kind, name and the provider's namespace filled in; failures name property paths."""
    failures = list(_refused(object_type, news))
    if failures:
        return Checked(news, failures)
    inputs = _complete(object_type, news)
    if object_type.patch:
        failures += _nameless(inputs)
    else:
        inputs = autonames.named(urn, olds, inputs, seed)
    inputs = _in_namespace(object_type, config, kinds, inputs)
    manifest = manifests.outgoing(inputs)
    kinds.learn(manifest)
    failures += _misnamed(object_type, inputs)
    failures += _refused_deletion(inputs)
    failures += _bad_conditions(inputs)
    if not object_type.patch:  # a patch says only a part: what is required may be missing from it
        failures += schema.validate(kinds.version, manifest, kinds.definitions(object_type))
    return Checked(with_secrets(inputs), _without_doubles(failures))


def _refused(object_type: ObjectType, news: Properties) -> Iterator[CheckFailure]:
    if object_type.is_list:
        yield CheckFailure(
            "",
            f"{object_type.kind} is a list of objects and can't be created; declare each"
            f" {object_type.kind.removesuffix('List')} by itself",
        )
    expected = {"apiVersion": object_type.api_version, "kind": object_type.kind}
    for key, value in expected.items():
        given = news.get(key)
        if given is not None and given is not UNKNOWN and given != value:
            yield CheckFailure(key, f"expected {value!r}, as the resource's type says, got {given!r}")
    metadata = news.get("metadata")
    if metadata is not None and metadata is not UNKNOWN and not isinstance(metadata, dict):
        yield CheckFailure("metadata", f"expected an object, got {type(metadata).__name__}")
    elif not absent(manifests.metadata(news).get("generateName")) and absent(manifests.metadata(news).get("name")):
        yield CheckFailure(
            "metadata.generateName",
            "is not supported with server-side apply; leave it out, and a name is made from the resource's name",
        )


def _complete(object_type: ObjectType, news: Properties) -> Properties:
    given = {key: value for key, value in news.items() if value is not None and not key.startswith("__")}
    metadata = given.get("metadata")
    if isinstance(metadata, dict):
        kept = cast("Properties", metadata).items()
        given["metadata"] = {key: value for key, value in kept if key not in manifests.SERVER_SET}
    return {"apiVersion": object_type.api_version, "kind": object_type.kind, **given}


def _nameless(inputs: Properties) -> Iterator[CheckFailure]:
    metadata = inputs.get("metadata")
    if metadata is not UNKNOWN and absent(manifests.metadata(inputs).get("name")):
        yield CheckFailure("metadata.name", "is required and missing: a patch names the object whose fields it manages")


def _in_namespace(object_type: ObjectType, config: Config, kinds: Kinds, inputs: Properties) -> Properties:
    """The provider's own namespace, where the object has none and its kind lives in one."""
    metadata = inputs.get("metadata")
    if config.namespace is None or not isinstance(metadata, dict) or "namespace" in metadata:
        return inputs
    if not kinds.namespaced(object_type):
        return inputs
    return {**inputs, "metadata": {**cast("Properties", metadata), "namespace": config.namespace}}


def _misnamed(object_type: ObjectType, inputs: Properties) -> Iterator[CheckFailure]:
    for key, pattern in (("name", _name_pattern(object_type)), ("namespace", _PLAIN_NAME)):
        value = manifests.metadata(inputs).get(key)
        if isinstance(value, str) and value and not pattern.fullmatch(value):
            expected = "lower-case letters, digits, hyphens and inner dots, at most 253"
            expected = expected if pattern is _PLAIN_NAME else "at most 253 characters without / and %"
            yield CheckFailure(f"metadata.{key}", f"expected {expected}, got {value!r}")


def _name_pattern(object_type: ObjectType) -> re.Pattern[str]:
    return _NAME if object_type.group == _FREELY_NAMED else _PLAIN_NAME


def _refused_deletion(inputs: Properties) -> Iterator[CheckFailure]:
    policy = manifests.annotation(inputs, manifests.DELETION_PROPAGATION)
    if policy is not None and policy.lower() not in ("foreground", "background", "orphan"):
        place = f'metadata.annotations["{manifests.DELETION_PROPAGATION}"]'
        yield CheckFailure(place, f"expected foreground, background or orphan, got {policy!r}")
    seconds = manifests.annotation(inputs, manifests.TIMEOUT_SECONDS)
    if seconds is not None and not seconds.isdecimal():
        place = f'metadata.annotations["{manifests.TIMEOUT_SECONDS}"]'
        yield CheckFailure(place, f"expected whole seconds, got {seconds!r}")


def _bad_conditions(inputs: Properties) -> Iterator[CheckFailure]:
    try:
        wanted_conditions(inputs)
    except BadExpression as error:
        yield CheckFailure(f'metadata.annotations["{manifests.WAIT_FOR}"]', str(error))


def with_secrets(inputs: Properties) -> Properties:
    """What a Secret holds is secret, whether or not the program marked it."""
    if not manifests.is_secret(inputs):
        return inputs
    return {key: as_secret(value) if key in ("data", "stringData") else value for key, value in inputs.items()}


def as_secret(value: Value) -> Value:
    return value if value is UNKNOWN else Secret(reveal(value))


def _without_doubles(failures: Sequence[CheckFailure]) -> tuple[CheckFailure, ...]:
    return tuple({(failure.property, failure.reason): failure for failure in failures}.values())
