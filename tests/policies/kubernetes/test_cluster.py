"""Who selects whom in a stack is found without trying each against each, and none that may match is left out."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

import pytest

from policies.kit import Resource, Stack, UnknownValue
from policies.security import availability, network_policies
from policies.subjects import selectors
from policies.subjects.cluster import objects_in
from policies.subjects.pods import PodTemplate
from tests.policies.kubernetes.judged import judge, resource
from tests.policies.kubernetes.test_pod_kinds import UNKNOWN

MANY: Final = 150


def pod(name: str, labels: Any, namespace: str = "ml") -> Resource:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a"}]}}
    body = {"metadata": {"name": name, "namespace": namespace}, "spec": {"replicas": 2, "template": template}}
    return resource("kubernetes:apps/v1:Deployment", body, name)


def policy(name: str, selector: Any, namespace: str = "ml") -> Resource:
    body = {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": selector}}
    return resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", body, name)


def budget(name: str, selector: Any) -> Resource:
    body = {"metadata": {"name": name, "namespace": "ml"}, "spec": {"selector": selector, "minAvailable": 2}}
    return resource("kubernetes:policy/v1:PodDisruptionBudget", body, name)


@pytest.mark.parametrize("rule", ["network-policy", "disruption-budget", "blocking-budget"])
def test_each_pod_is_tried_with_what_may_select_it(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0

    def counted(*given: Any) -> bool:
        nonlocal tried
        tried += 1
        return selectors.selects(*given)

    monkeypatch.setattr(network_policies, "selects", counted)
    monkeypatch.setattr(availability, "selects", counted)
    each = [(pod, policy if rule == "network-policy" else budget) for _ in range(MANY)]
    resources = [
        made
        for index, (first, second) in enumerate(each)
        for made in (first(f"p{index}", {"app": f"{index}"}), second(f"s{index}", {"matchLabels": {"app": f"{index}"}}))
    ]
    verdicts = judge(rule, *resources)
    assert len(verdicts) == (MANY if rule == "blocking-budget" else 0)
    assert 0 < tried <= 2 * MANY


def test_what_may_match_is_what_does() -> None:
    """The index finds whatever trying each with each does, whatever is unknown, absent or malformed."""
    draw = random.Random(3)
    texts = ["a", "b", UNKNOWN, None, 3]
    keys = ["app", "tier"]

    def some(keys: list[str]) -> Mapping[str, Any]:
        return {key: draw.choice(texts) for key in draw.sample(keys, draw.randint(0, 2))}

    for _ in range(60):
        choices: list[Any] = [{}, None, UNKNOWN, "text", {"matchLabels": some(keys)}, {"matchLabels": UNKNOWN},
                              {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a"]}]}]  # fmt: skip
        stack = Stack([
            *(pod(f"p{index}", draw.choice([some(keys), UNKNOWN, None])) for index in range(4)),
            *(policy(f"s{index}", draw.choice(choices), draw.choice(["ml", "other"])) for index in range(5)),
        ])  # fmt: skip
        objects = objects_in(stack)
        policies = list(objects.of("networking.k8s.io", "NetworkPolicy"))
        for resource_ in stack.of("kubernetes:apps/v1:Deployment"):
            (found,) = PodTemplate.found_in(resource_)
            candidates = {
                id(each)
                for each in objects.selecting(found, "networking.k8s.io", "NetworkPolicy", "spec", "podSelector")
            }
            for each in policies:
                if each.metadata.get("namespace").text() == "ml" and _selects(each, found):
                    assert id(each) in candidates, (each.body, found.metadata)


def _selects(each: Any, found: PodTemplate) -> bool:
    try:
        return selectors.selects(
            each.body.get("spec", "podSelector"), selectors.labels_of(found.metadata.get("labels"))
        )
    except UnknownValue:
        return True
    except Exception:  # noqa: BLE001 - malformed: it selects nothing
        return False
