"""Rule 54: what clients send to load balancers is encrypted, with TLS 1.2 or newer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from policies.kit import Finding, Resource, Stack, Value
from policies.mends import setting
from policies.security.pack import SECURITY

_PACKAGES: Final = ("lb", "alb", "applicationloadbalancing", "elasticloadbalancingv2")
_LISTENERS: Final = tuple(f"aws:{package}/listener:Listener" for package in _PACKAGES)
_TARGETS: Final = tuple(f"aws:{package}/targetGroup:TargetGroup" for package in _PACKAGES)
_RULES: Final = tuple(f"aws:{package}/listenerRule:ListenerRule" for package in _PACKAGES)
_CLASSIC: Final = ("aws:elb/loadBalancer:LoadBalancer", "aws:elasticloadbalancing/loadBalancer:LoadBalancer")
# Policies of AWS that take TLS 1.2 or newer only; the default, ELBSecurityPolicy-2016-08, takes TLS 1.0.
# Source: Elastic Load Balancing User Guides, "Security policies", 2026-11.
_MODERN: Final = re.compile(
    r"ELBSecurityPolicy-(TLS13-1-[23]-[\w-]+|TLS-1-2-[\w-]+|FS-1-2-[\w-]+)",
)
_ENCRYPTED: Final = ("HTTPS", "TLS")
# Network load balancers pass these on as they come; whether they are encrypted is between client and target.
_PASSED_ON: Final = ("TCP", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")


@SECURITY.rule(
    "lb-https",
    number=54,
    title="Load balancers take HTTPS, or send clients to it",
    severity="critical",
    fix="Set protocol to HTTPS (TLS on a network load balancer) with a certificate; let HTTP redirect to it.",
    frameworks=("FSBP:ELB.1", "CISE:5.4.5"),
    tags=("checkov:CKV_AWS_2", "trivy:AWS-0054"),
    types=(*_LISTENERS, *_CLASSIC),
)
def lb_https(resource: Resource) -> Iterator[Finding]:
    """Passwords, tokens and prompts in plain HTTP are read by whoever sits on the way."""
    if resource.type in _CLASSIC:
        for listener in resource.properties.get("listeners").items():
            protocol = listener.get("lbProtocol")
            if protocol.text("").upper() == "HTTP":
                yield Finding("is HTTP, which is not encrypted", protocol.path)
        return
    protocol = resource.properties.get("protocol")
    said = protocol.text("").upper()
    # Gateway load balancers take no protocol, and no port either.
    gateway = protocol.missing and resource.properties.get("port").missing
    if said not in (*_ENCRYPTED, *_PASSED_ON) and not gateway and not _redirects(resource):
        yield Finding(f"is {protocol.shown()}, which is not encrypted, and redirects to no HTTPS", protocol.path)


@SECURITY.rule(
    "lb-tls-1-2",
    number=54,
    title="Load balancers take TLS 1.2 or newer",
    severity="critical",
    fix="Set sslPolicy to ELBSecurityPolicy-TLS13-1-2-2021-06 or a newer one.",
    frameworks=("FSBP:ELB.17",),
    tags=("checkov:CKV_AWS_103", "trivy:AWS-0047"),
    types=_LISTENERS,
    mend=setting(sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"),
    mend_risk="clients that know nothing newer than TLS 1.1 can no longer connect",
)
def lb_tls_1_2(listener: Resource) -> Iterator[Finding]:
    """TLS 1.0 and 1.1 are broken; a listener that names no policy takes them."""
    policy = listener.properties.get("sslPolicy")
    encrypted = listener.properties.get("protocol").text("").upper() in _ENCRYPTED
    if encrypted and not _MODERN.fullmatch(policy.text("")):
        yield Finding(f"is {policy.shown()}, which takes TLS older than 1.2", policy.path)


@SECURITY.rule(
    "lb-target-behind-https",
    number=54,
    title="Targets of plain HTTP stand behind a listener that is encrypted",
    severity="medium",
    fix="Forward to it from a listener of HTTPS or TLS, or set its protocol to HTTPS.",
    tags=("checkov:CKV_AWS_378",),
    types=_TARGETS,
)
def lb_target_behind_https(group: Resource, stack: Stack) -> Iterator[Finding]:
    """Encryption may end at the load balancer, but not be missing all the way."""
    protocol = group.properties.get("protocol")
    # Of functions there is none, which a preview that knows no outputs yet can't tell from one to come.
    if group.properties.get("targetType").text("instance") != "lambda" and protocol.text("").upper() == "HTTP":
        before = [listener.properties.get("protocol").text("").upper() for listener in _before(group, stack)]
        if not set(before) & set(_ENCRYPTED):
            yield Finding("is HTTP, and no listener of HTTPS or TLS stands before it", protocol.path)


def _before(group: Resource, stack: Stack) -> Iterator[Resource]:
    """The listeners that forward to a group, by their default actions or by rules."""
    yield from (one for one in stack.of(*_LISTENERS) if _forwards(one, "defaultActions", group))
    for rule in stack.of(*_RULES):
        if _forwards(rule, "actions", group):
            yield from (one for one in stack.of(*_LISTENERS) if rule.refers_to(one, "listenerArn"))


def _forwards(resource: Resource, actions: str, group: Resource) -> bool:
    """Whether actions name the group: by a reference, or by its ARN where it is known."""
    given = resource.properties.get(actions)
    named = {text for text in _texts(given.plain(unknown="")) if text}
    return group.urn in resource.depends_on.get(actions, ()) or bool(named & group.names)


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for inner in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from _texts(inner)


def _redirects(listener: Resource) -> bool:
    """Whether every action of the listener sends clients to HTTPS. "#{protocol}", AWS's default, keeps HTTP."""
    actions = list(listener.properties.get("defaultActions").items())
    return bool(actions) and all(_to_https(action) for action in actions)


def _to_https(action: Value) -> bool:
    redirect = action.get("redirect")
    return action.get("type").text("") == "redirect" and redirect.get("protocol").text("").upper() == "HTTPS"
