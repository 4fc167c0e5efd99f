"""Workloads in files: what is read, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.simulation.files import BadManifests, read

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: llm, namespace: team-a}
spec: {template: {spec: {containers: [{name: main}]}}}
"""


def _file(folder: Path, text: str, name: str = "workload.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_documents_and_lists_are_read_with_their_places(tmp_path: Path) -> None:
    listed = "---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: team-a}}\n"
    path = _file(tmp_path, f"---\n# nothing here\n---\n{JOB}{listed}---\n")
    found = read([path])
    assert [(one.kind, one.name, one.place, one.added) for one in found.given] == [
        ("Job", "llm", f"{path}:4 (document 2)", True), ("Namespace", "team-a", f"{path}:9 (document 3)", True),
    ]  # fmt: skip
    assert found.given[0].namespace == "team-a"


def test_what_does_not_bear_on_scheduling_is_left_out_and_said_where_it_would_run_pods(tmp_path: Path) -> None:
    ray = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: ray}\nspec: {template: {spec: {containers: []}}}\n"
    batch = "apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nmetadata: {name: other}\nspec: {}\n"
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    found = read([_file(tmp_path, f"{ray}---\n{service}---\n{batch}")])
    assert found.given == []
    assert found.notes == ["RayCluster ray is not simulated: its controller does not run here"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [b\n", ":2: not YAML: expected ',' or ']', but got '<stream end>'"),
        (f"{JOB}---\na: b: c\n", ":6: not YAML: mapping values are not allowed here"),
        ("", ": it holds no object; expected Kubernetes manifests"),
        ("- a\n", ":1 (document 1): expected an object, got a list"),
        ("just text\n", ":1 (document 1): expected an object, got a text"),
        ("\n\nmetadata: {name: x}\n", ":3 (document 1): the object has no kind"),
        (f"{JOB}---\nkind: Job\nmetadata: {{name: x}}\n", ":6 (document 2): the object has no apiVersion"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", "(document 1): the Pod has no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: web\n", "(document 1): the Pod has no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 5}\n", "(document 1): the Pod has no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {}\n", "(document 1): Pod web says no namespace"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: a}\n", "(document 1): Pod web has no spec"),
        ("apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: x, namespace: a}\nspec: {}\n",
         "CronJob x has apiVersion batch/v1beta1; expected batch/v1"),
        ("apiVersion: apps/v1\nkind: Deploymnt\nmetadata: {name: web, namespace: a}\n",
         ":1 (document 1): there is no Deploymnt in apps/v1; did you mean Deployment?"),
        (f"{JOB}---\n{JOB}", ":6 (document 2): Job llm was given before, at "),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(BadManifests) as caught:
        read([path])
    assert len(caught.value.found) == 1
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_is_no_text(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadManifests) as caught:
        read([tmp_path / "nosuch.yaml", binary, tmp_path])
    assert caught.value.found == (
        f"{tmp_path / 'nosuch.yaml'}: No such file or directory", f"{binary}: not YAML: it is no text in UTF-8",
        f"{tmp_path}: Is a directory",
    )  # fmt: skip
    assert str(caught.value).startswith("3 problems in what -f names\n")


def test_a_control_character_is_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(BadManifests, match="not YAML"):
        read([_file(tmp_path, "a: \x07\n")])


def test_a_generated_name_gets_a_name_to_speak_of(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {generateName: run-, namespace: a}\nspec: {containers: []}\n"
    assert read([_file(tmp_path, text)]).given[0].name == "run"


@pytest.mark.parametrize("text", ["a: 2026-99-99\n", "[" * 5000 + "]" * 5000, "? [a]\n: b\n"])
def test_yaml_that_breaks_the_reader_is_refused_like_any_other(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadManifests, match=f"{tmp_path}.*: not YAML: "):
        read([_file(tmp_path, text)])
