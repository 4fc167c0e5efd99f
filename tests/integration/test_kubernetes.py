"""A program's Kubernetes objects through the command line: up, changed and down, over faults and `kill -9`.

The cluster runs in the test's own process, so that each seed is one exact moment.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import sandbox
from tests.engine.kubernetes.cluster import Cluster, Server, running
from tests.engine.kubernetes.conftest import kubeconfig
from tests.integration.commands import Workplace
from tests.integration.emulated import Emulated

PROGRAM = Path(__file__).parent / "programs" / "objects"
KEPT = {("namespaces", "", "default"), ("namespaces", "", "kube-system")}
FIRST = {
    ("configmaps", "default", "fixed"): "1", ("configmaps", "team", "settings"): "1",
    ("deployments", "team", "web"): "2", ("pools", "", "pool"): "1",
    ("secrets", "default", "password"): "", ("serviceaccounts", "default", "bare"): "",
    ("namespaces", "", "team"): "", ("customresourcedefinitions", "", "pools.example.org"): "",
}  # fmt: skip
SECOND = {
    **{key: value for key, value in FIRST.items() if key[0] != "serviceaccounts"},
    ("configmaps", "default", "fixed"): "2", ("configmaps", "team", "settings"): "2",
    ("deployments", "team", "web"): "3", ("pools", "", "pool"): "2",
}  # fmt: skip


@dataclass
class Stack:
    """A copy of the program, the command line on it, and the cluster that it is for."""

    work: Workplace
    cluster: Cluster
    server: Server

    def set_round(self, number: int) -> None:
        values = {"objects:round": str(number), "objects:kubeconfig": kubeconfig(self.cluster.url)}
        (self.work.folder / "Pulumi.dev.yaml").write_text(json.dumps({"config": values}))

    def objects(self) -> dict[tuple[str, str, str], str]:
        """What is in the cluster, with what the round has made different; automatic names without their digits."""
        found: dict[tuple[str, str, str], str] = {}
        for (plural, namespace, name), stored in self.cluster.objects.items():
            if (plural, namespace, name) in KEPT:
                continue
            live = stored.live
            value = (
                live.get("data", {}).get("round")
                or live.get("spec", {}).get("replicas")
                or live.get("spec", {}).get("size")
            )
            name = name.rsplit("-", 1)[0]
            assert (plural, namespace, name) not in found, f"{plural} {name} is there twice"
            found[plural, namespace, name] = str(value or "")
        return found

    def killed_at(self, change: int, before: bool, *arguments: str) -> bool:
        """Run, and kill the engine at its change number ``change``; whether it came that far."""
        process: list[subprocess.Popen[str]] = []
        count, lock, killed = [0], threading.Lock(), [False]

        def reached(method: str) -> bool:
            with lock:
                count[0] += method != "GET"
                if method == "GET" or count[0] != change:
                    return False
            process[0].send_signal(signal.SIGKILL)
            killed[0] = True
            return True

        def after(method: str, _path: str) -> None:
            reached(method)

        if before:
            self.cluster.fault = lambda method, _path: "drop" if reached(method) else None
        else:
            self.cluster.done = after
        process.append(self.work.start(*arguments))
        process[0].communicate(timeout=120)
        self.cluster.fault = lambda _method, _path: None
        self.cluster.done = lambda _method, _path: None
        return killed[0]


@pytest.fixture
def stack(tmp_path: Path, emulated: Emulated) -> Iterator[Stack]:
    folder = tmp_path / "objects"
    shutil.copytree(PROGRAM, folder, ignore=shutil.ignore_patterns(".bedplate", "__pycache__"))
    sandbox.up(folder, endpoint=emulated.endpoint)
    cluster = Cluster()
    cluster.define("example.org/v1", "Pool", "pools", namespaced=False)
    with running(cluster) as server:
        made = Stack(Workplace(folder), cluster, server)
        made.set_round(1)
        yield made
    assert server.errors == []
    sandbox.down(folder)


def test_objects_are_made_changed_and_taken_down(stack: Stack) -> None:
    stack.work.run("preview", "dev").expect(0, "+ 10 create")
    assert stack.objects() == {}
    stack.work.run("up", "dev", "--yes").expect(0)
    assert stack.objects() == FIRST
    stack.work.run("preview", "dev", "--expect-no-changes").expect(0)
    stack.work.run("refresh", "dev", "--yes").expect(0, "10 unchanged")
    stack.set_round(2)
    stack.work.run("up", "dev", "--yes").expect(0, "~ 2 updated", "+- 2 replaced", "- 1 deleted")
    assert stack.objects() == SECOND
    assert b"correct-horse" not in stack.work.kept()
    assert b"Y29ycmVjdC1ob3JzZ" not in stack.work.kept()  # the same in base64
    stack.work.run("destroy", "dev", "--yes").expect(0)
    assert stack.objects() == {}


def test_an_unknown_field_is_found_in_the_preview_and_nothing_is_done(stack: Stack) -> None:
    program = stack.work.folder / "__main__.py"
    program.write_text(program.read_text().replace('"replicas": 3 if second else 2', '"replicsa": 2'))
    ended = stack.work.run("preview", "dev").expect(4, "spec.replicsa", "replicas")
    assert ended.text.count("spec.replicsa") <= 2  # where it happened, and in the summary
    assert stack.cluster.requests == []


def test_a_preview_needs_no_cluster(stack: Stack) -> None:
    stack.server.kill()
    stack.work.run("preview", "dev").expect(0, "+ 10 create")
    values = {"config": {"objects:kubeconfig": "/nowhere/kubeconfig"}}
    (stack.work.folder / "Pulumi.dev.yaml").write_text(json.dumps(values))
    stack.work.run("preview", "dev").expect(0, "+ 10 create")


def test_a_kubeconfig_that_is_none_is_found_by_the_preview(stack: Stack) -> None:
    (stack.work.folder / "other.yaml").write_text("a: 1")
    values = {"config": {"objects:kubeconfig": "other.yaml"}}
    (stack.work.folder / "Pulumi.dev.yaml").write_text(json.dumps(values))
    stack.work.run("up", "dev", "--yes").expect(4, "other.yaml is no kube")
    assert stack.cluster.requests == []


@pytest.mark.slow
def test_a_server_that_dies_during_up_is_said_and_the_next_run_repairs(stack: Stack) -> None:
    seen: list[str] = []

    def dying(method: str, path: str) -> str | None:
        seen.append(method)
        return "drop" if seen.count("PATCH") > 4 else None  # from then on nothing is answered

    stack.cluster.fault = dying
    ended = stack.work.run("up", "dev", "--yes").expect(4)
    assert "did not answer" in ended.text or "nothing answers" in ended.text
    stack.cluster.fault = lambda _method, _path: None
    stack.work.run("up", "dev", "--yes").expect(0)
    assert stack.objects() == FIRST
    stack.work.run("preview", "dev", "--expect-no-changes").expect(0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_nothing_is_forgotten_or_made_twice(stack: Stack, seed: int) -> None:
    chance = random.Random(seed)
    stack.killed_at(chance.randint(1, 8), chance.random() < 0.5, "up", "dev", "--yes")
    stack.work.run("up", "dev", "--yes").expect(0)
    assert stack.objects() == FIRST
    stack.set_round(2)
    stack.killed_at(chance.randint(1, 6), chance.random() < 0.5, "up", "dev", "--yes")
    stack.work.run("up", "dev", "--yes").expect(0)
    assert stack.objects() == SECOND
    stack.killed_at(chance.randint(1, 7), chance.random() < 0.5, "destroy", "dev", "--yes")
    stack.work.run("destroy", "dev", "--yes").expect(0)
    assert stack.objects() == {}
