"""Packing cases: what the scheduler makes of them, and what we make of what it says.

Where the native control plane is built, the real scheduler places each case; ``ACCEPT=1`` keeps what it did as a file.
Everywhere, the answer is made from that file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.providers.kubernetes.connection import Connection
from engine.simulation.running import answered, observe, prepare
from tests.engine.simulation.packing import PACKING, Case
from tests.engine.simulation.planes import emptied, empty_cluster
from tests.engine.simulation.recording import from_json, to_json


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connection, str]]:
    folder: Path = tmp_path_factory.mktemp("simulation")
    with empty_cluster(folder) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("name", PACKING)
def test_the_scheduler_places_a_case(name: str, cluster: tuple[Connection, str]) -> None:
    case, (connection, version) = Case.read(name), cluster
    prepared = prepare(case.question())
    try:
        observed = observe(connection, version, prepared, timeout=60)
    finally:
        emptied(connection)
    if os.environ.get("ACCEPT"):
        case.recording.write_text(to_json(observed))
    assert case.told(answered(prepared, observed)) == case.expected()


@pytest.mark.parametrize("name", PACKING)
def test_the_answer_from_what_the_scheduler_did(name: str) -> None:
    case = Case.read(name)
    found = answered(prepare(case.question()), from_json(case.recording.read_text()))
    assert case.told(found) == case.expected()
