"""The native Kubernetes half: etcd, API server, controllers and scheduler as they are, with nodes that kwok simulates.

Volumes come from a driver of ours (``engine.sandbox.volumes``), which plays that of EBS. ``build`` makes the programs
from the Go modules that ``tools/`` pins, ``find`` finds what has been built, and ``ControlPlane`` runs it: for a
sandbox, a simulation or a test.
"""

from engine.sandbox.model import cache_of
from engine.sandbox.native.binaries import Binaries, NotBuilt, find, required
from engine.sandbox.native.building import build
from engine.sandbox.native.control_plane import ControlPlane, control_plane, end_leftovers

__all__ = [
    "Binaries",
    "ControlPlane",
    "NotBuilt",
    "build",
    "cache_of",
    "control_plane",
    "end_leftovers",
    "find",
    "required",
]
