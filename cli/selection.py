"""Which resources a command is about: its flags as targets, and what of them names nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from cli.exits import UsageError
from cli.requests.runs import BringingUp, Destroying, Judged, Refreshing, Running
from engine.plan import Plan
from engine.state.model import ResourceState
from engine.targets import Targets

HOW = "give a resource's name, or its URN with * and ** as wildcards"


def targets_of(request: Running) -> Targets:
    """What the flags say. Raises UsageError where they contradict each other, as Pulumi's CLI does."""
    replaced = request.target_replace if isinstance(request, Judged) else ()
    replace = (*request.replace, *replaced) if isinstance(request, Judged) else ()
    only = (*request.target, *replaced)
    if only and request.exclude:
        given = "--target" if request.target else "--target-replace"
        raise UsageError(f"{given} and --exclude can't be given together; say which resources are meant, or which not")
    if isinstance(request, Destroying) and request.exclude_protected and only:
        raise UsageError("--target and --exclude-protected can't be given together")
    if isinstance(request, BringingUp) and request.plan is not None:
        _refuse_beside_plan(request)
    spreads = isinstance(request, Judged | Refreshing) and request.exclude_dependents
    return Targets(only, request.exclude, request.target_dependents, spreads, replace)


def without_protected(targets: Targets, resources: Iterable[ResourceState]) -> Targets:
    """``targets`` with all that is protected excluded; what that needs stays with it."""
    protected = (state.urn for state in resources if state.protect)
    return replace(targets, exclude=(*targets.exclude, *dict.fromkeys(protected)))


def _refuse_beside_plan(request: BringingUp) -> None:
    """A plan says itself what it is about."""
    given = {
        "--target": request.target, "--exclude": request.exclude, "--replace": request.replace,
        "--target-replace": request.target_replace, "--target-dependents": request.target_dependents,
        "--exclude-dependents": request.exclude_dependents, "--refresh": request.refresh,
    }  # fmt: skip
    flags = [flag for flag, said in given.items() if said]
    if flags:
        raise UsageError(f"--plan and {', '.join(flags)} can't be given together: the plan was made with what it needs")


def unmatched(targets: Targets, plan: Plan, standing: Callable[[], Iterable[str]], stack: str) -> str:
    """What to say of flags that name nothing, "" where each names something.

    ``standing`` gives the URNs of the state: what is excluded may occur in no plan.
    """
    known = [step.urn for step in plan.steps]
    shows = f"(`bedplate state list {stack}` shows those there are)"
    found = targets.unmatched(known)
    if found:
        return f"--target {_listed(found)} matches no resource; {_meant(found)}{HOW} {shows}"
    found = targets.unmatched_replacements(step.urn for step in plan.steps if step.old is not None)
    if found:
        return f"--replace {_listed(found)} matches no resource of the state; {_meant(found)}{HOW} {shows}"
    found = targets.unmatched_exclusions(known)
    found = targets.unmatched_exclusions([*known, *standing()]) if found else found
    return f"--exclude {_listed(found)} matches no resource; {HOW} {shows}" if found else ""


def _listed(globs: Sequence[str]) -> str:
    return ", ".join(f"'{glob}'" for glob in globs)


def _meant(globs: Sequence[str]) -> str:
    names = [glob for glob in globs if "*" in glob and "::" not in glob]
    return f"did you mean '**::{names[0]}'? " if names else ""
