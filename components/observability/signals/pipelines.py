"""Pipelines: whether their runs succeed, and whether they take longer than they used to.

Airflow counts runs and their durations by pipeline. Kubeflow's workflows are counted by phase alone; how long a run
took, its last step pushes (``pipeline_run_duration_seconds``).
"""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_TEAM
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

_DAY: Final = "1d"


def _airflow(metric: str) -> str:
    runs = f"sum by (dag_id) (increase({metric}_count[{_DAY}]))"
    return f'label_replace({runs}, "pipeline", "$1", "dag_id", "(.+)")'


def _workflows(phases: str) -> str:
    runs = f'sum by (namespace) (increase(argo_workflows_total_count{{phase=~"{phases}"}}[{_DAY}]))'
    return f'label_replace({runs} {OF_TEAM}, "pipeline", "workflows of $1", "namespace", "(.+)")'


def _mean_duration() -> str:
    airflow = (
        f"sum by (dag_id) (increase(airflow_dagrun_duration_sum[{_DAY}]))"
        f" / (sum by (dag_id) (increase(airflow_dagrun_duration_count[{_DAY}])) > 0)"
    )
    pushed = f"max by (namespace, pipeline) (pipeline_run_duration_seconds >= 0 < 31536000) {OF_TEAM}"
    return f'label_replace({airflow}, "pipeline", "$1", "dag_id", "(.+)")\nor {pushed}'


SUCCESS: Final = Signal(
    name="pipeline-success",
    title="Success",
    area="pipelines",
    recordings=(
        Recording(
            "pipeline:succeeded:increase1d",
            f"{_airflow('airflow_dagrun_duration')}\nor {_workflows('Succeeded')}",
            "short",
        ),
        Recording(
            "pipeline:failed:increase1d",
            f"{_airflow('airflow_dagrun_failed')}\nor {_workflows('Failed|Error')}",
            "short",
        ),
        Recording(
            "pipeline:success:ratio1d",
            "(pipeline:succeeded:increase1d or 0 * pipeline:failed:increase1d)\n"
            "  / ((pipeline:succeeded:increase1d or 0 * pipeline:failed:increase1d)\n"
            "    + (pipeline:failed:increase1d or 0 * pipeline:succeeded:increase1d) > 0)",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "PipelineFails",
            "pipeline:success:ratio1d < on () group_left () limit:pipeline_success:ratio",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.pipeline }}: {{ $value | humanizePercentage }} of the runs succeed",
            description="Of the runs of {{ $labels.pipeline }} within a day, {{ $value | humanizePercentage }} have "
            "succeeded. What is made from their results gets old.",
        ),
        Alert(
            "AirflowSchedulerSilent",
            "sum(rate(airflow_scheduler_heartbeat[5m])) == 0",
            for_seconds=300,
            severity=Severity.PAGE,
            summary="Airflow's scheduler has stopped",
            description="Airflow's scheduler has given no sign of life for more than five minutes. No pipeline starts.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Runs that succeed",
            queries=(Query("pipeline:success:ratio1d", "{{pipeline}}"),),
            unit="percentunit",
            description="Part of a pipeline's runs within a day that succeeded.",
            thresholds=(Threshold(0, "red"), Threshold(0.9, "green")),
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="Runs in a day",
            queries=(
                Query("pipeline:succeeded:increase1d", "{{pipeline}} succeeded"),
                Query("pipeline:failed:increase1d", "{{pipeline}} failed"),
            ),
            unit="short",
            description="Runs of each pipeline within a day.",
            minimum=0,
        ),
    ),
)

DURATION: Final = Signal(
    name="pipeline-duration",
    title="Duration",
    area="pipelines",
    interval_seconds=120,
    recordings=(Recording("pipeline:duration_seconds:mean1d", _mean_duration(), "s"),),
    alerts=(
        Alert(
            "PipelineSlow",
            # A minute more or less is nothing to speak of.
            "pipeline:duration_seconds:mean1d"
            " > 2 * avg_over_time(pipeline:duration_seconds:mean1d[6d:1h] offset 1d) + 60",
            for_seconds=1800,
            severity=Severity.INFO,
            summary="{{ $labels.pipeline }}: runs take {{ $value | humanizeDuration }}",
            description="Runs of {{ $labels.pipeline }} take {{ $value | humanizeDuration }}, more than twice as long "
            "as in the week before.",
        ),
    ),
    panels=(
        Panel(
            title="Duration of runs",
            queries=(Query("pipeline:duration_seconds:mean1d", "{{pipeline}}"),),
            unit="s",
            description="How long a pipeline's runs take: the mean of a day, or the last one where only that is known.",
            width=24,
            minimum=0,
        ),
    ),
)
