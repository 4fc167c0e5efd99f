"""An emulator in this process, one for each worker of the test run, that is called without a socket."""

from __future__ import annotations

import pytest

from engine.emulator.identity import EmulatorIdentity
from engine.emulator.server import EmulatorApplication
from engine.providers.aws.config import Config
from tests.engine.drift.wire import DirectCaller


@pytest.fixture(scope="session")
def direct() -> DirectCaller:
    """Calls to an emulator of this suite's own; files share it, and so name their resources differently."""
    application = EmulatorApplication(EmulatorIdentity.of_this_process("drift"))
    application.prepare()
    return DirectCaller(application, Config(region="us-east-1"))
