"""What answers the engine: the SDK's servicer, which leaves reading a request to the rules and follows the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from pulumi.runtime.proto import analyzer_pb2 as wire
from pulumi_policy import EnforcementLevel, Policy

from policies.kit import requests
from policies.kit.sdk_policies import Judged, ResourceRule
from policies.kit.session import Session

# What is overridden in the SDK's servicer.
NEEDED: Final = (
    "Analyze",
    "AnalyzeStack",
    "Remediate",
    "ConfigureStack",
    "_configure_runtime_settings",
    "_get_enforcement_level",
)


class ByType(Protocol):
    """The policies of a pack, by the type of a resource."""

    concerning: Callable[[str], tuple[ResourceRule, ...]]


def servicer_over(original: Any, session: Session, policies: ByType, resettle: Callable[[], None]) -> Any:
    """A subclass of the SDK's servicer; ``resettle`` is called when the session's settings have changed."""

    class Servicer(original):
        _configured = False

        def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            session.inputs[request.urn] = request.properties
            shown = wire.AnalyzeRequest(type=request.type, urn=request.urn, name=request.name)
            return self._serve(request, request.urn, context, super().Analyze, shown)

        def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            urn = request.resources[0].urn if request.resources else ""
            try:
                return self._serve(request, urn, context, super().AnalyzeStack, wire.AnalyzeStackRequest())
            finally:
                session.inputs.clear()

        def Remediate(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            if not any(self._mends(policy) for policy in policies.concerning(request.type)):
                return wire.RemediateResponse()
            return self._serve(request, request.urn, context, super().Remediate, request)

        def ConfigureStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
            session.stack = request.stack
            if request.config:
                session.configure(request.config)
                resettle()
            return super().ConfigureStack(request, context)

        def _serve(self, request: Any, urn: str, context: Any, served: Callable[[Any, Any], Any], shown: Any) -> Any:
            """Answer ``request``; the SDK is only ``shown`` what it needs: it would read all of it for each policy."""
            if session.see(urn):
                resettle()
            with requests.serving(request, served.__name__, session.inputs):
                return served(shown, context)

        def _configure_runtime_settings(self) -> None:
            if not self._configured:
                super()._configure_runtime_settings()
                self._configured = True

        def _get_enforcement_level(self, policy: Policy) -> EnforcementLevel:
            level = super()._get_enforcement_level(policy)
            reading = requests.current()
            mending = reading is not None and reading.method == "Remediate"
            if level is EnforcementLevel.REMEDIATE and isinstance(policy, Judged) and not mending:
                # What a remediation leaves over is advisory where its rule is; the SDK would make it mandatory.
                return EnforcementLevel(session.level(policy.rule))
            return level

        def _mends(self, policy: Policy) -> bool:
            return super()._get_enforcement_level(policy) is EnforcementLevel.REMEDIATE

    return Servicer
