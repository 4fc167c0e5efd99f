"""What packs are told and what they say, in the messages of the Analyzer protocol (``analyzer.proto``), both ways.

What is sent is what Pulumi's engine sends: secrets and unknowns in their wire form, references to resources as their
ids, and no property that an engine or a provider keeps for itself (a name that starts with two underscores).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.protobuf import json_format, struct_pb2

from engine import wire
from engine.analyzer.findings import (
    JUDGES,
    Analysis,
    AnalyzedProvider,
    AnalyzedResource,
    Level,
    NotApplicable,
    PackInfo,
    PolicyConfig,
    PolicyFinding,
    PolicyInfo,
    PolicyKind,
    Remediated,
    Remediation,
)
from engine.analyzer.pack import PackFolder
from engine.protocol import analyzer_pb2
from engine.values import Properties, ResourceRef, Secret, Value, transform

_LEVELS: Final = {
    Level.ADVISORY: analyzer_pb2.ADVISORY,
    Level.MANDATORY: analyzer_pb2.MANDATORY,
    Level.DISABLED: analyzer_pb2.DISABLED,
    Level.REMEDIATE: analyzer_pb2.REMEDIATE,
}
_LEVEL_OF: Final = {number: level for level, number in _LEVELS.items()}
_SEVERITY_OF: Final = {
    analyzer_pb2.POLICY_SEVERITY_LOW: "low",
    analyzer_pb2.POLICY_SEVERITY_MEDIUM: "medium",
    analyzer_pb2.POLICY_SEVERITY_HIGH: "high",
    analyzer_pb2.POLICY_SEVERITY_CRITICAL: "critical",
}
_KIND_OF: Final = {
    analyzer_pb2.POLICY_TYPE_RESOURCE: PolicyKind.RESOURCE,
    analyzer_pb2.POLICY_TYPE_STACK: PolicyKind.STACK,
}


def analyze_request(resource: AnalyzedResource, *, internal: bool = False) -> analyzer_pb2.AnalyzeRequest:
    """Ask about ``resource``; with ``internal`` what engines keep for themselves is told, so that it comes back."""
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=_struct(resource.properties, internal=internal),
        options=_options(resource),
        provider=_provider(resource.provider),
    )


def stack_request(resources: Iterable[AnalyzedResource]) -> analyzer_pb2.AnalyzeStackRequest:
    return analyzer_pb2.AnalyzeStackRequest(resources=[_stack_resource(resource) for resource in resources])


def _stack_resource(resource: AnalyzedResource) -> analyzer_pb2.AnalyzerResource:
    return analyzer_pb2.AnalyzerResource(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=_struct(resource.properties),
        options=_options(resource),
        provider=_provider(resource.provider),
        parent=resource.parent,
        dependencies=resource.dependencies,
        propertyDependencies={
            name: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
            for name, urns in resource.property_dependencies.items()
            if urns
        },
    )


def _struct(properties: Properties, *, internal: bool = False) -> struct_pb2.Struct:
    kept = {key: value for key, value in properties.items() if internal or not key.startswith("__")}
    return wire.encode(transform(kept, _without_references))


def _without_references(value: Value) -> Value:
    if isinstance(value, ResourceRef):
        return value.urn if value.id is None else value.id
    return Secret(transform(value.value, _without_references)) if isinstance(value, Secret) else value


def _provider(provider: AnalyzedProvider | None) -> analyzer_pb2.AnalyzerProviderResource | None:
    if provider is None:
        return None
    name = provider.urn.rpartition("::")[2]
    return analyzer_pb2.AnalyzerProviderResource(
        type=provider.type, urn=provider.urn, name=name, properties=_struct(provider.properties)
    )


def _options(resource: AnalyzedResource) -> analyzer_pb2.AnalyzerResourceOptions:
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        deleteBeforeReplace=bool(resource.delete_before_replace),
        deleteBeforeReplaceDefined=resource.delete_before_replace is not None,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(**dict(resource.timeouts)),
        parent=resource.parent,
    )


def configure_request(config: Mapping[str, PolicyConfig]) -> analyzer_pb2.ConfigureAnalyzerRequest:
    """Configure a pack; each policy's level has to be given."""
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    for name, each in config.items():
        assert each.level is not None, "the configuration was reconciled"
        request.policyConfig[name].enforcementLevel = _LEVELS[each.level]
        request.policyConfig[name].properties.CopyFrom(wire.encode(dict(each.properties)))
    return request


def info_of(message: analyzer_pb2.AnalyzerInfo, pack: PackFolder) -> PackInfo:
    """What ``pack`` says of itself. Of the version its file's counts, of the description its own."""
    initial = {name: _config_of(config) for name, config in message.initialConfig.items()}
    return PackInfo(
        message.name, pack.version or message.version, tuple(map(_policy_of, message.policies)), str(pack.folder),
        message.displayName, message.description or pack.description, initial, message.supportsConfig,
        _types_in(message.tags),
    )  # fmt: skip


def _types_in(tags: Iterable[str]) -> tuple[str, ...] | None:
    said = [tag.removeprefix(JUDGES) for tag in tags if tag.startswith(JUDGES)]
    return tuple(pattern for text in said for pattern in text.split(",") if pattern) if said else None


def _policy_of(message: Any) -> PolicyInfo:
    framework = message.framework
    return PolicyInfo(
        name=message.name,
        description=message.description,
        level=_LEVEL_OF.get(message.enforcementLevel, Level.ADVISORY),
        kind=_KIND_OF.get(message.policy_type, PolicyKind.UNKNOWN),
        display_name=message.displayName,
        severity=_SEVERITY_OF.get(message.severity, ""),
        framework=" ".join(
            part for part in (framework.name, framework.version, framework.specification or framework.reference) if part
        ),
        tags=tuple(message.tags),
        remediation_steps=message.remediation_steps,
        url=message.url,
        schema=json_format.MessageToDict(message.configSchema.properties),
        required=tuple(message.configSchema.required),
    )


def _config_of(message: Any) -> PolicyConfig:
    return PolicyConfig(_LEVEL_OF.get(message.enforcementLevel), json_format.MessageToDict(message.properties))


def analysis_of(message: Any, info: PackInfo, urn: str) -> Analysis:
    """An answer to what was asked about ``urn``; "" where it was asked about the stack, which then names resources."""
    return Analysis(tuple(_finding_of(each, info, urn) for each in message.diagnostics), _not_applicable(message))


def _finding_of(message: Any, info: PackInfo, urn: str) -> PolicyFinding:
    level = _LEVEL_OF.get(message.enforcementLevel, Level.ADVISORY)
    policy = info.policy(message.policyName)
    description = message.description
    text = message.message
    if description and text.startswith(f"{description}\n"):  # the SDK puts the one before the other
        text = text[len(description) + 1 :]
    return PolicyFinding(
        pack=message.policyPackName or info.name,
        policy=message.policyName,
        # A violation that is left after a remediation counts as mandatory, as Pulumi has it.
        level=Level.MANDATORY if level is Level.REMEDIATE else level,
        message=text,
        urn=urn or message.urn,
        severity=_SEVERITY_OF.get(message.severity) or (policy.severity if policy else ""),
        description=description,
        pack_version=info.version or message.policyPackVersion,
    )


def remediation_of(message: Any, info: PackInfo, urn: str, before: Properties) -> Remediation:
    """What a pack made of the resource ``urn``, whose inputs were ``before``."""
    remediated: list[Remediated] = []
    findings: list[PolicyFinding] = []
    for each in message.remediations:
        pack = each.policyPackName or info.name
        version = info.version or each.policyPackVersion
        if each.diagnostic:
            findings.append(
                PolicyFinding(pack, each.policyName, Level.ADVISORY, each.diagnostic, urn,
                              description=each.description, pack_version=version)
            )  # fmt: skip
            continue
        after = kept(before, wire.decode(each.properties))
        remediated.append(Remediated(pack, each.policyName, urn, before, after, each.description, version))
        before = after
    return Remediation(tuple(remediated), tuple(findings), _not_applicable(message))


def kept(before: Properties, after: Properties) -> Properties:
    """``after`` with what is the same as ``before`` taken from there: a pack may drop marks of secrets, and hashes."""
    return {key: _kept(before[key], value) if key in before else value for key, value in after.items()}


def _kept(before: Value, after: Value) -> Value:
    if isinstance(before, Secret):
        return Secret(_kept(before.value, after.value if isinstance(after, Secret) else after))
    if isinstance(before, dict) and isinstance(after, dict):
        return kept(before, after)
    if isinstance(before, list) and isinstance(after, list):
        return [_kept(before[at], value) if at < len(before) else value for at, value in enumerate(after)]
    return before if _same(before, after) else after


def _same(before: Value, after: Value) -> bool:
    """Whether a pack has given back what it was given. A file's hash may be lost on the way."""
    told = wire.decode(_struct({"value": before}))
    answered = wire.decode(_struct({"value": after}))
    if isinstance(told.get("value"), str | int | float | None) or told == answered:
        return told == answered
    return _unhashed(told["value"]) == _unhashed(answered.get("value"))


def _unhashed(value: Value) -> Any:
    if hasattr(value, "hash"):
        fields = wire.special_fields(value)
        fields.pop("hash", None)
        return {key: _unhashed(item) for key, item in fields.items()}
    return {key: _unhashed(item) for key, item in value.items()} if isinstance(value, dict) else value


def _not_applicable(message: Any) -> tuple[NotApplicable, ...]:
    return tuple(NotApplicable(each.policy_name, each.reason) for each in message.not_applicable)
