"""Why a pod does not run: a reason to count by, a sentence with place, needed and available, and what to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Reason(enum.StrEnum):
    """The kinds of reasons. Nothing branches on them; they are there for the reader."""

    TAINT = "taint"
    SELECTOR = "selector or affinity"
    QUOTA = "quota"
    GPU_COUNT = "GPU count"
    CPU = "cpu"
    MEMORY = "memory"
    STORAGE = "ephemeral storage"
    TOO_SMALL = "one node too small"
    POD_COUNT = "pod count"
    EFA = "EFA"
    TOPOLOGY = "topology"
    ADMISSION = "refused by admission"
    PREEMPTED = "preempted"
    ORDER = "waits for another pod"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Explanation:
    """``text`` says what stands in the way, ``advice`` what to do, ``said`` what the cluster itself has said."""

    reason: Reason
    text: str
    advice: str = ""
    said: str = ""
