"""What can go wrong with a sandbox. Every message says what was expected, what was seen and what to do.

SandboxError
├─ PortInUse            another program listens on the port that was asked for
├─ StartFailed          the emulator ended or did not answer in time; the message has the end of its log
├─ SandboxBusy          another command is starting or stopping this sandbox, and did not finish in time
├─ SandboxMismatch      it runs already, with another port, region or endpoint than asked for
└─ EndpointNotAllowed   an endpoint that is neither on loopback nor in the allowed hosts
"""

from __future__ import annotations


class SandboxError(Exception):
    """A sandbox could not be started, found or stopped."""


class PortInUse(SandboxError):
    pass


class StartFailed(SandboxError):
    pass


class SandboxBusy(SandboxError):
    pass


class SandboxMismatch(SandboxError):
    pass


class EndpointNotAllowed(SandboxError):
    pass
