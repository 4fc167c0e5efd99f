"""SIGTERM where no run listens for it (``interrupts``): what is going on cleans up after itself, as for Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def ended_by_sigterm() -> Generator[None]:
    """SIGTERM raises KeyboardInterrupt within."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
