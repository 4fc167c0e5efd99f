"""Kubernetes objects judged by rules of the security pack, in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policies.kit import Resource, Stack, Value
from policies.kit.findings import Verdict
from policies.kit.judging import judge_resource, judge_stack
from policies.kit.rules import Rule
from policies.security import SECURITY


def resource(token: str, properties: Mapping[str, Any], name: str = "app") -> Resource:
    urn = f"urn:pulumi:test::bedplate::{token}::{name}"
    return Resource(token, name, urn, Value(dict(properties), owner=urn))


def judge(rule: Rule | str, *resources: Resource, **parameters: Any) -> list[Verdict]:
    """What one rule says of all of them."""
    rule = SECURITY.rules[rule] if isinstance(rule, str) else rule
    given = rule.defaults | parameters
    if rule.of_stack:
        return list(judge_stack(rule, Stack(resources), given))
    concerned = [each for each in resources if rule.concerns(each.type)]
    return [verdict for each in concerned for verdict in judge_resource(rule, each, given)]


def broken(rules: Iterable[Rule], *resources: Resource, **parameters: Any) -> Iterator[str]:
    """The ids of the rules that find something, each given those of ``parameters`` that it has."""
    for rule in rules:
        if judge(rule, *resources, **{key: value for key, value in parameters.items() if key in rule.parameters}):
            yield rule.id
