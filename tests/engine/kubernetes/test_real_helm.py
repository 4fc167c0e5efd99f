"""What the fake of ``helm`` stands for: the real one takes the same options and says the same when nothing answers."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.providers.base import ProviderError
from engine.providers.kubernetes.helm.executable import Helm, find_helm
from engine.providers.kubernetes.helm.reach import OutOfReach, fetch
from engine.providers.kubernetes.helm.release import Release, release_of
from engine.providers.kubernetes.helm.workspace import workspace
from engine.values import Secret
from tests.engine.kubernetes.constructed import CHART, DEFINITION, Monitor, construct
from tests.engine.kubernetes.fake_helm import OPTIONS

pytestmark = pytest.mark.skipif(shutil.which("helm") is None, reason="needs `helm` on PATH")

SUBCOMMANDS = {"get": "manifest", "repo": "add", "registry": "login"}


@pytest.fixture
def helm() -> Helm:
    found = find_helm()
    assert found is not None
    return found


@pytest.fixture
def repository(helm: Helm, tmp_path: Path) -> Iterator[str]:
    """A repository with the chart web 1.2.3, for the user me with the password hunter2."""
    chart, files = tmp_path / "web", tmp_path / "files"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: '9'\n")
    (chart / "templates" / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    subprocess.run([helm.path, "package", chart, "--destination", files], check=True, capture_output=True)
    subprocess.run([helm.path, "repo", "index", files], check=True, capture_output=True)
    expected = "Basic " + base64.b64encode(b"me:hunter2").decode()

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(files))

        def do_GET(self) -> None:
            if self.headers.get("Authorization") == expected:
                super().do_GET()
            else:
                self.send_error(401)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is to be read of it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("command", OPTIONS)
def test_every_option_of_the_fake_is_one_of_helm(helm: Helm, command: str) -> None:
    line = [helm.path, command, *([SUBCOMMANDS[command]] if command in SUBCOMMANDS else []), "--help"]
    told = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    known = set(re.findall(r"--[a-z-]+", told))
    hidden = {"get": {"--output"}, "upgrade": {"--recreate-pods"}}  # that of `get values`, and a deprecated one
    assert OPTIONS[command] - hidden.get(command, set()) <= known


def test_a_chart_is_downloaded_with_credentials(helm: Helm, repository: str) -> None:
    with workspace("{}") as work:
        options = {"repo": repository, "username": "me", "password": "hunter2"}
        assert Path(fetch(helm, _release("web", options, version="1.2.3"), work)).name == "web-1.2.3.tgz"
    assert not work.folder.exists()


def test_wrong_credentials_are_out_of_reach(helm: Helm, repository: str) -> None:
    with workspace("{}") as work, pytest.raises(OutOfReach, match=r"can't be reached: .*401"):
        fetch(helm, _release("web", {"repo": repository, "username": "me", "password": "wrong"}), work)


@pytest.mark.parametrize("chart", ["web", "oci://127.0.0.1:1/charts/web"])
def test_where_nothing_listens_is_out_of_reach(helm: Helm, chart: str) -> None:
    options = {} if chart.startswith("oci:") else {"repo": "http://127.0.0.1:1"}
    with workspace("{}") as work, pytest.raises(OutOfReach, match=r"can't be reached: connection refused$"):
        fetch(helm, _release(chart, options, version="1.2.3"), work)


def test_a_chart_that_a_repository_does_not_have_is_an_error(helm: Helm, repository: str) -> None:
    options = {"repo": repository, "username": "me", "password": "hunter2"}
    with workspace("{}") as work, pytest.raises(ProviderError, match="check `chart`, `version`") as failure:
        fetch(helm, _release("nope", options), work)
    assert not isinstance(failure.value, OutOfReach)


def _release(chart: str, repository: dict[str, str], **inputs: Any) -> Release:
    return release_of({"name": "it", "namespace": "default", "chart": chart, "repositoryOpts": repository, **inputs}, 0)


def test_a_chart_becomes_resources(monitor: Monitor, repository: str) -> None:
    options = {"repo": repository, "username": "me", "password": Secret("hunter2")}
    construct(monitor, {"chart": "web", "repositoryOpts": options}, type=CHART)
    assert list(monitor.children) == ["g:default/a"]
    assert monitor.children["g:default/a"].inputs["kind"] == "ConfigMap"


@pytest.mark.usefixtures("helm")
def test_a_chart_of_a_folder_has_its_values_and_definitions(monitor: Monitor, tmp_path: Path) -> None:
    chart = tmp_path / "charts" / "own"
    (chart / "templates").mkdir(parents=True)
    (chart / "crds").mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: own\nversion: 1.2.3\nkubeVersion: '>=1.30.0-0'\n")
    (chart / "values.yaml").write_text("a: '1'\nb: '1'\n")
    (chart / "crds" / "pools.yaml").write_text(DEFINITION)
    (chart / "templates" / "NOTES.txt").write_text("not: an object")
    (chart / "templates" / "a.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\n"
        "data: {a: {{ .Values.a | quote }}, b: {{ .Values.b | quote }}}\n"
        "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: hook, annotations: {helm.sh/hook: pre-install}}\n"
    )
    inputs = {"chart": "charts/own", "values": {"b": "2"}, "namespace": "team", "dependencyUpdate": True}
    construct(monitor, inputs, tmp_path, type=CHART)
    assert list(monitor.children) == ["g:pools.example.org", "g:team/g"]
    assert monitor.children["g:team/g"].inputs["data"] == {"a": "1", "b": "2"}
    without = Monitor()
    construct(without, {**inputs, "skipCrds": True, "name": "other"}, tmp_path, type=CHART)
    assert list(without.children) == ["g:team/other"]
