"""Serving a pack over Pulumi's Analyzer protocol: the policy SDK's own server, told what each request needs.

The SDK (1.21) runs every policy of a pack for every resource, reading the resource anew each time: 90 rules over 360
resources take half a minute. Here it is shown only the policies that concern the resource's type, and each resource is
read once. Both rest on names within the SDK; where they are not there any more, the SDK's own code runs, slower
(``tests/policies/test_kit_serving.py`` notices).
"""

# What is replaced here is the SDK's own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final

import pulumi_policy
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Policy
from pulumi_policy import policy as sdk

from policies.kit import requests
from policies.kit.packs import Pack
from policies.kit.sdk_policies import Judged, policies_of, set_levels
from policies.kit.session import Session

# What the replacements need of the SDK's module and of its servicer.
NEEDED: Final = ("_PolicyAnalyzerServicer", "deserialize_properties", "unknown_checking_proxy", "json_format")
NEEDED_METHODS: Final = (
    "Analyze",
    "AnalyzeStack",
    "Remediate",
    "ConfigureStack",
    "_get_enforcement_level",
    "_get_resource_options",
    "_get_provider_resource",
)


def serve(pack: Pack) -> None:
    """Serve the pack until the engine ends the process; its port is written to standard output."""
    session = Session(pack)
    policies = PoliciesOfRequest(policies_of(session))
    config = session.initial_config()

    def resettle() -> None:
        """What the engine is told of levels and parameters follows the settings; the SDK asks both each time."""
        set_levels(policies, session)
        config.clear()
        config.update(session.initial_config())

    if replaceable():
        _replace(session, policies, resettle)
    pulumi_policy.PolicyPack(
        name=pack.name,
        policies=policies,
        enforcement_level=EnforcementLevel.MANDATORY,
        initial_config=config,
        description=pack.description,
        display_name=pack.title,
    )


def replaceable() -> bool:
    """Whether the SDK still has what the replacements rest on."""
    servicer = getattr(sdk, "_PolicyAnalyzerServicer", None)
    return all(hasattr(sdk, name) for name in NEEDED) and all(hasattr(servicer, name) for name in NEEDED_METHODS)


class PoliciesOfRequest(list[Policy]):
    """The policies of a pack; while a request is served, only those that concern what it is about."""

    def __init__(self, policies: list[Policy]) -> None:
        super().__init__(policies)
        self.concerning: Callable[[str], tuple[Policy, ...]] = functools.cache(self._concerning)
        self._of_stack = tuple(policy for policy in policies if isinstance(policy, pulumi_policy.StackValidationPolicy))

    def __iter__(self) -> Iterator[Policy]:
        reading = requests.current()
        if reading is None:
            return super().__iter__()
        return iter(self._of_stack if reading.method == "AnalyzeStack" else self.concerning(reading.type))

    def _concerning(self, token: str) -> tuple[Policy, ...]:
        judged = [policy for policy in super().__iter__() if isinstance(policy, Judged)]
        return tuple(policy for policy in judged if not policy.rule.of_stack and policy.rule.concerns(token))


def _replace(session: Session, policies: PoliciesOfRequest, resettle: Callable[[], None]) -> None:
    """Put our servicer and our readings in the place of the SDK's."""
    module: Any = sdk
    read, proxied, as_dict = (
        module.deserialize_properties, module.unknown_checking_proxy, module.json_format.MessageToDict
    )  # fmt: skip

    def later(message: Any) -> Any:
        reading = requests.current()
        if reading is None or reading.method == "Remediate":
            return as_dict(message)
        return _Later(lambda: proxied(read(as_dict(message))))

    def unless_later(original: Callable[..., Any]) -> Callable[..., Any]:
        def now(given: Any, *others: Any) -> Any:
            return given if isinstance(given, _Later) else original(given, *others)

        return now

    module.json_format = SimpleNamespace(MessageToDict=later)
    module.deserialize_properties = unless_later(read)
    module.unknown_checking_proxy = unless_later(proxied)
    module._PolicyAnalyzerServicer = _servicer(module._PolicyAnalyzerServicer, session, policies, resettle)


class _Later(Mapping[str, Any]):
    """Properties that the SDK reads only when somebody asks; our rules read the request itself."""

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self._read = functools.cache(read)

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def _servicer(original: Any, session: Session, policies: PoliciesOfRequest, resettle: Callable[[], None]) -> Any:
    """The SDK's servicer, reading each request once and taking the stack's settings from ConfigureStack."""

    class Servicer(original):
        def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            return self._serve(request, context, "Analyze", super().Analyze)

        def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            return self._serve(request, context, "AnalyzeStack", super().AnalyzeStack)

        def Remediate(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            mending = any(self._mends(policy) for policy in policies.concerning(request.type))
            if not mending:
                return proto.RemediateResponse()
            return self._serve(request, context, "Remediate", super().Remediate)

        def ConfigureStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            session.stack = request.stack
            if request.config:
                session.configure(request.config)
                resettle()
            return super().ConfigureStack(request, context)

        def _serve(self, request: Any, context: Any, method: str, served: Callable[[Any, Any], Any]) -> Any:
            urn = request.urn if method != "AnalyzeStack" else next((one.urn for one in request.resources), "")
            if session.see(urn):
                resettle()
            with requests.serving(request, method):
                return served(request, context)

        def _get_enforcement_level(self, policy: Policy) -> EnforcementLevel:
            level = super()._get_enforcement_level(policy)
            reading = requests.current()
            mending = reading is not None and reading.method == "Remediate"
            if level is EnforcementLevel.REMEDIATE and isinstance(policy, Judged) and not mending:
                # What a remediation leaves over is advisory where its rule is; the SDK would make it mandatory.
                return EnforcementLevel(session.level(policy.rule))
            return level

        def _get_resource_options(self, request: Any) -> Any:
            return self._once("options", request, super()._get_resource_options)

        def _get_provider_resource(self, request: Any) -> Any:
            return self._once("provider", request, super()._get_provider_resource)

        def _once(self, what: str, request: Any, read: Callable[[Any], Any]) -> Any:
            reading = requests.current()
            return read(request) if reading is None else reading.once((what, request.urn), lambda: read(request))

        def _mends(self, policy: Policy) -> bool:
            return super()._get_enforcement_level(policy) is EnforcementLevel.REMEDIATE

    return Servicer
