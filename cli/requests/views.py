"""What can be asked of what is worked out from an environment: its cost, its simulation, its dashboards."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.requests.packs import UsageFile
from cli.requests.stack import OfProgram, OfStack


class PoolSize(enum.StrEnum):
    MIN = "min"
    DESIRED = "desired"
    MAX = "max"


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
