from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.lifecycle.harness import Engine


@pytest.fixture(params=[True, False], ids=["in process", "in threads"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A stack that was never deployed, over a provider that answers at once or one that is called in worker threads."""
    return Engine(tmp_path, in_process=request.param)
