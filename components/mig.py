"""MIG: the instances into which a GPU can be partitioned, and whether a choice of them fits on one GPU.

A profile such as ``2g.20gb`` is named by its slices of compute and its memory. A GPU has a number of slices of each
kind; what a choice of profiles takes of either must not be more.

Source: NVIDIA Multi-Instance GPU User Guide, "Supported MIG Profiles", 2026-10, and the profiles of mig-parted 0.15
(``config-default.yaml``, 2026-08-21) for B300; RTX PRO 4500 from NVIDIA AI Enterprise 8, "Blackwell Architecture vGPU
Types". Profiles with media extensions (``+me``) or graphics (``+gfx``) are left out: the device plugin gives them names
of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Slices:
    """Slices of compute and of memory: of a profile, or of a whole GPU."""

    compute: int
    memory: int


@dataclass(frozen=True)
class Partitions:
    """How one kind of GPU can be partitioned; ``memory_gib`` tells GPUs of one name apart, None where there is one."""

    gpu_name: str
    memory_gib: float | None
    whole: Slices
    profiles: Mapping[str, Slices]

    def most(self, profile: str) -> int:
        """How many instances of ``profile`` alone fit on a GPU."""
        each = self.profiles[profile]
        return min(self.whole.compute // each.compute, self.whole.memory // each.memory)

    def problem(self, counts: Mapping[str, int]) -> str | None:
        """Why ``counts`` (instances by known profile) don't fit on one GPU; None where they do."""
        compute = sum(self.profiles[profile].compute * count for profile, count in counts.items())
        memory = sum(self.profiles[profile].memory * count for profile, count in counts.items())
        if compute > self.whole.compute:
            return f"takes {compute} slices of compute, and the {self.gpu_name} has {self.whole.compute}"
        if memory > self.whole.memory:
            return f"takes {memory} slices of memory, and the {self.gpu_name} has {self.whole.memory}"
        return None


def _in_eighths(one: str, one_wide: str, two: str, three: str, four: str, seven: str) -> dict[str, Slices]:
    """The profiles of the GPUs that have seven slices of compute and eight of memory."""
    slices = (Slices(1, 1), Slices(1, 2), Slices(2, 2), Slices(3, 4), Slices(4, 4), Slices(7, 8))
    return dict(zip((one, one_wide, two, three, four, seven), slices, strict=True))


_SEVEN = Slices(7, 8)
TABLE: Final = (
    Partitions("A100", 40, _SEVEN, _in_eighths("1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb")),
    Partitions("A100", 80, _SEVEN, _in_eighths("1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb")),
    Partitions("H100", None, _SEVEN, _in_eighths("1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb")),
    Partitions("H200", None, _SEVEN, _in_eighths("1g.18gb", "1g.35gb", "2g.35gb", "3g.71gb", "4g.71gb", "7g.141gb")),
    Partitions("B200", None, _SEVEN, _in_eighths("1g.23gb", "1g.45gb", "2g.45gb", "3g.90gb", "4g.90gb", "7g.180gb")),
    Partitions("B300", None, _SEVEN, _in_eighths("1g.34gb", "1g.67gb", "2g.67gb", "3g.135gb", "4g.135gb", "7g.269gb")),
    Partitions(
        "RTX PRO Server 6000",
        None,
        Slices(4, 4),
        {"1g.24gb": Slices(1, 1), "2g.48gb": Slices(2, 2), "4g.96gb": Slices(4, 4)},
    ),
    Partitions("RTX PRO 4500", None, Slices(2, 2), {"1g.16gb": Slices(1, 1), "2g.32gb": Slices(2, 2)}),
)


def partitions(gpu_name: str, memory_gib: float | None) -> Partitions | None:
    """How the GPU of that name and memory can be partitioned; None where it can't."""
    for each in TABLE:
        if each.gpu_name == gpu_name and each.memory_gib in (None, memory_gib):
            return each
    return None
