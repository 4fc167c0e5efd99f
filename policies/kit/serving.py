"""Serving a pack over Pulumi's Analyzer protocol: the policy SDK's own server, told what each request needs.

The SDK (1.21) runs every policy of a pack for every resource, reads the resource anew each time, and configures itself
at each request: 90 rules over 360 resources take half a minute. Here it is shown only the policies that concern the
resource's type, each resource is read once, and the SDK is configured once. This rests on names within the SDK; where
they are not there any more, the SDK's own code runs, slower (``tests/policies/test_kit_serving.py`` notices).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final

import pulumi_policy
from pulumi_policy import EnforcementLevel, Policy, StackValidationPolicy

from policies.kit import requests
from policies.kit.packs import Pack
from policies.kit.sdk_policies import Judged, policies_of, set_levels
from policies.kit.servicer import NEEDED_METHODS, servicer_over
from policies.kit.session import Session

SDK: Final[Any] = pulumi_policy.policy
# What is replaced in the SDK's module.
NEEDED: Final = ("_PolicyAnalyzerServicer", "deserialize_properties", "unknown_checking_proxy", "json_format")


def serve(pack: Pack) -> None:
    """Serve the pack until the engine ends the process; its port is written to standard output."""
    served = Served(Session(pack))
    served.install()
    pulumi_policy.PolicyPack(
        name=pack.name,
        policies=served.policies,
        enforcement_level=EnforcementLevel.MANDATORY,
        initial_config=served.config,
        description=pack.description,
        display_name=pack.title,
    )


class Served:
    """A pack's policies and configuration, as the SDK is given them and asks for them each time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.policies = PoliciesOfRequest(policies_of(session))
        self.config = session.initial_config()

    def resettle(self) -> None:
        """Follow the session's settings after they have changed."""
        set_levels(self.policies, self.session)
        self.config.clear()
        self.config.update(self.session.initial_config())

    def install(self) -> bool:
        """Put our servicer and our reading in the place of the SDK's; False where it isn't as it was."""
        original = getattr(SDK, "_PolicyAnalyzerServicer", None)
        if not all(hasattr(SDK, name) for name in NEEDED) or not all(hasattr(original, it) for it in NEEDED_METHODS):
            return False
        read, proxied, as_dict = SDK.deserialize_properties, SDK.unknown_checking_proxy, SDK.json_format.MessageToDict

        def later(message: Any) -> Any:
            reading = requests.current()
            if reading is None or reading.method == "Remediate":
                return as_dict(message)
            return _Later(lambda: proxied(read(as_dict(message))))

        SDK.json_format = SimpleNamespace(MessageToDict=later)
        SDK.deserialize_properties = _unless_later(read)
        SDK.unknown_checking_proxy = _unless_later(proxied)
        SDK._PolicyAnalyzerServicer = servicer_over(original, self.session, self.policies, self.resettle)
        return True


class PoliciesOfRequest(list[Policy]):
    """The policies of a pack; while a request is served, only those that concern what it is about."""

    def __init__(self, policies: list[Policy]) -> None:
        super().__init__(policies)
        self.concerning: Callable[[str], tuple[Policy, ...]] = functools.cache(self._concerning)
        self._of_stack = tuple(policy for policy in policies if isinstance(policy, StackValidationPolicy))

    def __iter__(self) -> Iterator[Policy]:
        reading = requests.current()
        if reading is None:
            return super().__iter__()
        return iter(self._of_stack if reading.method == "AnalyzeStack" else self.concerning(reading.type))

    def _concerning(self, token: str) -> tuple[Policy, ...]:
        judged = [policy for policy in super().__iter__() if isinstance(policy, Judged)]
        return tuple(policy for policy in judged if not policy.rule.of_stack and policy.rule.concerns(token))


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


def _unless_later(original: Callable[..., Any]) -> Callable[..., Any]:
    def now(given: Any, *others: Any) -> Any:
        return given if isinstance(given, _Later) else original(given, *others)

    return now
