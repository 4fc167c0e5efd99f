"""Jobs complete as soon as they are written, unless they are suspended."""

from __future__ import annotations

from engine.emulator.kubernetes import metadata
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers.writes import condition, current, set_status
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.store import Event


def _job(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("batch/v1", "Job")
    job = current(cluster, resource, event.object)
    if job is None or (job.get("status") or {}).get("completionTime"):
        return
    if job["spec"].get("suspend"):
        set_status(
            cluster, resource, job, {"conditions": [condition("Suspended", True, "JobSuspended", "Job suspended")]}
        )
        return
    if job["spec"].get("managedBy") not in (None, "kubernetes.io/job-controller"):
        return  # another controller's, such as Kueue's on another cluster
    set_status(cluster, resource, job, _complete(job["spec"]))


def _complete(spec: Json) -> Json:
    now = metadata.now()
    count = spec.get("completions") or spec.get("parallelism") or 0
    reached = ("CompletionsReached", "Reached expected number of succeeded pods")
    conditions = [
        condition(type_, True, *reached) | {"lastProbeTime": now} for type_ in ("SuccessCriteriaMet", "Complete")
    ]
    status: Json = {"startTime": now, "completionTime": now, "conditions": conditions, "ready": 0, "terminating": 0}
    return status | {"succeeded": count, "uncountedTerminatedPods": {}}


REACTIONS = {("batch", "jobs"): _job}
