"""What can be asked of policy packs, and of the reports of what they found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.environments import complete
from cli.requests.manner import Manner
from cli.requests.stack import OfProgram, OfStack

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
