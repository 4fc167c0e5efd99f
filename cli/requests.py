"""What the commands can be asked: their arguments and options, said once."""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from cli.environments import complete

DEFAULT_SANDBOX: Final = "default"  # as engine.sandbox has it, which is not imported here: see Kubernetes


class Color(enum.StrEnum):
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Output(enum.StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"  # of those commands that say so


class Engine(enum.StrEnum):
    AUTO = "auto"
    EMBEDDED = "embedded"
    PULUMI = "pulumi"


class Kubernetes(enum.StrEnum):
    """As engine.sandbox.Flavor has them, which is not imported here: `--help` must not load the engine."""

    EMBEDDED = "embedded"
    NATIVE = "native"
    KIND = "kind"


class PoolSize(enum.StrEnum):
    MIN = "min"
    DESIRED = "desired"
    MAX = "max"


class Diff(enum.StrEnum):
    NONE = "none"
    BRIEF = "brief"
    FULL = "full"


# Options that several requests have.
FurtherPacks = Annotated[
    tuple[Path, ...],
    typer.Option("--policy-pack", metavar="FOLDER", help="A pack beside the project's own. Repeatable.",
                 file_okay=False),
]  # fmt: skip
PolicyTimeout = Annotated[
    float,
    typer.Option("--policy-timeout", min=0, metavar="SECONDS",
                 help="How long a policy pack may take to start, or for an answer; 0 for ever."),
]  # fmt: skip
UsageFile = Annotated[
    Path | None,
    typer.Option("--usage", metavar="FILE", help="How much is used of what is billed by use.", dir_okay=False,
                 show_default="usage.ENV.yaml beside the settings, if there is one"),
]  # fmt: skip
RulesUrl = Annotated[
    str,
    typer.Option("--rules-url", metavar="URL", show_default=False,
                 help="Where the repository lies that has the rules' pages: reports link there, such as "
                 "https://github.com/acme/platform/blob/main"),
]  # fmt: skip
Reports = Annotated[
    tuple[str, ...],
    typer.Option("--report", metavar="FORM=FILE",
                 help="Write what the packs found, too: sarif, junit, github, gitlab or json. Repeatable."),
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a command behaves towards who has called it."""

    cwd: Annotated[
        Path, typer.Option("--cwd", "-C", help="Run as if started in this folder.", exists=True, file_okay=False)
    ] = Path()
    output: Annotated[
        Output, typer.Option("--output", help="What is written to standard output; json is one versioned document.")
    ] = Output.TEXT
    color: Annotated[Color, typer.Option("--color", help="Colours; auto heeds NO_COLOR and FORCE_COLOR.")] = Color.AUTO
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks, and messages for debugging.")] = False


@dataclass(frozen=True, kw_only=True)
class OfStack(Manner):
    """A command about one environment."""

    environment: Annotated[
        str | None,
        typer.Argument(metavar="ENV", help="The environment, such as dev or prod.", autocompletion=complete,
                       show_default=False),
    ] = None  # fmt: skip
    stack: Annotated[
        str | None,
        typer.Option("--stack", "-s", help="Another way to say ENV.", autocompletion=complete, show_default=False),
    ] = None
    engine: Annotated[
        Engine,
        typer.Option("--engine", help="Which engine runs it: the Pulumi CLI, or the embedded one, which changes "
                     "sandboxes only. auto: the CLI for what is in no sandbox, where it is installed."),
    ] = Engine.AUTO  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class InSandbox(OfStack):
    """A command about an environment that is, or will be, in a sandbox."""

    sandbox: Annotated[str, typer.Option("--sandbox", metavar="NAME", help="In which sandbox the environment is.")] = (
        DEFAULT_SANDBOX
    )


@dataclass(frozen=True, kw_only=True)
class OfProgram(InSandbox):
    """A command that runs an environment's program."""

    program_timeout: Annotated[
        float,
        typer.Option("--program-timeout", min=0, metavar="SECONDS",
                     help="How long the program may ask for nothing; 0 for ever."),
    ] = 600.0  # fmt: skip
    event_log: Annotated[
        Path | None,
        typer.Option("--event-log", metavar="FILE", dir_okay=False, show_default=False,
                     help="Write the engine's events there, a line of JSON each."),
    ] = None  # fmt: skip


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
class Importing(Applying):
    """A command that takes over what exists already."""

    type: Annotated[
        str | None,
        typer.Argument(metavar="TYPE", help="The resource's type, such as aws:s3/bucket:Bucket.", show_default=False),
    ] = None
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What the program calls it.", show_default=False)
    ] = None
    id: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="What its provider knows it by, such as a bucket's name.",
                       show_default=False),
    ] = None  # fmt: skip
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", dir_okay=False, exists=True, show_default=False,
                     help="Import what this file names, in the form of `pulumi import --file`."),
    ] = None  # fmt: skip
    parent: Annotated[
        str, typer.Option("--parent", metavar="NAME=URN", help="Its parent, and what the code calls that.",
                          show_default=False),
    ] = ""  # fmt: skip
    provider: Annotated[
        str, typer.Option("--provider", metavar="NAME=URN", help="Its provider, and what the code calls that.",
                          show_default=False),
    ] = ""  # fmt: skip
    protect: Annotated[
        bool, typer.Option("--protect/--no-protect", help="Whether the resource can't be deleted until it is let go.")
    ] = True
    properties: Annotated[
        tuple[str, ...],
        typer.Option("--properties", metavar="NAME,...", help="Take these inputs only. Repeatable."),
    ] = ()
    generate_code: Annotated[
        bool, typer.Option("--generate-code/--no-generate-code", help="Whether to write the code to paste.")
    ] = True
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", dir_okay=False, show_default=False,
                     help="Write the code there instead of to standard output."),
    ] = None  # fmt: skip
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


@dataclass(frozen=True, kw_only=True)
class Watching(OfProgram):
    """A command that brings a sandbox up each time that its program is saved."""

    parallel: Annotated[int, typer.Option("--parallel", "-p", min=1, help="Operations at a time.")] = 16


@dataclass(frozen=True, kw_only=True)
class Simulating(OfProgram):
    """A command that places an environment's workloads on simulated nodes."""

    pool_size: Annotated[PoolSize, typer.Option("--pool-size", help="At which of its sizes each node pool is.")] = (
        PoolSize.DESIRED
    )
    file: Annotated[
        tuple[Path, ...],
        typer.Option("--file", "-f", metavar="FILE", help="Workloads that are added: YAML manifests. Repeatable."),
    ] = ()  # fmt: skip
    cron_jobs: Annotated[bool, typer.Option("--cron-jobs", help="Start each CronJob once, too.")] = False
    expect_all_placed: Annotated[
        bool, typer.Option("--expect-all-placed", help="Exit with 7 when a pod stays pending.")
    ] = False
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=1, metavar="SECONDS", help="How long the simulated cluster may take to decide."),
    ] = 300.0  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Costing(OfProgram):
    """A command that says what an environment costs."""

    usage: UsageFile = None
    state: Annotated[bool, typer.Option("--state", help="Only what stands, by the state; the program is not run.")] = (
        False
    )
    explain: Annotated[
        bool, typer.Option("--explain", help="Each figure with its working, its source and that one's date.")
    ] = False
    actual: Annotated[
        bool, typer.Option("--actual", help="Compare with what was billed, by AWS Cost Explorer (0.02 USD a time).")
    ] = False
    tag: Annotated[str, typer.Option("--tag", metavar="KEY", help="The tag by whose values --actual compares.")] = (
        "Component"
    )
    opencost: Annotated[
        str | None,
        typer.Option("--opencost", metavar="URL", help="Compare with what OpenCost measures in the cluster.",
                     show_default=False),
    ] = None  # fmt: skip
    fetch_prices: Annotated[
        bool,
        typer.Option("--fetch-prices", help="Read the region's prices from the AWS Price List first, and keep them."),
    ] = False
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", help="Draw where the money goes.", dir_okay=False, show_default=False),
    ] = None


@dataclass(frozen=True, kw_only=True)
class PreviewingDashboards(OfStack):
    """A command that draws an environment's dashboards."""

    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", dir_okay=False, allow_dash=True,
                     help="Where the page is written; - is standard output.",
                     show_default=".bedplate/dashboards/ENV.html"),
    ] = None  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ExportingDashboards(OfStack):
    """A command that writes an environment's dashboards into a folder."""

    folder: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", file_okay=False, help="The folder that the files are written into.",
                     show_default=False),
    ] = None  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Showing(InSandbox):
    """A command that shows values of a stack, among which may be secrets."""

    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Show secret values in clear.")] = False


@dataclass(frozen=True, kw_only=True)
class ShowingOne(Showing):
    urn: Annotated[
        str | None,
        typer.Argument(metavar="[URN]", help="The resource: its URN or its name. Default: all.", show_default=False),
    ] = None  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OfSandbox(Manner):
    """A command about a sandbox."""

    name: Annotated[str, typer.Option("--name", "--sandbox", metavar="NAME", help="Which sandbox.")] = DEFAULT_SANDBOX


@dataclass(frozen=True, kw_only=True)
class StartingSandbox(OfSandbox):
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0 for any free port.")] = 0
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="URL", help="Use this emulator instead.", show_default=False)
    ] = None
    region: Annotated[str | None, typer.Option("--region", help="Region of the sandbox.", show_default="us-east-1")] = (
        None
    )
    allowed_host: Annotated[
        tuple[str, ...],
        typer.Option("--allowed-host", metavar="HOST", help="An emulator's host that isn't on loopback. Repeatable."),
    ] = ()  # fmt: skip
    kubernetes: Annotated[
        Kubernetes | None,
        typer.Option("--kubernetes", help="Where the Kubernetes API comes from.",
                     show_default="the best that this machine has: kind, else native, else embedded"),
    ] = None  # fmt: skip
    kubernetes_port: Annotated[
        int,
        typer.Option(
            "--kubernetes-port", min=0, max=65535, help="Where the Kubernetes API listens; 0 for any free port."
        ),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Examining(Manner):
    """A command that looks at the machine."""

    online: Annotated[bool, typer.Option("--online", help="Ask the network, too: AWS and the CLI's backend.")] = False


@dataclass(frozen=True, kw_only=True)
class SettingUp(Manner):
    """A command that installs the Pulumi CLI and plugins."""


@dataclass(frozen=True, kw_only=True)
class BuildingNative(Manner):
    """A command that builds the native control plane."""


@dataclass(frozen=True, kw_only=True)
class OfPacks(OfStack):
    """A command about policy packs, as they are configured for ENV where one is given."""

    policy_pack: FurtherPacks = ()


@dataclass(frozen=True, kw_only=True)
class ExplainingRule(Manner):
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule, such as s3-versioning.")]
    stack: Annotated[
        str | None,
        typer.Option("--stack", "-s", help="Its level and parameters in this environment.", autocompletion=complete,
                     show_default=False),
    ] = None  # fmt: skip
    policy_pack: FurtherPacks = ()


@dataclass(frozen=True, kw_only=True)
class TestingPacks(Manner):
    pack: Annotated[
        tuple[Path, ...],
        typer.Argument(metavar="[PACK]...", help="Folders of packs. Default: the project's own.", show_default=False),
    ] = ()  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class JudgingFiles(OfProgram):
    """A command that has an environment, a state, a plan or manifests judged by policy packs."""

    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", dir_okay=False, show_default=False,
                     help="Judge a state: what `pulumi stack export` wrote, or a checkpoint."),
    ] = None  # fmt: skip
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", dir_okay=False, show_default=False,
                     help="Judge a preview's event log (--event-log), or what `pulumi preview --json` wrote."),
    ] = None  # fmt: skip
    file: Annotated[
        tuple[Path, ...],
        typer.Option("--file", "-f", metavar="FILE",
                     help="Judge Kubernetes manifests; - is standard input. Repeatable."),
    ] = ()  # fmt: skip
    policy_pack: FurtherPacks = ()
    policy_timeout: PolicyTimeout = 60.0
    usage: UsageFile = None
    report: Reports = ()
    rules_url: RulesUrl = ""
