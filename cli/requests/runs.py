"""What can be asked of a run: a preview, and what changes an environment."""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cli.requests.packs import PolicyTimeout, Reports, RulesUrl, UsageFile
from cli.requests.stack import OfProgram


class Diff(enum.StrEnum):
    NONE = "none"
    BRIEF = "brief"
    FULL = "full"


@dataclass(frozen=True, kw_only=True)
class Running(OfProgram):
    """A command that runs a stack's program, or works through its resources."""

    diff: Annotated[
        Diff, typer.Option("--diff", metavar="[brief|full]", help="Show property diffs; full cuts no text.",
                           show_default=False),
    ] = Diff.NONE  # fmt: skip
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Exit with 7 when anything would change.")
    ] = False
    target: Annotated[
        tuple[str, ...],
        typer.Option("--target", "-t", metavar="GLOB",
                     help="Only these resources: a name, or a URN with * and **. Repeatable."),
    ] = ()  # fmt: skip
    exclude: Annotated[
        tuple[str, ...], typer.Option("--exclude", metavar="GLOB", help="All but these resources. Repeatable.")
    ] = ()
    target_dependents: Annotated[bool, typer.Option("--target-dependents", help="What depends on a --target, too.")] = (
        False
    )
    parallel: Annotated[int, typer.Option("--parallel", "-p", min=1, help="Operations at a time.")] = 16
    message: Annotated[
        str, typer.Option("--message", "-m", help="Said of this update in the history.", show_default=False)
    ] = ""
    non_interactive: Annotated[bool, typer.Option("--non-interactive", help="Ask nothing.")] = False


R = TypeVar("R", bound=Running)
ContinueOnError = Annotated[
    bool,
    typer.Option("--continue-on-error", help="Go on with what does not depend on what failed, as the embedded engine "
                 "always does, and then delete what is not declared."),
]  # fmt: skip
ExcludeDependents = Annotated[bool, typer.Option("--exclude-dependents", help="Nor what depends on an --exclude.")]
PreviewOnly = Annotated[bool, typer.Option("--preview-only", help="Only show what would be done; ask nothing.")]


@dataclass(frozen=True, kw_only=True)
class Planned(Running):
    """A command that makes a plan, on the state as it is or as it is found to be."""

    refresh: Annotated[
        bool, typer.Option("--refresh", "-r", help="Compare the state with what exists first, and plan on that.")
    ] = False


def preview_of(request: OfProgram, kind: type[R], **further: Any) -> R:
    """The preview that ``request`` is answered from: of the same environment, told in the same manner."""
    return kind(**{field.name: getattr(request, field.name) for field in fields(OfProgram)} | further)


@dataclass(frozen=True, kw_only=True)
class Judged(Planned):
    """A command whose run is judged by policy packs."""

    policy_pack: Annotated[
        tuple[Path, ...],
        typer.Option("--policy-pack", metavar="PATH",
                     help="Have it judged by this policy pack, too: its folder. Repeatable."),
    ] = ()  # fmt: skip
    policy_pack_config: Annotated[
        tuple[Path, ...],
        typer.Option("--policy-pack-config", metavar="FILE",
                     help="Configuration (JSON) of each --policy-pack, in the same order. Repeatable."),
    ] = ()  # fmt: skip
    policy_timeout: PolicyTimeout = 60.0
    report: Reports = ()
    rules_url: RulesUrl = ""
    usage: UsageFile = None
    exclude_dependents: ExcludeDependents = False
    replace: Annotated[
        tuple[str, ...], typer.Option("--replace", metavar="GLOB", help="Replace these, changed or not. Repeatable.")
    ] = ()
    target_replace: Annotated[
        tuple[str, ...],
        typer.Option("--target-replace", metavar="GLOB", help="Short for --target and --replace. Repeatable."),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class Previewing(Judged):
    save_plan: Annotated[
        Path | None,
        typer.Option("--save-plan", metavar="FILE", dir_okay=False, show_default=False,
                     help="Keep the plan there, to be reviewed and then applied by `up --plan FILE`."),
    ] = None  # fmt: skip
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 0: nothing to do, 1: error, 2: changes.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class Applying(Running):
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Go ahead without asking.")] = False

    @property
    def agreed(self) -> bool:
        """Whether nobody is to be asked."""
        return self.yes


@dataclass(frozen=True, kw_only=True)
class Destroying(Applying, Planned):
    """A command that deletes what an environment has."""

    continue_on_error: ContinueOnError = False
    exclude_protected: Annotated[
        bool, typer.Option("--exclude-protected", help="All but what is protected, and what that needs.")
    ] = False
    preview_only: PreviewOnly = False


@dataclass(frozen=True, kw_only=True)
class Refreshing(Applying):
    """A command that compares the state with what exists."""

    exclude_dependents: ExcludeDependents = False
    preview_only: PreviewOnly = False


@dataclass(frozen=True, kw_only=True)
class BringingUp(Applying, Judged):
    """An apply of what a program declares."""

    continue_on_error: ContinueOnError = False
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", dir_okay=False, show_default=False,
                     help="Apply this plan, which `preview --save-plan` kept, and nothing else."),
    ] = None  # fmt: skip
    skip_preview: Annotated[
        bool,
        typer.Option("--skip-preview", "-f",
                     help="Begin at once: nothing is shown first and nobody asked; policy packs judge each resource "
                     "before it is made."),
    ] = False  # fmt: skip

    @property
    def agreed(self) -> bool:
        return self.yes or self.skip_preview


@dataclass(frozen=True, kw_only=True)
class Watching(OfProgram):
    """A command that brings a sandbox up each time that its program is saved."""

    parallel: Annotated[int, typer.Option("--parallel", "-p", min=1, help="Operations at a time.")] = 16
