"""Serving a pack over Pulumi's Analyzer protocol: the policy SDK's own server, told what each request needs.

The SDK (1.21) runs every policy of a pack for every resource, reads the resource anew each time, and configures itself
at each request: 180 rules over 360 resources take a minute. Here it is shown only the policies that concern the
resource's type, which read the resource once, and the SDK is configured once. This rests on names within the SDK; where
they are not there any more, the SDK's own code runs, slower (``tests/policies/test_kit_serving.py`` notices).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Final

import pulumi_policy
from pulumi_policy import EnforcementLevel, Policy, StackValidationPolicy

from policies.kit import requests
from policies.kit.judging import finds_something
from policies.kit.packs import Pack
from policies.kit.sdk_policies import ResourceRule, enforcement_level, policies_of, set_levels
from policies.kit.servicer import NEEDED, servicer_over
from policies.kit.session import Session

JUDGES: Final = "judges:"
SDK: Final[Any] = pulumi_policy.policy


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
        tags=[served.policies.judged],
    )


class Served:
    """A pack's policies and configuration, as the SDK is given them and asks for them each time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.policies = PoliciesOfRequest(policies_of(session))
        self.config = _configured(session)

    def resettle(self) -> None:
        """Follow the session's settings after they have changed."""
        set_levels(self.policies, self.session)
        self.config.clear()
        self.config.update(_configured(self.session))

    def install(self) -> bool:
        """Put our servicer in the place of the SDK's; False where that isn't as it was."""
        original = getattr(SDK, "_PolicyAnalyzerServicer", None)
        if not all(hasattr(original, method) for method in NEEDED):
            return False
        SDK._PolicyAnalyzerServicer = servicer_over(original, self.session, self.policies, self.resettle)
        return True


def _configured(session: Session) -> dict[str, Any]:
    """What the engine may show and override, level included: parameters without one are advisory on the wire."""
    rules, parameters = session.pack.rules, session.initial_config()
    return {
        name: {"enforcementLevel": enforcement_level(rules[name], session), **given}
        for name, given in parameters.items()
    }


class PoliciesOfRequest(list[Policy]):
    """The policies of a pack; while a request is served, only those that concern what it is about."""

    def __init__(self, policies: list[Policy]) -> None:
        super().__init__(policies)
        self.concerning: Callable[[str], tuple[ResourceRule, ...]] = functools.cache(self._concerning)
        self._of_stack = tuple(policy for policy in policies if isinstance(policy, StackValidationPolicy))

    def __iter__(self) -> Iterator[Policy]:
        reading = requests.current()
        if reading is None:
            return super().__iter__()
        if reading.method == "AnalyzeStack":
            return iter(self._of_stack)
        concerning = self.concerning(reading.type)
        if reading.method == "Remediate":  # what one policy mends may be something for the next
            return iter(concerning)
        # Most rules of pods concern every custom kind, and most custom kinds have no pods.
        return (one for one in concerning if finds_something(one.rule, reading.resource))

    @property
    def judged(self) -> str:
        """The tag that tells Bedplate's engine about which types there is anything to ask; to others it says so."""
        rules = [policy.rule for policy in super().__iter__() if isinstance(policy, ResourceRule)]
        return JUDGES + ",".join(sorted({pattern for rule in rules for pattern in rule.types}))

    def _concerning(self, token: str) -> tuple[ResourceRule, ...]:
        judged = [policy for policy in super().__iter__() if isinstance(policy, ResourceRule)]
        return tuple(policy for policy in judged if policy.rule.concerns(token))
