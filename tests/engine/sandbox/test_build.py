"""Building the native control plane, with a Go that is ours: quick, strict, and broken where a test wants it to be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cli.views.building import Building, described
from engine.sandbox import SandboxBusy
from engine.sandbox.native import NotBuilt, binaries, build, find, required
from engine.sandbox.native.building import Progress
from engine.sandbox.native.go import GoFailed

FAKE = Path(__file__).with_name("fake_go.py")
Set = Callable[..., None]


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Set:
    """Put the fake first on PATH; call the result to say how it behaves."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "go"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def behave(**said: Any) -> None:
        monkeypatch.setenv("FAKE_GO", json.dumps({"calls": str(tmp_path / "calls")} | said))

    behave()
    return behave


def calls(tmp_path: Path, verb: str) -> list[str]:
    path = tmp_path / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if line.split()[1] == verb]


def test_a_build_is_whole_and_found(tmp_path: Path, go: Set) -> None:
    cache = tmp_path / "cache"
    seen: list[Progress] = []
    built = build(cache, report=seen.append)
    assert built.fresh
    assert find(cache) == required(cache) == built.binaries
    assert {path.name for path in built.binaries.directory.iterdir()} == {*binaries.PROGRAMS, "manifest.json"}
    assert built.binaries.version == binaries.pinned(binaries.TOOLS, "k8s.io/kubernetes")
    flags = built.binaries.path("kube-apiserver").read_text()
    assert f"gitVersion=v{built.binaries.version} " in flags, "clients can't parse a version that was not set"
    assert "gitVersion" not in built.binaries.path("etcd").read_text()
    assert [(one.tool_set, one.what, one.done, one.total) for one in seen if one.tool_set == "etcd"][-1] == (
        "etcd", "packages", 3, 3,
    )  # fmt: skip


def test_nothing_is_built_twice(tmp_path: Path, go: Set) -> None:
    cache = tmp_path / "cache"
    first = build(cache)
    before = len(calls(tmp_path, "build"))
    second = build(cache)
    assert not second.fresh
    assert second.binaries == first.binaries
    assert len(calls(tmp_path, "build")) == before == len(binaries.TOOL_SETS)


def test_another_go_or_other_pins_are_another_build(tmp_path: Path, go: Set) -> None:
    cache, tools = tmp_path / "cache", tmp_path / "tools"
    shutil.copytree(binaries.TOOLS, tools)
    first = build(cache, tools)
    go(version="go1.27.0")
    second = build(cache, tools)
    assert second.fresh
    assert second.binaries.directory != first.binaries.directory
    assert find(cache, tools) == second.binaries, "the newest is taken"
    with (tools / binaries.MODULE / "go.sum").open("a") as pins:
        pins.write("example.org/more v1.0.0/go.mod h1:x\n")
    assert find(cache, tools) is None
    with pytest.raises(NotBuilt, match=r"built from other versions than tools/ pins now.*`bedplate sandbox build`"):
        required(cache, tools)
    build(cache, tools)
    assert len(list(cache.glob("*/manifest.json"))) == 2, "the oldest went"


def test_a_build_that_lost_a_file_is_made_anew(tmp_path: Path, go: Set) -> None:
    cache = tmp_path / "cache"
    built = build(cache)
    built.binaries.path("kwok").unlink()
    assert build(cache).fresh
    assert built.binaries.path("kwok").is_file()


def test_two_builds_at_once_are_one(tmp_path: Path, go: Set) -> None:
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(3) as pool:
        fresh = [one.fresh for one in pool.map(build, [cache] * 3)]
    assert sorted(fresh) == [False, False, True]
    assert len(calls(tmp_path, "build")) == len(binaries.TOOL_SETS)


def test_a_build_that_goes_on_too_long_elsewhere_is_named(
    tmp_path: Path, go: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.sandbox.native import building

    monkeypatch.setattr(building, "WAIT", 0.1)
    cache = tmp_path / "cache"
    cache.mkdir()
    with building.locked(cache), pytest.raises(SandboxBusy, match="another command has been building"):
        build(cache)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_is_interrupted_leaves_nothing_that_looks_built(tmp_path: Path, go: Set, number: int) -> None:
    cache = tmp_path / "cache"
    go(waits="build")
    program = "import sys; from pathlib import Path; from engine.sandbox.native import build; build(Path(sys.argv[1]))"
    running = subprocess.Popen([sys.executable, "-c", program, str(cache)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not calls(tmp_path, "build") and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(number)
    assert running.wait(20) != 0
    left = {path.name for path in cache.iterdir()}
    assert find(cache) is None
    if number == signal.SIGINT:
        assert left == {".lock"}
    go()
    assert build(cache).fresh
    assert not list(cache.glob(".building-*")), "the next build removes what a killed one left"


def test_without_go_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GoFailed, match=r"no `go` on PATH; install it .* --kubernetes embedded"):
        build(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("said", [{"version": "go1.19.3"}, {"version": "go1.22.0", "toolchain": "local"}])
def test_a_go_that_is_too_old_is_named(tmp_path: Path, go: Set, said: dict[str, str]) -> None:
    go(**said)
    with pytest.raises(GoFailed, match=rf"is {said['version']}, and .*go\.mod needs go1\.\d+(\.\d+)? or newer"):
        build(tmp_path / "cache")


def test_an_older_go_that_gets_the_newer_one_is_enough(tmp_path: Path, go: Set) -> None:
    go(version="go1.22.0")
    assert build(tmp_path / "cache").fresh


@pytest.mark.parametrize(
    ("verb", "message", "said"),
    [
        ("list", 'go: k8s.io/api@v0.35.4: Get "https://proxy.golang.org/x": dial tcp: lookup x: no such host',
         r"can't reach its module proxy \(GOPROXY=.*\).*no such host"),
        ("list", "go: k8s.io/api@v0.35.4: reading https://proxy.example/x: 503 Service Unavailable",
         r"can't reach its module proxy"),
        ("build", "mkdir /root/.cache/go-build/00: no space left on device", r"the disk is full.*go env GOCACHE"),
        ("build", "# k8s.io/api\napi.go:1:1: syntax error", r"Go failed; `go build` said:.*syntax error"),
    ],
)  # fmt: skip
def test_what_go_fails_at_is_said(tmp_path: Path, go: Set, verb: str, message: str, said: str) -> None:
    go(fails={verb: message})
    with pytest.raises(GoFailed, match=f"(?s){said}"):
        build(tmp_path / "cache")
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {".lock"}


def test_without_tools_it_says_where_they_are(tmp_path: Path, go: Set) -> None:
    with pytest.raises(NotBuilt, match=r"go\.mod: No such file.*built from a checkout of Bedplate"):
        build(tmp_path / "cache", tmp_path / "tools")


def test_what_is_not_built_is_refused_with_the_command_that_builds_it(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt, match=r"has not been built .*`bedplate sandbox build`"):
        required(tmp_path)


class _Written:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str, /) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def test_a_log_gets_a_line_when_something_begins_and_now_and_then() -> None:
    written, now = _Written(), [0.0]
    shown = Building(written, lambda: 80, color=False, live=False, clock=lambda: now[0])
    for second in range(42):
        now[0] = float(second)
        shown(Progress("etcd", "packages", second, 100, "example.org/one"))
    assert written.text.splitlines() == [
        "building etcd  0 of 100 packages  0.0 s  example.org/one",
        "building etcd  20 of 100 packages  20 s  example.org/one",
        "building etcd  40 of 100 packages  40 s  example.org/one",
    ]


def test_on_a_terminal_one_line_is_redrawn_and_taken_away() -> None:
    written = _Written()
    with Building(written, lambda: 40, color=False, live=True) as shown:
        shown(Progress("kubernetes", "modules", 3, 100, "example.org/a-name-that-is-longer-than-the-terminal"))
    first = written.text.split("\x1b[K")[0]
    assert first.startswith("\rgetting kubernetes  3 of 100 modules")
    assert len(first) <= 40
    assert written.text.endswith("\r\x1b[K")


def test_when_all_is_compiled_it_links() -> None:
    assert (
        described(Progress("etcd", "packages", 9, 9, "x"), 61).render(color=False)
        == "building etcd  linking  1 min 1 s"
    )
