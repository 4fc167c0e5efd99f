"""What is said before a run: what it can't do, what it is not held to, what one before it has left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from engine import urn as urns
from engine.events import Consumer, Diagnostic, Severity
from engine.packages import parameters_in
from engine.plan import Plan
from engine.project import StackConfig
from engine.provider_registry import ProviderFactory
from engine.providers.remote.plugins import Plugins
from engine.run import Outcome, Result
from engine.state.model import Snapshot
from engine.values import reveal


def of_reach(url: str, folder: Path, emit: Consumer) -> None:
    """The state lies where the embedded engine does not look."""
    text = (
        f"the state is at {url}, which the embedded engine cannot read: this preview compares "
        f"with {folder}, not with what is deployed"
    )
    emit(Diagnostic(Severity.WARNING, text))


def of_sealed(config: StackConfig, *, has_salt: bool, emit: Consumer) -> None:
    """Parts of the configuration that can't be opened."""
    for key in config.sealed:
        how = "no passphrase is set" if has_salt else "not with a passphrase"
        emit(Diagnostic(Severity.INFO, f"{key} is encrypted and {how}: it counts as unknown"))


def of_pending(base: Snapshot, emit: Consumer) -> None:
    """Operations of which nobody has seen the end."""
    for operation in base.pending_operations:
        urn = operation.resource.urn
        text = f"an earlier run was interrupted while {operation.kind} {urn}; `up` looks for it first"
        emit(Diagnostic(Severity.WARNING, text, urn))


def of_attached(plugins: Plugins | None, factories: Mapping[str, ProviderFactory], emit: Consumer) -> None:
    """What is changed is not held to sandboxes, since the user has attached a provider himself."""
    unheld = [] if plugins is None else plugins.unheld(factories)
    if unheld:
        emit(
            Diagnostic(
                Severity.WARNING,
                f"{' and '.join(unheld)}: attached by PULUMI_DEBUG_PROVIDERS, and so not held to sandboxes: "
                "whatever it is configured for is changed, also real AWS",
            )
        )


def refusal(
    preview: Outcome, factories: Mapping[str, ProviderFactory], plugins: Plugins | None, emit: Consumer
) -> Outcome | None:
    """How a run ends after ``preview`` where it can't go on; None where it can."""
    if preview.result is not Result.SUCCEEDED:
        return preview
    if not preview.plan.unknown_types:
        return None
    types = ", ".join(preview.plan.unknown_types)
    emit(
        Diagnostic(
            Severity.ERROR,
            f"nothing was changed: the embedded engine can preview but not create {types}; bring this stack up with "
            f"the Pulumi CLI, or leave these resources out{_ways_out(preview.plan, factories, plugins)}",
        )
    )
    return replace(preview, result=Result.UNSUPPORTED)


def _ways_out(plan: Plan, factories: Mapping[str, ProviderFactory], plugins: Plugins | None) -> str:
    """How to get the providers of the types that nobody here knows."""
    if plugins is None:
        return ""
    packages = sorted({urns.package_of(type_) for type_ in plan.unknown_types} - set(factories))
    served = _served_by_parameters(plan)
    return "".join(f"\n  {one}: {plugins.how_to_get(*served.get(one, (one,)))}" for one in packages)


def _served_by_parameters(plan: Plan) -> Mapping[str, tuple[str, str]]:
    """Packages that another's plugin serves: its name and version."""
    found: dict[str, tuple[str, str]] = {}
    for step in plan.steps:
        if step.new is not None and urns.is_provider_type(step.type):
            package = step.type.removeprefix(urns.PROVIDER_TYPE_PREFIX)
            parameters = parameters_in(package, reveal(step.new.inputs))
            if parameters is not None:
                found[package] = (parameters.base, parameters.base_version)
    return found
