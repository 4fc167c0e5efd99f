"""Which Kubernetes half this machine can have: the best, and in a few words why."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox.model import Flavor
from engine.sandbox.native import binaries


@dataclass(frozen=True)
class Choice:
    """``flavor`` None: without a Kubernetes half."""

    flavor: Flavor | None
    reason: str


def best(cache: Path, endpoint: str | None = None) -> Choice:
    """kind where a Docker engine answers, else native where it is built in ``cache``, else embedded.

    ``endpoint`` is that of an emulator which is used instead of ours; the embedded API would live in ours.
    """
    if shutil.which("kind") and shutil.which("docker"):
        from engine.sandbox.docker import engine_problem

        if engine_problem() is None:
            return Choice(Flavor.KIND, "a Docker engine answers and kind is on PATH")
    if binaries.find(cache):
        return Choice(Flavor.NATIVE, "it is built, and no Docker engine answers with kind on PATH")
    if endpoint is not None:
        return Choice(None, f"the emulator at {endpoint} is not ours, and nothing else is here")
    return Choice(
        Flavor.EMBEDDED, "there is neither a Docker engine with kind nor a native build (`bedplate sandbox build`)"
    )
