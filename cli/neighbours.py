"""Other stacks of the project in the same sandbox, where they have Kubernetes objects that this one would make, too.

AWS keeps environments apart by the names of what they have. A sandbox has one Kubernetes API for all clusters of its
EKS emulator, in which `gpu-system` or the storage class `gp3` can be only once. What an object is, is its group, kind,
namespace and name, and the API server that its provider leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from cli import sandboxes
from cli.exits import CommandError, ExitCode
from engine import urn as urns
from engine.plan import REPLACEMENTS, Op, Plan
from engine.project import ProjectError
from engine.provider_registry import by_reference
from engine.providers.base import ProviderError
from engine.sandbox import Sandbox
from engine.session import Session
from engine.state.errors import StateError
from engine.state.model import ResourceState
from engine.values import Properties, reveal

_MAKING: Final = REPLACEMENTS | {Op.CREATE}
_SHOWN: Final = 3  # objects that the message names


class Place(NamedTuple):
    """Where an object is. ``server`` None: in the sandbox's own Kubernetes API, or in what will be known later."""

    server: str | None
    group: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Clash:
    """What ``stack`` has where another stack would make its own."""

    stack: str
    places: Sequence[Place]

    def error(self, own: str, sandbox: str) -> CommandError:
        """What to say to who would bring up ``own`` in ``sandbox``."""
        shown = [f"{place.kind} {place.name}" for place in self.places[:_SHOWN]]
        more = len(self.places) - len(shown)
        listed = ", ".join(shown) + (f" and {more} more" if more else "")
        return CommandError(
            f"stack {self.stack} has Kubernetes objects in this sandbox that {own} would make, too: {listed}\n"
            "  a sandbox has one Kubernetes API for all clusters, and nothing was changed\n"
            f"  take {self.stack} down with `bedplate destroy {self.stack}{sandboxes.option(sandbox)}`, or use another "
            f"sandbox: `bedplate sandbox up --name second`, then `bedplate up {own} --sandbox second`",
            ExitCode.FAILED,
        )


def clash(session: Session, plan: Plan, sandbox: Sandbox) -> Clash | None:
    """The first stack in ``sandbox`` that has what ``plan`` would make. Reads the others' states only where needed."""
    server = sandbox.kubernetes.server if sandbox.kubernetes else None
    states = [step.new for step in plan.steps if step.new]
    making = [step.new for step in plan.steps if step.new and step.op in _MAKING]
    wanted = set(places(making, states, server))
    if not wanted:
        return None
    for stack in others(session, sandbox):
        there = _resources(session, stack)
        both = wanted.intersection(places(there, there, server))
        if both:
            return Clash(stack, sorted(both, key=lambda place: (place.kind, place.namespace, place.name)))
    return None


def others(session: Session, sandbox: Sandbox) -> Sequence[str]:
    """The other stacks that were brought up in ``sandbox``."""
    return [stack for stack in sandboxes.stacks_in(session.project.root, sandbox) if stack != session.stack]


def _resources(session: Session, stack: str) -> Sequence[ResourceState]:
    """What ``stack`` has; nothing where its state can't be read: whoever works on that stack learns why."""
    try:
        return Session.open(session.project, stack, session.factories).snapshot().resources
    except (StateError, ProjectError):
        return ()


def places(
    resources: Iterable[ResourceState], all_resources: Iterable[ResourceState], sandbox_server: str | None
) -> Iterator[Place]:
    """Where the Kubernetes objects among ``resources`` are; their providers are among ``all_resources``."""
    servers = {
        reference: _server(state.inputs, sandbox_server) for reference, state in by_reference(all_resources).items()
    }
    for state in resources:
        # A patch is made for sharing an object.
        if state.custom and urns.package_of(state.type) == "kubernetes" and not state.type.endswith("Patch"):
            place = _place(state, servers.get(state.provider))
            if place:
                yield place


def _place(state: ResourceState, server: str | None) -> Place | None:
    if urns.is_provider_type(state.type):
        return None
    inputs = _mapping(reveal(state.inputs))
    if state.type == "kubernetes:helm.sh/v3:Release":
        names, group, kind = inputs, "helm.sh", "Release"
    else:
        names = _mapping(inputs.get("metadata"))
        group, kind = str(inputs.get("apiVersion", "")).rpartition("/")[0], str(inputs.get("kind", ""))
    name, namespace = names.get("name"), names.get("namespace", "")
    if not isinstance(name, str) or not isinstance(namespace, str):
        return None  # unknown, or one that the provider invents
    return Place(server, group, kind, namespace, name)


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _server(provider: Properties, sandbox_server: str | None) -> str | None:
    """The API server that a provider resource leads to; None for the sandbox's, which an EKS cluster leads to."""
    from engine.providers.kubernetes.access import same_server
    from engine.providers.kubernetes.kubeconfig import cluster_entry, load

    inputs = _mapping(reveal(provider))
    text = inputs.get("kubeconfig")
    try:
        document = load(text) if isinstance(text, str) and text else _mapping(text)
        entry = cluster_entry(document, inputs.get("context"), inputs.get("cluster")) or {}
    except ProviderError:
        return None
    server = entry.get("server")
    if not isinstance(server, str) or (sandbox_server and same_server(server, sandbox_server)):
        return None
    return server
