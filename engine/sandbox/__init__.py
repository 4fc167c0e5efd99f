"""Local sandboxes: an AWS emulator and a Kubernetes API each, started, found and stopped by name.

Imports nothing heavy: the emulator is another process.
"""

from engine.sandbox.errors import (
    EndpointNotAllowed,
    PortInUse,
    SandboxBusy,
    SandboxError,
    SandboxMismatch,
    StartFailed,
)
from engine.sandbox.lifecycle import down, find, names, status, up
from engine.sandbox.model import (
    DEFAULT_NAME,
    Flavor,
    KubernetesApi,
    PartStatus,
    Sandbox,
    SandboxState,
    SandboxStatus,
)

__all__ = [
    "DEFAULT_NAME",
    "EndpointNotAllowed",
    "Flavor",
    "KubernetesApi",
    "PartStatus",
    "PortInUse",
    "Sandbox",
    "SandboxBusy",
    "SandboxError",
    "SandboxMismatch",
    "SandboxState",
    "SandboxStatus",
    "StartFailed",
    "down",
    "find",
    "names",
    "status",
    "up",
]
