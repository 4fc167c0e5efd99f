"""The servers that other tests rest on: they start, answer, say why they don't, and end with whoever started them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.sandbox.process import start_time
from tests.conftest import REPOSITORY
from tests.integration.monitoring.servers import alertmanager, prometheus, run_tool, until

_ALERTMANAGER = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_prometheus_and_alertmanager_run_and_end(tmp_path: Path) -> None:
    config = _write(tmp_path / "prometheus.yml", "global: {scrape_interval: 1s}\n")
    with (
        prometheus(config, tmp_path / "p") as server,
        alertmanager(_write(tmp_path / "alertmanager.yml", _ALERTMANAGER), tmp_path / "a") as other,
    ):
        assert server.value("vector(7)") == 7
        assert server.query("absent_over_time(nothing[1m])", time=0)
        assert other.get("/api/v2/status")["config"]["original"]
        server.post("/-/reload")
        assert "Completed loading of configuration file" in server.written()
        pids = server.pid, other.pid
    assert [start_time(pid) for pid in pids] == [None, None]


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    config = _write(tmp_path / "prometheus.yml", "scrape_configs: [{job_name: a}, {job_name: a}]\n")
    with pytest.raises(AssertionError, match="multiple scrape configs with job name"), prometheus(config, tmp_path):
        pass


def test_a_tool_runs(tmp_path: Path) -> None:
    config = _write(tmp_path / "prometheus.yml", "nonsense: 1\n")
    assert run_tool("promtool", "check", "config", config).returncode == 1
    assert run_tool("amtool", "check-config", _write(tmp_path / "alertmanager.yml", _ALERTMANAGER)).returncode == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_server_ends_with_the_process_that_started_it(how: signal.Signals, tmp_path: Path) -> None:
    config = _write(tmp_path / "prometheus.yml", "global: {scrape_interval: 1s}\n")
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tests.integration.monitoring.servers import prometheus\n"
        f"with prometheus(Path({str(config)!r}), Path({str(tmp_path)!r})) as server:\n"
        "    print(server.pid, flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as it:
        assert it.stdout is not None
        said = it.stdout.readline()
        if not said:
            pytest.skip("there is no prometheus: `python3 tools/debian.py`")
        it.send_signal(how)
        it.wait(timeout=20)
        until("the server has ended", lambda: start_time(int(said)) is None)
