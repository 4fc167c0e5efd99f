"""Ctrl-C and SIGTERM during a run: the first asks it to finish what is in progress, the second stops at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from cli.exits import ExitCode

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Listens for signals while its block runs. ``stop_now`` must leave nothing behind: the process ends after it."""

    def __init__(self, cancel: Callable[[], None], stop_now: Callable[[], None]) -> None:
        self._cancel = cancel
        self._stop_now = stop_now
        self.count = 0

    @contextmanager
    def listening(self) -> Generator[None]:
        """Handle the signals on the running event loop."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.arrived)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
                if self.count:  # it ends already: one more must not cut off its report
                    signal.signal(number, signal.SIG_IGN)

    @contextmanager
    def asleep(self) -> Generator[None]:
        """While somebody is asked, signals are a KeyboardInterrupt: the event loop that would hear them is waiting."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.default_int_handler)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.add_signal_handler(number, self.arrived)

    def arrived(self) -> None:
        """A signal has come."""
        self.count += 1
        if self.count == 1:
            self._cancel()
            return
        try:
            self._stop_now()
        finally:
            # Worker threads wait for the cloud and would hold up an orderly end; what they do is recorded as in flight.
            os._exit(ExitCode.CANCELLED)
