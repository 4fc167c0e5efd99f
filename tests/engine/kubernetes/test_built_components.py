"""Components whose manifests another program makes: kustomize folders and charts."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine.providers.base import NotHere, ProviderError
from engine.providers.kubernetes.access import Access
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.values import UNKNOWN, Asset, Properties, Secret
from tests.engine.kubernetes.conftest import CHARTS, Helm
from tests.engine.kubernetes.constructed import CHART, DIRECTORY, Monitor, construct

KUSTOMIZATION = "resources: [a.yaml, ../beside.yaml]\nnamePrefix: my-\n"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
WEB: dict[str, Any] = {"chart": "web", "repositoryOpts": {"repo": CHARTS}}


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    folder = tmp_path / "overlay"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(KUSTOMIZATION)
    (folder / "a.yaml").write_text(SETTINGS)
    (tmp_path / "beside.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n")
    return tmp_path


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH")
def test_a_folder_is_built_by_kubectl(monitor: Monitor, overlay: Path) -> None:
    construct(monitor, {"directory": "overlay", "namespace": "mine"}, overlay, type=DIRECTORY)
    assert list(monitor.children) == ["g:team", "g:mine/my-settings"]
    with pytest.raises(ProviderError, match=r"^absent: kubectl: .*absent"):
        construct(monitor, {"directory": "absent"}, overlay, type=DIRECTORY)


def test_a_folder_is_built_by_kustomize(
    monitor: Monitor, overlay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "bin" / "kustomize"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\necho "$@" > called\ncat "$6/a.yaml"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    construct(monitor, {"directory": "overlay", "resourcePrefix": "p"}, overlay, type=DIRECTORY)
    assert list(monitor.children) == ["p:default/settings"]
    called = (overlay / "called").read_text().split()
    assert called == ["build", "--load-restrictor", "LoadRestrictionsNone", "--enable-helm", "--", "overlay"]


def test_a_build_that_hangs_is_ended_when_the_run_stops(
    monitor: Monitor, overlay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "bin" / "kustomize"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\ntouch begun\nsleep 60\n")  # whose child holds the pipe open
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    provider = KubernetesProvider()

    def stop() -> None:
        while not (overlay / "begun").exists():
            time.sleep(0.01)
        provider.cancel()

    threading.Thread(target=stop, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(ProviderError, match="kustomize was ended because the run stops"):
        construct(monitor, {"directory": "overlay"}, overlay, type=DIRECTORY, by=provider)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("type_", "inputs", "instead"),
    [
        (DIRECTORY, {"directory": "overlay"}, r"neither `kustomize` nor `kubectl` is on PATH.*yaml\.v2\.ConfigGroup"),
        (CHART, WEB, r"`helm` is not on PATH .*use a Release .*yaml\.v2\.ConfigGroup"),
    ],
)
@pytest.mark.usefixtures("no_helm")
def test_where_the_program_is_missing_the_way_out_is_told(
    monitor: Monitor, overlay: Path, type_: str, inputs: Properties, instead: str
) -> None:
    with pytest.raises(NotHere, match=instead):
        construct(monitor, inputs, overlay, type=type_)
    assert monitor.goals == []


def test_a_chart_is_rendered(monitor: Monitor, fake: Helm) -> None:
    files = [Asset(text="a: '1'\nb: '1'")]
    inputs = {**WEB, "version": "1.0.0", "values": {"b": "2"}, "valueYamlFiles": files, "namespace": "tools"}
    construct(monitor, inputs, type=CHART)
    assert list(monitor.children) == ["g:pools.example.org", "g:tools/g", "g:tools/g-kept"]
    made = monitor.children["g:tools/g"]
    assert made.inputs["data"] == {"a": "1", "b": "2"}
    assert made.inputs["metadata"]["labels"] == {"version": Access().schema_version, "in": "tools"}
    kept = {name: goal.retain_on_delete for name, goal in monitor.children.items()}
    assert kept == {"g:pools.example.org": None, "g:tools/g": None, "g:tools/g-kept": True}
    assert fake.commands == ["pull", "template"]


def test_a_chart_is_rendered_as_it_is_told(monitor: Monitor, fake: Helm, tmp_path: Path) -> None:
    (tmp_path / "charts" / "own").mkdir(parents=True)
    renderer = {"command": "/bin/post", "args": ["-a", "b"]}
    inputs = {
        "chart": "charts/own", "name": "other", "skipCrds": True, "dependencyUpdate": True, "postRenderer": renderer,
        "includeHooks": True,
    }  # fmt: skip
    construct(monitor, inputs, tmp_path, type=CHART)
    assert list(monitor.children) == ["g:default/other", "g:default/other-kept"]
    (call,) = fake.calls("template")
    assert call["arguments"][:3] == ["template", "other", str(tmp_path / "charts" / "own")]
    assert call["arguments"][-7:-3] == ["--dependency-update", "--post-renderer", "/bin/post", "--post-renderer-args"]
    assert call["arguments"][-3:] == ["-a", "--post-renderer-args", "b"]
    assert "--include-crds" not in call["arguments"]
    assert len(monitor.warnings) == 1


@pytest.mark.usefixtures("fake")
def test_what_is_made_of_a_secret_is_one(monitor: Monitor) -> None:
    construct(monitor, {**WEB, "values": {"a": Secret("hunter2")}}, type=CHART)
    assert monitor.children["g:default/g"].inputs["data"] == Secret({"a": "hunter2"})
    assert monitor.children["g:default/g-kept"].retain_on_delete


@pytest.mark.usefixtures("fake")
def test_a_chart_that_can_t_be_had_is_told(monitor: Monitor) -> None:
    with pytest.raises(ProviderError, match="check `chart`, `version`"):
        construct(monitor, {**WEB, "version": "9.0.0"}, type=CHART)
    with pytest.raises(NotHere, match=r"can't be had from here: .*no such host; use a Release"):
        construct(monitor, {**WEB, "repositoryOpts": {"repo": "https://elsewhere.example"}}, type=CHART)
    with pytest.raises(ProviderError, match="values: expected an object, got 'text'"):
        construct(monitor, {**WEB, "values": "text"}, type=CHART)


def test_what_is_not_known_yet_is_not_built() -> None:
    for type_, inputs in (
        (CHART, {**WEB, "values": {"a": UNKNOWN}}), (CHART, {**WEB, "namespace": UNKNOWN}),
        (DIRECTORY, {"directory": UNKNOWN}), (DIRECTORY, {"directory": "overlay", "namespace": UNKNOWN}),
    ):  # fmt: skip
        monitor = Monitor(preview=True)
        made = construct(monitor, inputs, type=type_)
        assert (made.whole, monitor.children, len(monitor.warnings)) == (False, {}, 1)
