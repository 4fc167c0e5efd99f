"""Two on one backend, one of them the Pulumi CLI: each sees the other's lock and says who holds it."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from engine.state.errors import LockedBy
from engine.state.lock import StackLock, locks
from engine.state.secrets import Keyring
from engine.state.storage import StackStore, open_stack
from tests.engine.lifecycle.cloud import Cloud
from tests.parity.command_line import PASSPHRASE, CliFailed, CommandLine, where_there_is_one
from tests.parity.observed import Normal
from tests.parity.programs import PROJECT, STACK, Run

pytestmark = [pytest.mark.pulumi, pytest.mark.slow]
UP = Run({"a": {"size": 1}})


@pytest.fixture
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    yield from where_there_is_one(tmp_path_factory.mktemp("pulumi"))


def store(cli: CommandLine) -> StackStore:
    return open_stack(cli.work / "state", PROJECT, STACK, Keyring(STACK, PASSPHRASE))


@contextmanager
def at_work(cli: CommandLine) -> Generator[Cloud]:
    """The CLI, in the middle of creating a resource."""
    cloud = Cloud()
    cli.reset(cloud)
    gate = cloud.hold("create a")

    def up() -> None:
        with contextlib.suppress(CliFailed):
            cli.observe(UP, Normal())

    thread = threading.Thread(target=up)
    thread.start()
    try:
        assert cloud.begun["create a"].wait(60)
        yield cloud
    finally:
        gate.set()
        thread.join()


def test_the_cli_sees_our_lock_and_takes_it_away_when_told_to(cli: CommandLine) -> None:
    ours = store(cli)
    with StackLock(ours.lock_folder, ours.qualified_name, command="bedplate up dev"):
        refused = cli.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
        assert refused.returncode != 0
        assert f"created by {getpass.getuser()}@{socket.gethostname()} (pid {os.getpid()}) at 2" in refused.stderr
        assert "pulumi cancel" in refused.stderr
        assert len(locks(ours.lock_folder)) == 1
        cancelled = cli.pulumi("cancel", "--yes", "--stack", STACK)
        assert cancelled.returncode == 0, cancelled.stderr
        assert locks(ours.lock_folder) == []


def test_we_see_the_lock_of_the_cli(cli: CommandLine) -> None:
    with at_work(cli):
        ours = store(cli)
        with pytest.raises(LockedBy) as caught, StackLock(ours.lock_folder, ours.qualified_name):
            pass
        assert f"{getpass.getuser()}@{socket.gethostname()}, process {caught.value.pid}" in str(caught.value)
        assert "bedplate cancel" in str(caught.value)
        ((path, holder),) = locks(ours.lock_folder)
        assert path == caught.value.path
        assert holder is not None
        assert holder.since.startswith("2")
    with StackLock(ours.lock_folder, ours.qualified_name) as free:
        assert free.notes == []


def test_a_lock_of_a_cli_that_was_killed_is_taken_over(cli: CommandLine) -> None:
    with at_work(cli):
        ours = store(cli)
        ((_, holder),) = locks(ours.lock_folder)
        assert holder is not None
        os.kill(holder.pid, signal.SIGKILL)  # the one that `at_work` has started
    with StackLock(ours.lock_folder, ours.qualified_name) as lock:
        (note,) = lock.notes
    assert f"process {holder.pid}" in note
    left = store(cli).load()
    assert left is not None
    assert [one.kind for one in left.pending_operations] == ["creating"]
