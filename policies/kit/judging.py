"""Judging: a rule over a resource or a stack. Whatever a rule meets, the others and the other resources go on."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies.kit.findings import Finding, NotApplicable, Verdict
from policies.kit.resources import Resource, Stack
from policies.kit.rules import Rule
from policies.kit.values import UnknownValue, Unreadable

# What settles a value that is not known.
SETTLE: Final = (
    "give it as a plain value, apply what it comes from first (--target), "
    "or write an exception with reason, owner and expiry"
)


def judge_resource(rule: Rule, resource: Resource, parameters: Mapping[str, Any]) -> Iterator[Verdict]:
    """The verdicts of a rule that judges resources one by one."""
    yield from _subjects(rule, resource, None, parameters)


def judge_stack(rule: Rule, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Verdict]:
    """The verdicts of a rule that sees the whole stack."""
    if rule.signature.subject is Stack:
        yield from _ask(rule, stack, None, rule.signature.arguments(stack, parameters))
        return
    for resource in stack.of(*rule.types):
        yield from _subjects(rule, resource, stack, parameters)


def finds_something(rule: Rule, resource: Resource) -> bool:
    """False where a resource has nothing that the rule judges: then the rule need not be asked."""
    if rule.signature.subject is Resource:
        return True
    found, fault = _found_in(rule.signature.subject, resource)
    return bool(found) or fault is not None


def _subjects(rule: Rule, resource: Resource, stack: Stack | None, parameters: Mapping[str, Any]) -> Iterator[Verdict]:
    given = rule.signature.arguments(stack, parameters)
    if rule.signature.subject is Resource:
        yield from _ask(rule, resource, resource, given)
        return
    found, fault = _found_in(rule.signature.subject, resource)
    for subject in found:
        yield from _ask(rule, subject, resource, given)
    if fault is not None:
        yield _unjudged(rule, fault, resource, stack or resource)


def _found_in(subject: Any, resource: Resource) -> tuple[list[Any], Exception | None]:
    """The subjects of a resource, looked for once for all rules, and what stopped the search."""
    if subject not in resource.subjects:
        found: list[Any] = []
        fault: Exception | None = None
        try:
            for one in subject.found_in(resource):
                found.append(one)  # noqa: PERF402 - what was found before a fault is judged
        except Exception as error:  # noqa: BLE001 - whatever it is, the rules that need the subject say so
            fault = error
        resource.subjects[subject] = (found, fault)
    return resource.subjects[subject]


def _ask(rule: Rule, subject: Any, resource: Resource | None, given: Mapping[str, Any]) -> Iterator[Verdict]:
    # A rule over the whole stack has no resource of its own.
    seen: Resource | Stack = given.get(rule.signature.stack or "") or resource or subject
    try:
        for finding in rule.judge(subject, **given):
            told = finding if isinstance(finding, Finding) else Finding(finding)
            about = told.resource or resource
            yield Verdict(seen.masked(told.text), about.urn if about else "")
    except NotApplicable:
        raise
    except Exception as error:  # noqa: BLE001 - a rule that fails must not take the others along
        yield _unjudged(rule, error, resource, seen)


def _unjudged(rule: Rule, fault: Exception, resource: Resource | None, seen: Resource | Stack) -> Verdict:
    """What a rule says that could not judge; ``seen`` is all that it saw."""
    urn = resource.urn if resource else ""
    if not isinstance(fault, Unreadable):
        text = f"the rule {rule.id} failed, nothing was judged: {_told(fault)}"
        return Verdict(seen.masked(text), urn, certain=False)
    settle = f", so this can't be judged: {_settled(fault, seen)}" if isinstance(fault, UnknownValue) else ""
    # A rule that sees the whole stack may have read another resource than the one that it judged.
    return Verdict(seen.masked(f"{fault}{settle}"), fault.owner or urn, certain=False, judged=urn)


def _settled(fault: UnknownValue, seen: Resource | Stack) -> str:
    """What settles an unknown value: where the stack is in view, also which resources it comes from."""
    owner = seen.get(fault.owner) if isinstance(seen, Stack) else None
    sources = owner.depends_on.get(re.split(r"[.\[]", fault.path)[0], ()) if owner else ()
    told = ", ".join(f"{name} ({token.rpartition('$')[2]})" for *_, token, name in (urn.split("::") for urn in sources))
    return f"it comes from {told}; {SETTLE}" if told else SETTLE


def _told(fault: Exception) -> str:
    """The fault's type, message and place."""
    frames = traceback.extract_tb(fault.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(fault).__name__}: {fault}{place}"
