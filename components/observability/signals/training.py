"""Training jobs: how far they are, which have stopped getting on, which failed, and which wait."""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_TEAM
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal

# A job that pushed nothing for two days is over; what it pushed last stays until somebody deletes it.
_OVER: Final = 172800

PROGRESS: Final = Signal(
    name="training-progress",
    title="Progress",
    area="training",
    recordings=(
        Recording(
            "training_job:progress:ratio",
            f"max by (namespace, job_name) (training_job_progress_ratio >= 0 <= 1) {OF_TEAM}",
            "percentunit",
        ),
        Recording(
            "training_job:silence:seconds",
            "(time() - max by (namespace, job_name) (training_job_last_step_timestamp_seconds > 0) >= 0"
            f" < {_OVER}) {OF_TEAM}",
            "s",
        ),
    ),
    alerts=(
        Alert(
            "TrainingStalled",
            "training_job:silence:seconds > 1800 and on (namespace, job_name) training_job:progress:ratio < 1",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="{{ $labels.job_name }}: no step for {{ $value | humanizeDuration }}",
            description="Training job {{ $labels.namespace }}/{{ $labels.job_name }} has not ended a step for "
            "{{ $value | humanizeDuration }}. It keeps its GPUs all the while.",
        ),
    ),
    panels=(
        Panel(
            title="Progress of training jobs",
            queries=(Query("training_job:progress:ratio", "{{team}} {{job_name}}"),),
            unit="percentunit",
            description="Part of a job's steps that are done.",
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="Time since the last step",
            queries=(Query("training_job:silence:seconds", "{{team}} {{job_name}}"),),
            unit="s",
            description="How long a job has not ended a step.",
            minimum=0,
        ),
    ),
)

JOBS: Final = Signal(
    name="training-jobs",
    title="Jobs and queues",
    area="training",
    recordings=(
        Recording(
            "job:failed:info",
            'max by (namespace, job_name) (kube_job_failed{condition="true"} == 1) * on (namespace) group_left (team)'
            " team:namespace:info",
            "short",
        ),
        # Each of Kueue's replicas counts them.
        Recording("queue:pending:count", "max by (cluster_queue, status) (kueue_pending_workloads)", "short"),
    ),
    alerts=(
        Alert(
            "TrainingJobFailed",
            # Of a job that failed long ago and that nobody deleted, there is nothing more to say.
            "job:failed:info and on (namespace, job_name)"
            " (time() - max by (namespace, job_name) (kube_job_status_start_time) < 86400)",
            for_seconds=0,
            severity=Severity.TICKET,
            summary="Job {{ $labels.job_name }} of {{ $labels.team }} has failed",
            description="Job {{ $labels.namespace }}/{{ $labels.job_name }} has failed, after all retries that it may "
            "make.",
        ),
        Alert(
            "QueueInactive",
            'max by (cluster_queue) (kueue_cluster_queue_status{status="active"}) == 0',
            for_seconds=900,
            severity=Severity.PAGE,
            summary="Queue {{ $labels.cluster_queue }} lets no job in",
            description="Kueue has queue {{ $labels.cluster_queue }}, but does not use it: a flavour or a check that "
            "it names is missing. All jobs in it wait.",
            platform=True,
        ),
        Alert(
            "QueueStuck",
            'queue:pending:count{status="inadmissible"} > 0',
            for_seconds=86400,
            severity=Severity.INFO,
            summary="Queue {{ $labels.cluster_queue }}: jobs have waited for a day",
            description="Jobs of queue {{ $labels.cluster_queue }} that Kueue could not let in for a day: "
            "{{ $value }}. They may ask for more than the queue can ever have.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Jobs that failed",
            queries=(Query("count by (team) (job:failed:info)", "{{team}}"),),
            unit="short",
            description="Jobs of each team that have failed and are still there.",
            minimum=0,
        ),
        Panel(
            title="Jobs that wait",
            queries=(Query("queue:pending:count", "{{cluster_queue}} {{status}}"),),
            unit="short",
            description="Jobs in each queue: active ones get in once there is room, inadmissible ones once something "
            "changes.",
            minimum=0,
        ),
    ),
)
