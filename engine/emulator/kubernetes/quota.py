"""Resource quotas: what a namespace may hold, counted at every write, and what its pods may ask for.

Source: k8s.io/kubernetes 1.35, pkg/quota/v1/evaluator/core; scopes beyond none are not looked at: such quotas limit
nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from engine.emulator.kubernetes import quantities
from engine.emulator.kubernetes.refusals import Json, forbidden
from engine.emulator.kubernetes.resources import Resource, Storage
from engine.emulator.kubernetes.store import Store

QUOTAS: Storage = ("", "resourcequotas")
PODS: Storage = ("", "pods")
CLAIMS: Storage = ("", "persistentvolumeclaims")
_SHORT = {"cpu": "requests.cpu", "memory": "requests.memory", "ephemeral-storage": "requests.ephemeral-storage"}
_OLD_COUNTS = frozenset(
    {
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
    }
)
Amounts = dict[str, Decimal]


def check(store: Store, resource: Resource, body: Json, old: Json | None) -> None:
    """Raises Forbidden (403) when the write would need more than a quota of its namespace leaves."""
    namespace = body["metadata"].get("namespace", "")
    for limit in store.list(QUOTAS, namespace) if namespace else ():
        hard = _hard(limit)
        needed = usage_of(resource.storage, body)
        needed = {name: amount - _former(resource, old).get(name, Decimal(0)) for name, amount in needed.items()}
        needed = {name: amount for name, amount in needed.items() if name in hard and amount > 0}
        if resource.storage == PODS and old is None:
            _check_said(resource, body, limit, hard)
        if not needed:
            continue
        used = used_of(store, limit)
        over = sorted(name for name, amount in needed.items() if used.get(name, Decimal(0)) + amount > hard[name])
        if over:
            why = f"exceeded quota: {limit['metadata']['name']}, requested: {_shown(over, needed)}, "
            why += f"used: {_shown(over, used)}, limited: {_shown(over, hard)}"
            raise forbidden(resource.qualified, body["metadata"].get("name", ""), why)


def used_of(store: Store, limit: Json) -> Amounts:
    """What a quota's namespace holds of what the quota limits."""
    namespace, hard = limit["metadata"]["namespace"], _hard(limit)
    used: Amounts = dict.fromkeys(hard, Decimal(0))
    for storage in {storage for name in hard for storage in _counted_in(name)}:
        for body in store.list(storage, namespace):
            for name, amount in usage_of(storage, body).items():
                if name in used:
                    used[name] += amount
    return used


def usage_of(storage: Storage, body: Json) -> Amounts:
    group, plural = storage
    counted = [f"count/{plural}.{group}" if group else f"count/{plural}"]
    used: Amounts = {}
    if storage == PODS:
        if (body.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return dict.fromkeys(counted, Decimal(1))
        used = pod_usage(body.get("spec") or {})
    elif storage == CLAIMS:
        asked = (((body.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage", "0")
        used = {"requests.storage": quantities.value(asked)}
    elif storage == ("", "services"):
        kind = (body.get("spec") or {}).get("type")
        used = {"services.loadbalancers": Decimal(kind == "LoadBalancer")}
        used |= {"services.nodeports": Decimal(kind in ("NodePort", "LoadBalancer"))}
    counted += [plural] if not group and plural in _OLD_COUNTS else []
    return used | dict.fromkeys(counted, Decimal(1))


def pod_usage(spec: Json) -> Amounts:
    """``requests.*`` and ``limits.*`` of a pod: the sum of its containers, or its greatest init container."""
    used: Amounts = {}
    for part in ("requests", "limits"):
        main = _sum(_asked(container, part) for container in spec.get("containers") or [])
        for container in spec.get("initContainers") or []:
            asked = _asked(container, part)
            main |= {name: max(amount, main.get(name, Decimal(0))) for name, amount in asked.items()}
        used |= {f"{part}.{name}": amount for name, amount in main.items()}
    return used | {short: used[name] for short, name in _SHORT.items() if name in used}


def _asked(container: Json, part: str) -> Amounts:
    said = container.get("resources") or {}
    limits: Json = said.get("limits") or {}
    given = limits | (said.get("requests") or {}) if part == "requests" else limits
    return {name: quantities.value(amount) for name, amount in given.items()}


def _sum(amounts: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for each in amounts:
        for name, amount in each.items():
            total[name] = total.get(name, Decimal(0)) + amount
    return total


def _check_said(resource: Resource, body: Json, limit: Json, hard: Amounts) -> None:
    """A quota on CPU or memory needs every container to say what it asks for."""
    spec = body.get("spec") or {}
    missing = sorted(
        name
        for name in hard
        if _SHORT.get(name, name) in ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
        and not all(_says(container, _SHORT.get(name, name)) for container in spec.get("containers") or [])
    )
    if missing:
        why = f"failed quota: {limit['metadata']['name']}: must specify {_by_container(spec, missing)}"
        raise forbidden(resource.qualified, body["metadata"].get("name", ""), why)


def _by_container(spec: Json, missing: list[str]) -> str:
    return "; ".join(
        f"{name} for: "
        + ",".join(each["name"] for each in spec.get("containers") or [] if not _says(each, _SHORT.get(name, name)))
        for name in missing
    )


def _says(container: Json, name: str) -> bool:
    part, _, resource = name.partition(".")
    return resource in _asked(container, part)


def _former(resource: Resource, old: Json | None) -> Amounts:
    return usage_of(resource.storage, old) if old else {}


def _hard(limit: Json) -> Amounts:
    spec = limit.get("spec") or {}
    if spec.get("scopes") or spec.get("scopeSelector"):
        return {}
    return {name: quantities.value(amount) for name, amount in (spec.get("hard") or {}).items()}


def _counted_in(name: str) -> Iterator[Storage]:
    if name.startswith("count/"):
        plural, _, group = name.removeprefix("count/").partition(".")
        yield group, plural
    elif name.startswith("services."):
        yield "", "services"
    elif name == "requests.storage":
        yield CLAIMS
    elif name in _OLD_COUNTS:
        yield "", name
    else:
        yield PODS


def _shown(names: list[str], amounts: Amounts) -> str:
    return ",".join(f"{name}={quantities.shown(amounts.get(name, Decimal(0)))}" for name in names)
