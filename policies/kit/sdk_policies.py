"""Rules as policies of Pulumi's SDK, with all that the SDK shows of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.kit import requests
from policies.kit.findings import NotApplicable, Verdict
from policies.kit.judging import judge_resource, judge_stack
from policies.kit.mending import NotMended, mended, patch
from policies.kit.resources import Resource, Stack
from policies.kit.rules import Rule
from policies.kit.session import Session
from policies.kit.values import Value

EXCEPTIONS: Final = "exceptions"
SETTINGS: Final = "policy-settings"


class Judged:
    """A policy that is a rule of ours."""

    def __init__(self, rule: Rule, session: Session) -> None:
        self.rule = rule
        self.session = session


class ResourceRule(Judged, ResourceValidationPolicy):
    """A rule that judges resources one by one."""

    def __init__(self, rule: Rule, session: Session) -> None:
        Judged.__init__(self, rule, session)
        mend = self._remediate if rule.mend else None
        ResourceValidationPolicy.__init__(self, validate=self._validate, remediate=mend, **_metadata(rule, session))

    def _validate(self, args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        reading = requests.current()
        if reading is None and not self._concerns(args):
            return
        resource = reading.resource if reading else _resource(args)
        parameters = self.session.parameters(self.rule, args.get_config())
        suggested = self.rule.mend is None or self.session.settings.remediation_of(self.rule) != "suggest"
        try:
            for verdict in _standing(self.session, self.rule, judge_resource(self.rule, resource, parameters)):
                text = verdict.text
                if verdict.certain and not suggested:
                    text, suggested = text + patch(self.rule, resource, parameters), True
                report_violation(text, verdict.urn)
        except NotApplicable as reason:
            args.not_applicable(str(reason))

    def _concerns(self, args: ResourceValidationArgs) -> bool:
        """Where the SDK's own code runs nobody has asked yet, nor told the session which stack it is."""
        self.session.see(args.urn)
        return self.rule.concerns(args.resource_type)

    def _remediate(self, args: ResourceValidationArgs) -> Any:  # the SDK takes plain properties, too
        if not self._concerns(args):
            return None
        resource = _resource(args)
        parameters = self.session.parameters(self.rule, args.get_config())
        standing = _standing(self.session, self.rule, judge_resource(self.rule, resource, parameters))
        if not any(verdict.certain for verdict in standing):
            return None
        try:
            return mended(self.rule, resource, parameters)
        except NotMended:
            return None  # the violation stays, and is reported


class StackRule(Judged, StackValidationPolicy):
    """A rule that sees the whole stack."""

    def __init__(self, rule: Rule, session: Session) -> None:
        Judged.__init__(self, rule, session)
        StackValidationPolicy.__init__(self, validate=self._validate, **_metadata(rule, session))

    def _validate(self, args: StackValidationArgs, report_violation: ReportViolation) -> None:
        reading = requests.current()
        if reading is None and args.resources:
            self.session.see(args.resources[0].urn)
        stack = reading.stack if reading else Stack([_of_stack(resource) for resource in args.resources])
        parameters = self.session.parameters(self.rule, args.get_config())
        try:
            for verdict in _standing(self.session, self.rule, judge_stack(self.rule, stack, parameters)):
                report_violation(verdict.text, verdict.urn or None)
        except NotApplicable as reason:
            args.not_applicable(str(reason))


def policies_of(session: Session) -> list[Policy]:
    """The policies of a pack, those that report its exceptions and settings last: by then all others have spoken."""
    policies: list[Policy] = [
        StackRule(rule, session) if rule.of_stack else ResourceRule(rule, session)
        for rule in session.pack.rules.values()
    ]
    return [*policies, _exceptions(session), _settings(session)]


def set_levels(policies: list[Policy], session: Session) -> None:
    """Give each rule the level that the session's settings say; the SDK asks the policy each time."""
    for policy in policies:
        if isinstance(policy, Judged):
            policy.enforcement_level = enforcement_level(policy.rule, session)


def enforcement_level(rule: Rule, session: Session) -> EnforcementLevel:
    """The SDK's level of a rule: a rule that is to mend is one that remediates."""
    level = session.level(rule)
    if level != "disabled" and rule.mend and session.settings.remediation_of(rule) == "apply":
        return EnforcementLevel.REMEDIATE
    return EnforcementLevel(level)


def _standing(session: Session, rule: Rule, verdicts: Iterator[Verdict]) -> Iterator[Verdict]:
    """The verdicts that no exception covers."""
    for verdict in verdicts:
        if not session.excused(rule, verdict):
            late = session.expired(rule, verdict)
            yield replace(verdict, text=verdict.text + late) if late else verdict


def _metadata(rule: Rule, session: Session) -> dict[str, Any]:
    framework, *others = rule.frameworks or ("",)
    name, _, control = framework.partition(":")
    return {
        "name": rule.id,
        "description": rule.title,
        "display_name": rule.title,
        "enforcement_level": enforcement_level(rule, session),
        "severity": Severity(rule.severity),
        "framework": PolicyComplianceFramework(name=name, specification=control) if framework else None,
        "tags": [*others, *rule.tags, f"bedplate:{rule.number}"],
        "remediation_steps": rule.fix,
        "url": session.pack.url(rule),
        "config_schema": PolicyConfigSchema({key: dict(value) for key, value in rule.parameters.items()})
        if rule.parameters
        else None,
    }


def _exceptions(session: Session) -> StackValidationPolicy:
    def validate(_: StackValidationArgs, report_violation: ReportViolation) -> None:
        for exemption, used in session.exemptions():
            if not exemption.holds(session.today):
                state = "has expired, and holds no more"
            else:
                state = "is in use" if used else "is not used: nothing that it covers breaks the rule; remove it"
            report_violation(f"{exemption} ({exemption.place}) {state}", None)

    return StackValidationPolicy(
        EXCEPTIONS,
        "Exceptions stay visible: each one in use, unused or expired",
        validate,
        EnforcementLevel.ADVISORY,
        display_name="Exceptions from the rules of this pack",
        severity=Severity.LOW,
        remediation_steps="Mend what the exception is for, then remove it from `bedplate:policy`.",
        url=f"policies/docs/{session.pack.name}.md#{EXCEPTIONS}",
    )


def _settings(session: Session) -> StackValidationPolicy:
    def validate(_: StackValidationArgs, report_violation: ReportViolation) -> None:
        for problem in session.problems():
            report_violation(str(problem), None)

    return StackValidationPolicy(
        SETTINGS,
        "The settings of the policies are well formed",
        validate,
        EnforcementLevel.MANDATORY,
        display_name="Settings of the rules of this pack",
        severity=Severity.HIGH,
        remediation_steps="Correct `bedplate:policy` in the stack's settings; until then the defaults hold.",
        url=f"policies/docs/{session.pack.name}.md#{SETTINGS}",
    )


def _resource(args: ResourceValidationArgs) -> Resource:
    properties = Value(args.props, owner=args.urn)
    return Resource(args.resource_type, args.name, args.urn, properties, args.opts, args.opts.parent or "")


def _of_stack(resource: PolicyResource) -> Resource:
    depends_on = {name: [found.urn for found in others] for name, others in resource.property_dependencies.items()}
    parent = resource.parent.urn if resource.parent else resource.opts.parent or ""
    properties = Value(resource.props, owner=resource.urn)
    return Resource(
        resource.resource_type, resource.name, resource.urn, properties, resource.opts, parent, depends_on,
        provider=resource.provider.urn if resource.provider else "",
    )  # fmt: skip
