"""Why the API server makes no pod: quota, limit ranges, Pod Security, from its own words. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, TypeAlias

from engine.simulation.model import amount
from engine.simulation.quantities import Resources, parse, shown, written
from engine.simulation.reasons import Explanation, Reason

_Parts: TypeAlias = tuple[Reason, str, str]  # reason, text, advice

_EXCEEDED: Final = re.compile(r"exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)")
_UNSAID: Final = re.compile(r"failed quota: ([^:\s]+): must specify (.+?)\s*$")
_RANGE: Final = re.compile(r"(maximum|minimum) (\S+) usage per (\w+) is (\S+?), but (\w+) is ([^\s,\]]+)")
_UNLIMITED: Final = re.compile(r"(maximum|minimum) (\S+) usage per (\w+) is (\S+?)\.\s+No (limit|request) is specified")
_SECURITY: Final = re.compile(r'violates PodSecurity "([^"]+)": (.+)')
_PRIORITY: Final = re.compile(r"no PriorityClass with name (\S+) was found")
_PREFIX: Final = re.compile(r'^(?:Error creating: )?(?:\S+ "[^"]*" is )?(?:forbidden|invalid): ', re.IGNORECASE)


@dataclass(frozen=True)
class Refused:
    """``count`` pods of a namespace that were not made. ``used`` is what each quota counts, in the end, by its name."""

    namespace: str
    count: int = 1
    used: Mapping[str, Resources] = field(default_factory=dict[str, Resources])


def refusal(message: str, about: Refused) -> Explanation:
    """Why pods were not made, by the message with which one of them was refused."""
    for form, explained in _FORMS:
        found = form.search(message)
        if found:
            reason, text, advice = explained(found, about)
            return Explanation(reason, text, advice, message)
    return Explanation(Reason.ADMISSION, _PREFIX.sub("", message), "mend what the API server names", message)


def has_room(message: str, used: Mapping[str, Resources]) -> bool:
    """Whether the quota that refused a pod would take it now, by what quotas count now: then its controller will."""
    found = _EXCEEDED.search(message)
    if found is None or found[1] not in used:
        return False
    requested, limited = _amounts(found[2]), _amounts(found[4])
    return all(amount(used[found[1]], name) + requested[name] <= amount(limited, name) for name in requested)


def _exceeded(found: re.Match[str], about: Refused) -> _Parts:
    quota = found[1]
    requested, then, limited = (_amounts(found[number]) for number in (2, 3, 4))
    over = [name for name in requested if amount(then, name) + requested[name] > amount(limited, name)]
    used = {**then, **about.used.get(quota, {})}
    parts = [
        f"{_plain(name)}: {_shown(name, amount(used, name))} of {_shown(name, amount(limited, name))} used, "
        f"{_shown(name, requested[name])} more asked for"
        for name in over
    ]
    raised = [f"{name} to {written(_of(name), amount(used, name) + requested[name] * about.count)}" for name in over]
    text = f"quota {quota} of namespace {about.namespace} allows no more {'; '.join(parts)}"
    return Reason.QUOTA, text, f"raise {' and '.join(raised)} in quota {quota}"


def _amounts(listed: str) -> Resources:
    pairs = (one.rpartition("=") for one in listed.strip(",").split(","))
    return {name: parse(value) for name, _, value in pairs}


def _plain(name: str) -> str:
    return name.removeprefix("requests.")


def _of(name: str) -> str:
    return name.removeprefix("requests.").removeprefix("limits.")


def _shown(name: str, value: Fraction) -> str:
    return shown(_of(name), value)


def _unsaid(found: re.Match[str], about: Refused) -> _Parts:
    text = f"quota {found[1]} of namespace {about.namespace} wants every pod to say {found[2]}"
    return Reason.QUOTA, text, "say it, or let a LimitRange give defaults"


def _out_of_range(found: re.Match[str], about: Refused) -> _Parts:
    bound, resource, per, limit, what, given = found.groups()
    than = "more" if bound == "maximum" else "less"
    text = f"a limit range of namespace {about.namespace} allows no {than} than {limit} of {resource} a {per.lower()}"
    return Reason.ADMISSION, f"{text}; its {what} is {given}", f"change the {what}, or the range"


def _unlimited(found: re.Match[str], about: Refused) -> _Parts:
    bound, resource, per, limit, what = found.groups()
    text = f"a limit range of namespace {about.namespace} has a {bound} of {limit} {resource} a {per.lower()}"
    return Reason.ADMISSION, f"{text}, and it has no {what}", f"give it a {what} of {resource}"


def _insecure(found: re.Match[str], about: Refused) -> _Parts:
    level = found[1].partition(":")[0]
    text = f"namespace {about.namespace} holds pods to Pod Security '{level}': {found[2]}"
    return Reason.ADMISSION, text, "set its securityContext so, or run it in another namespace"


def _no_priority(found: re.Match[str], _about: Refused) -> _Parts:
    return Reason.ADMISSION, f"there is no PriorityClass {found[1]}", "declare it, or give it with -f"


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Refused], _Parts]], ...]] = (
    (_EXCEEDED, _exceeded),
    (_UNSAID, _unsaid),
    (_SECURITY, _insecure),
    (_UNLIMITED, _unlimited),
    (_RANGE, _out_of_range),
    (_PRIORITY, _no_priority),
)
