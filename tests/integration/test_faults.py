"""Bad days of the emulator, of the state and of the lock, and what somebody at the command line learns of them."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.integration.commands import LIMIT, Workplace, project
from tests.integration.conftest import in_sandbox
from tests.integration.emulated import Emulated
from tests.integration.inventory import inventory

PROGRAM = """
import pulumi
import pulumi_aws as aws

key = aws.kms.Key("key", deletion_window_in_days=7)
bucket = aws.s3.Bucket("data", force_destroy=True)
aws.s3.BucketVersioning("data", bucket=bucket.id, versioning_configuration={"status": "Enabled"})
aws.sns.Topic("news", kms_master_key_id=key.arn)
pulumi.export("bucket", bucket.id)
pulumi.export("word", pulumi.Output.secret("correct-horse-battery"))
"""
ALL = {"bucket": 1, "key": 1, "topic": 1, "versioned bucket": 1}


@pytest.fixture
def work(tmp_path: Path, emulated: Emulated) -> Iterator[Workplace]:
    yield from in_sandbox(project(tmp_path / "demo", PROGRAM), emulated)


def converges(work: Workplace, emulated: Emulated) -> None:
    emulated.before = emulated.after = emulated.spoil = None
    work.run("up", "dev", "--yes").expect(0)
    assert inventory(emulated.client) == ALL
    work.run("up", "dev", "--yes", "--expect-no-changes").expect(0)


# The emulator


def test_without_a_sandbox_a_preview_works_and_an_up_says_what_to_do(tmp_path: Path) -> None:
    work = project(tmp_path, PROGRAM)
    work.run("preview", "dev").expect(0, "+ 5 create")
    work.run("up", "dev", "--yes").expect(1, "no sandbox is running", "bedplate sandbox up")
    assert work.state("dev") == []


def test_an_emulator_that_died_is_noticed_and_what_it_held_is_made_anew(tmp_path: Path) -> None:
    work = project(tmp_path, PROGRAM)
    pid = work.run("sandbox", "up", "--output", "json").expect(0).json()["pid"]
    work.run("up", "dev", "--yes").expect(0)
    kill_emulator(pid)
    for verb in ("up", "refresh", "destroy"):
        work.run(verb, "dev", "--yes").expect(1, f"process {pid} has ended", "bedplate sandbox up")
    work.run("preview", "dev").expect(0)
    work.run("sandbox", "up").expect(0)
    work.run("up", "dev", "--yes").expect(0, "started anew", "+ 4 created")
    work.run("destroy", "dev", "--yes").expect(0)
    work.run("sandbox", "down").expect(0)


def kill_emulator(pid: int) -> None:
    """Kill it and wait for its end; it is not the test's own child."""
    process = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        assert select.select([process], [], [], LIMIT)[0], "a killed process ends"
    finally:
        os.close(process)


@pytest.mark.slow
def test_an_emulator_that_is_gone_in_the_middle(work: Workplace, emulated: Emulated) -> None:
    def gone(number: int) -> None:
        if number > 2:
            raise ConnectionError

    emulated.before = gone
    failed = work.run("up", "dev", "--yes").expect(4, "error:", emulated.endpoint)
    assert "Traceback" not in failed.text
    converges(work, emulated)


def test_an_answer_of_500_now_and_then_is_asked_again(work: Workplace, emulated: Emulated) -> None:
    emulated.spoil = lambda number: ("500 Internal Server Error", "") if number % 3 == 1 else None
    work.run("up", "dev", "--yes").expect(0)
    assert inventory(emulated.client) == ALL


@pytest.mark.slow
def test_answers_of_500_alone_fail_the_resource_and_name_it(work: Workplace, emulated: Emulated) -> None:
    emulated.spoil = lambda number: ("500 Internal Server Error", "") if number > 1 else None
    failed = work.run("up", "dev", "--yes").expect(4, "data", "500", "failed")
    assert "Traceback" not in failed.text
    converges(work, emulated)


def test_throttling_is_waited_out(work: Workplace, emulated: Emulated) -> None:
    emulated.spoil = lambda number: ("503 Slow Down", "<Error><Code>SlowDown</Code></Error>") if number < 4 else None
    work.run("up", "dev", "--yes").expect(0)
    assert inventory(emulated.client) == ALL


def test_a_port_in_use(tmp_path: Path) -> None:
    work = project(tmp_path, PROGRAM)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        work.run("sandbox", "up", "--port", str(port)).expect(1, str(port), "in use")
    work.run("sandbox", "status").expect(1, "absent")


# The state


def truncated(good: bytes) -> bytes:
    return good[: len(good) // 2]


def no_json(good: bytes) -> bytes:
    return good.replace(b"{", b"hello", 1)


def empty(good: bytes) -> bytes:
    return good[:0]


def newer(good: bytes) -> bytes:
    assert good.startswith(b'{"version":3,')
    return good.replace(b"3", b"9", 1)


def tampered(good: bytes) -> bytes:
    """A resource that depends on nothing that is there."""
    changed = good.replace(b"aws:kms/key:Key::key", b"aws:kms/key:Key::other", 1)
    assert changed != good
    return changed


SPOILT: Final = (
    (truncated, "no valid JSON"),
    (no_json, "no valid JSON"),
    (empty, "no valid JSON"),
    (newer, "version 9"),
    (tampered, "is missing"),
)


@pytest.mark.slow
def test_a_state_that_cannot_be_used_is_refused_kept_and_explained(work: Workplace, emulated: Emulated) -> None:
    work.run("up", "dev", "--yes").expect(0)
    path = work.checkpoint("dev", "demo")
    good = path.read_bytes()
    for number, (spoil, said) in enumerate(SPOILT):
        path.write_bytes(spoil(good))
        bad = path.read_bytes()
        # What is read goes the same way for each; that each verb refuses it is seen with the first.
        for command in (["preview"], ["up", "--yes"], ["destroy", "--yes"], ["outputs"])[: 4 if number == 0 else 1]:
            verb, *flags = command
            ended = work.run(verb, "dev", *flags).expect(1, str(path), said)
            assert "Traceback" not in ended.text
            assert path.read_bytes() == bad
    assert inventory(emulated.client) == ALL
    path.write_bytes(good)
    work.run("up", "dev", "--yes", "--expect-no-changes").expect(0)


def test_a_wrong_passphrase(work: Workplace) -> None:
    work.run("up", "dev", "--yes", PULUMI_CONFIG_PASSPHRASE="right").expect(0)
    path = work.checkpoint("dev", "demo")
    before = path.read_bytes()
    for command in (["outputs"], ["up", "--yes"], ["destroy", "--yes"]):
        verb, *flags = command
        work.run(verb, "dev", *flags, PULUMI_CONFIG_PASSPHRASE="wrong").expect(3, "passphrase")
    assert path.read_bytes() == before
    shown = work.run("outputs", "dev", "--show-secrets", PULUMI_CONFIG_PASSPHRASE="right")
    shown.expect(0, "correct-horse-battery")


# Two runs


def test_the_second_of_two_runs_is_told_who_is_first_and_the_dead_are_not_waited_for(
    work: Workplace, emulated: Emulated
) -> None:
    held, released = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        held.set()
        assert released.wait(LIMIT)

    emulated.before = hold
    first = work.start("up", "dev", "--yes")
    try:
        assert held.wait(LIMIT)
        second = work.run("up", "dev", "--yes")
        second.expect(1, str(first.pid), socket.gethostname())
        work.run("outputs", "dev").expect(0)
        first.kill()
        first.communicate()
    finally:
        released.set()
    emulated.before = None
    work.run("up", "dev", "--yes").expect(0, "interrupted")
    assert inventory(emulated.client) == ALL
    work.run("up", "dev", "--yes", "--expect-no-changes").expect(0)
