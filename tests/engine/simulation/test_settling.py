"""When the simulated cluster has come to rest."""

from __future__ import annotations

import pytest

from engine.simulation.manifests import Given
from engine.simulation.seen import Seen
from engine.simulation.settling import unsettled
from tests.engine.simulation.test_refusals import QUOTA

JOB = {"kind": "Job", "metadata": {"namespace": "team-a", "name": "llm"}, "spec": {"completions": 1}}


def _refused(*, used: str) -> Seen:
    """A job whose pod asks for 4 GPUs of a quota of 8, and was refused when all were used."""
    seen = Seen()
    seen.changed("Job", JOB)
    event = {"involvedObject": {"kind": "Job", "namespace": "team-a", "name": "llm"}, "reason": "FailedCreate"}
    seen.changed("Event", {"metadata": {"namespace": "team-a", "name": "e"}, "message": QUOTA, **event})
    quota = {"metadata": {"namespace": "team-a", "name": "gpu"}, "status": {"used": {"requests.nvidia.com/gpu": used}}}
    seen.changed("ResourceQuota", quota)
    return seen


@pytest.mark.parametrize("used", ["8", "5"])
def test_what_a_quota_refuses_is_not_waited_for(used: str) -> None:
    assert unsettled(_refused(used=used), [Given(JOB, "llm.yaml")]) is None


def test_what_a_quota_would_take_by_now_is_waited_for() -> None:
    """It counted what was going, or not made in the end: the controller tries again."""
    assert unsettled(_refused(used="4"), [Given(JOB, "llm.yaml")]) == "Job team-a/llm has 0 of 1 pods"
