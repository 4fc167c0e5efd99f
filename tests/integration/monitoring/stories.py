"""What goes wrong in the end-to-end test: how it begins, which alert tells whom of it, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.integration.monitoring.exporters import Sample, hangs, never_ends, text
from tests.integration.monitoring.receiver import PAGERDUTY, Notification, Receiver
from tests.integration.monitoring.synthetic import Synthetic
from tests.integration.monitoring.world import World

SAMPLES_AT_MOST: Final = 20_000


# Where the settings send what each team is told.
PATHS: Final = {
    ("vision", "page"): PAGERDUTY,
    ("vision", "ticket"): "/slack",
    ("speech", "page"): "/speech-oncall",
    ("speech", "ticket"): "/speech",
    ("platform", "page"): "/platform",
    ("platform", "ticket"): "/platform",
}


@dataclass(frozen=True)
class Story:
    """``alert``, whose summary ``says`` of what, comes to who acts for ``team``; where ``end`` is, it is resolved.

    ``early``: it begins with everything else, since it takes long.
    """

    name: str
    alert: str
    says: str
    team: str
    severity: str
    begin: Callable[[World], None]
    end: Callable[[World], None] | None = None
    early: bool = False

    @property
    def path(self) -> str:
        return PATHS[self.team, self.severity]

    def told(self, told: Receiver, *, resolved: bool = False) -> Notification | None:
        """What came of it to where it has to come."""
        return told.told(self.path, self.alert, self.says, resolved=resolved)


def _accuracy(value: float) -> Callable[[World], None]:
    return lambda world: world.targets["pushed"].set("model_accuracy", {"model": "decaying"}, value=value)


def _says(model: str, says: Callable[[], bytes]) -> Callable[[World], None]:
    return lambda world: world.says(f"{model}-1", says)


def _as_before(model: str) -> Callable[[World], None]:
    return lambda world: world.says(f"{model}-1", world.targets[f"{model}-1"].body)


class _Lies:
    """Counters that are no number, without end, beyond all sense and negative, and a gauge of a time long gone."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self) -> bytes:
        self._asked += 1
        said = [
            Sample("model_requests_total", {"code": "200"}, "NaN"),
            Sample("model_requests_total", {"code": "201"}, "+Inf"),
            Sample("model_requests_total", {"code": "202"}, 1e300 * self._asked),
            Sample("model_requests_total", {"code": "203"}, -1e12 * self._asked),
            Sample("model_requests_total", {"code": "503"}, 1e15 * self._asked),
            Sample("model_queue_depth", {}, 1e9, at=1_000_000_000),
        ]
        return text(said, {"model_requests_total": "counter", "model_queue_depth": "gauge"})


_FLOOD: Final = text(Sample("lies_total", {"request": str(number)}, 1) for number in range(SAMPLES_AT_MOST + 1))


def _idles(world: World) -> None:
    world.targets["dcgm-exporter"].set("DCGM_FI_DEV_GPU_UTIL", value=0)


def _second_version(world: World) -> None:
    """A canary that gets a tenth of the requests and fails in one of ten."""
    canary = Synthetic("standard")
    canary.set("model_requests_total", {"code": "200"}, rate=4)
    canary.set("model_requests_total", {"code": "500"}, rate=1)
    world.says("candidate-2", canary.body)


def _drifts(psi: float) -> Callable[[World], None]:
    return lambda world: world.targets["pushed"].set("model_feature_psi", {"model": "decaying"}, value=psi)


# A GPU that no pod holds.
_UNHELD: Final = {"gpu": "1", "UUID": "GPU-8a20", "device": "nvidia1", "modelName": "NVIDIA L40S", "namespace": "",
                  "pod": "", "container": ""}  # fmt: skip


def _fails(world: World) -> None:
    """A GPU falls off the bus, and is hot besides."""
    world.targets["dcgm-exporter"].set("DCGM_FI_DEV_XID_ERRORS", _UNHELD, value=79)
    world.targets["dcgm-exporter"].set("DCGM_FI_DEV_GPU_TEMP", _UNHELD, value=95)
    world.targets["dcgm-exporter"].set("DCGM_FI_DEV_GPU_UTIL", _UNHELD, value=0)


def _boasts(world: World) -> None:
    """A GPU is busier than it can be."""
    boasting = {**_UNHELD, "gpu": "2", "UUID": "GPU-77b1", "device": "nvidia2"}
    world.targets["dcgm-exporter"].set("DCGM_FI_DEV_GPU_UTIL", boasting, value=300)


def _job_fails(world: World) -> None:
    said, job = world.targets["kube-state-metrics"], {"namespace": "team-vision", "job_name": "train-fraud-scorer"}
    said.set("kube_job_failed", {**job, "condition": "true"}, value=1)


def _pod_is_missing(world: World) -> None:
    world.targets["kube-state-metrics"].set("kube_deployment_status_replicas_available", value=1)


STORIES: Final = (
    Story(
        "a GPU that idles",
        "GpuIdle",
        "idle",
        "vision",
        "ticket",
        begin=_idles,
        early=True,
    ),
    Story(
        "a canary that is worse",
        "CanaryFailsMore",
        "candidate 2",
        "speech",
        "page",
        begin=_second_version,
    ),
    Story(
        "a model whose accuracy decays",
        "ModelAccuracyLow",
        "decaying 1",
        "vision",
        "ticket",
        begin=_accuracy(0.85),
        end=_accuracy(0.95),
    ),
    Story(
        "two features that drift",
        "FeatureDrifted",
        "feature age",
        "vision",
        "ticket",
        begin=_drifts(0.4),
        end=_drifts(0.02),
    ),
    Story(
        "a GPU that is faulty",
        "GpuFault",
        "XID 79",
        "platform",
        "page",
        begin=_fails,
    ),
    Story(
        "a GPU that says what can't be true",
        "GpuTelemetryImplausible",
        "node-1",
        "platform",
        "ticket",
        begin=_boasts,
    ),
    Story(
        "a training job that fails",
        "TrainingJobFailed",
        "train-fraud-scorer",
        "vision",
        "ticket",
        begin=_job_fails,
    ),
    Story(
        "a deployment without all its pods",
        "DeploymentIncomplete",
        "fraud-scorer",
        "vision",
        "ticket",
        begin=_pod_is_missing,
        early=True,
    ),
    Story(
        "a model that burns its error budget",
        "ModelErrorBudgetBurnsFast",
        "burning",
        "vision",
        "page",
        begin=lambda world: world.targets["burning-1"].set("model_requests_total", {"code": "500"}, rate=10),
    ),
    Story(
        "a target that says what can't be true",
        "ModelMetricsImplausible",
        "lying",
        "speech",
        "ticket",
        begin=_says("lying", _Lies()),
        end=_as_before("lying"),
    ),
    Story(
        "a target with a series for each request",
        "ModelTelemetryMissing",
        "flooding",
        "speech",
        "page",
        begin=_says("flooding", lambda: _FLOOD),
        end=_as_before("flooding"),
    ),
    Story(
        "a target whose answer never ends",
        "ModelTelemetryMissing",
        "endless",
        "speech",
        "page",
        begin=_says("endless", never_ends),
        end=_as_before("endless"),
    ),
    Story(
        "a target that never answers",
        "ModelTelemetryMissing",
        "hanging",
        "speech",
        "page",
        begin=_says("hanging", hangs),
        end=_as_before("hanging"),
    ),
)
