"""Resources that no run declares: from states, from previews that were written down, from manifests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import wire
from engine.analyzer.sources import BadSource, ReadingCodec, in_manifests, in_plan_file, in_state_file, of_states
from engine.state.format import checkpoint, export
from engine.state.model import ResourceState, Snapshot
from engine.state.secrets import Keyring, SecretCodec
from engine.values import UNKNOWN, Secret

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
BUCKET = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::data"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::main"

STATES = [
    ResourceState(STACK, "pulumi:pulumi:Stack", custom=False),
    ResourceState(PROVIDER, "pulumi:providers:aws", custom=True, id="p", inputs={"region": "eu-west-1"}),
    ResourceState(
        BUCKET, "aws:s3/bucket:Bucket", custom=True, id="data-1", parent=STACK, provider=f"{PROVIDER}::p",
        inputs={"bucket": "data", "token": Secret("hush")}, outputs={"bucket": "data", "arn": "arn:data"},
        source_position="/work/program.py:7",
    ),
    ResourceState(BUCKET, "aws:s3/bucket:Bucket", custom=True, id="data-0", delete=True),
]  # fmt: skip


def codec() -> SecretCodec:
    return SecretCodec(Keyring("dev", "passphrase"))


def written(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def planned(op: str, new: dict[str, Any] | None) -> dict[str, Any]:
    return {"sequence": 1, "timestamp": 0, "resourcePreEvent": {"metadata": {"op": op, "new": new}}}


def test_a_state_gives_what_is_not_about_to_be_deleted() -> None:
    subjects = of_states(STATES)
    assert [subject.resource.name for subject in subjects] == ["shop-dev", "main", "data"]
    bucket = subjects[-1]
    assert bucket.outputs == {"bucket": "data", "arn": "arn:data"}
    assert bucket.resource.provider is not None
    assert bucket.resource.provider.properties == {"region": "eu-west-1"}
    assert (bucket.resource.parent, bucket.position) == (STACK, "/work/program.py:7")


@pytest.mark.parametrize("form", ["export", "checkpoint"])
def test_a_states_file_is_read_in_both_of_pulumis_forms(tmp_path: Path, form: str) -> None:
    snapshot = Snapshot(resources=tuple(STATES[:3]))
    text = export(snapshot, codec()) if form == "export" else checkpoint("organization/shop/dev", snapshot, codec())
    path = tmp_path / "state.json"
    path.write_text(text)
    subjects = in_state_file(path, codec())
    assert subjects[-1].resource.properties == {"bucket": "data", "token": Secret("hush")}


def test_a_secret_that_only_a_service_opens_is_not_known(tmp_path: Path) -> None:
    """What `pulumi stack export` writes of a stack in Pulumi Cloud: all else of it can be judged."""
    sealed = {wire.SIGNATURE: wire.SECRET, "ciphertext": "AAABAJ"}
    key = {"urn": BUCKET, "custom": True, "id": "b", "type": "aws:s3/bucket:Bucket"}
    deployment = {
        "manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
        "secrets_providers": {"type": "service", "state": {"url": "https://api.pulumi.com"}},
        "resources": [key | {"inputs": {"bucket": "data", "token": sealed}}],
    }
    (tmp_path / "state.json").write_text(json.dumps({"version": 3, "deployment": deployment}))
    (subject,) = in_state_file(tmp_path / "state.json", ReadingCodec(Keyring("state")))
    assert subject.resource.properties == {"bucket": "data", "token": Secret(UNKNOWN)}


def test_a_states_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"gone\.json: No such file"):
        in_state_file(tmp_path / "gone.json", codec())


@pytest.mark.parametrize("text", ["{}", "[1]", "not json", '{"version": 3, "deployment": {"resources": 3}}'])
def test_a_state_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(BadSource, match=r"state\.json: .*expected what `pulumi stack export` wrote"):
        in_state_file(tmp_path / "state.json", codec())


def test_an_event_log_gives_what_will_be(tmp_path: Path) -> None:
    bucket = {
        "urn": BUCKET, "type": "aws:s3/bucket:Bucket", "parent": STACK,
        "provider": f"{PROVIDER}::{wire.UNKNOWN_STRING}",
        "inputs": {"bucket": wire.UNKNOWN_STRING, "token": "[secret]", "tags": {"a": ["b", wire.UNKNOWN_STRING]}},
        "propertyDependencies": {"bucket": [PROVIDER]},
    }  # fmt: skip
    path = written(
        tmp_path / "events.ndjson",
        {"sequence": 0, "preludeEvent": {"config": {}}},
        planned("create", {"urn": PROVIDER, "type": "pulumi:providers:aws", "inputs": {"region": "eu-west-1"}}),
        planned("update", bucket),
        planned("delete", {"urn": f"{BUCKET}-old", "type": "aws:s3/bucket:Bucket", "inputs": {}}),
    )
    subjects = in_plan_file(path)
    assert [subject.resource.name for subject in subjects] == ["main", "data"]
    found = subjects[1].resource
    assert found.properties == {"bucket": UNKNOWN, "token": Secret(UNKNOWN), "tags": {"a": ["b", UNKNOWN]}}
    assert found.property_dependencies == {"bucket": [PROVIDER]}
    assert found.provider is not None and found.provider.properties == {"region": "eu-west-1"}


def test_the_digest_of_pulumis_own_preview_gives_the_same(tmp_path: Path) -> None:
    secret = {wire.SIGNATURE: wire.SECRET, "value": "hush"}
    new = {"urn": BUCKET, "type": "aws:s3/bucket:Bucket", "inputs": {"token": secret, "arn": "output<string>"}}
    path = tmp_path / "preview.json"
    path.write_text(json.dumps({"steps": [{"op": "create", "urn": BUCKET, "newState": new}]}, indent=2))
    (subject,) = in_plan_file(path)
    assert subject.resource.properties == {"token": Secret("hush"), "arn": UNKNOWN}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no resource in it"),
        ('{"sequence": 1}\n', "there is no resource in it"),
        ('{"sequence": 1}\nnot json\n', "plan:2: expected an event of a preview"),
    ],
)
def test_a_plan_that_is_none_says_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "plan").write_text(text)
    with pytest.raises(BadSource) as caught:
        in_plan_file(tmp_path / "plan")
    assert said in str(caught.value)


def test_manifests_are_what_pulumi_kubernetes_would_make_of_them(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: team}\nspec: {containers: []}\n---\n"
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: apps/v1, kind: Deployment, metadata: {generateName: b-}}\n"
        "- {apiVersion: kubeflow.org/v1, kind: TrainJob, metadata: {name: c}}\n"
    )
    subjects = in_manifests([path])
    assert [(subject.resource.type, subject.resource.name) for subject in subjects] == [
        ("kubernetes:core/v1:Pod", "team/a"),
        ("kubernetes:apps/v1:Deployment", "b"),
        ("kubernetes:kubeflow.org/v1:TrainJob", "c"),
    ]
    assert [subject.position for subject in subjects] == [f"{path}:1", f"{path}:6", f"{path}:6"]


def test_objects_of_one_name_are_told_apart(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    for name in ("base", "overlay"):
        (tmp_path / f"{name}.yaml").write_text(pod)
    subjects = in_manifests([tmp_path])
    assert len({subject.resource.urn for subject in subjects}) == len(subjects) == 2
    assert {subject.resource.name for subject in subjects} == {"a"}


def test_what_is_only_for_kustomize_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [pod.yaml]\n"
    )
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    assert [subject.resource.name for subject in in_manifests([tmp_path])] == ["a"]


def test_a_folder_without_manifests_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="it holds no object; expected Kubernetes manifests"):
        in_manifests([tmp_path])


def test_all_that_is_wrong_with_manifests_is_said_at_once(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("kind: Pod\n---\n- a list\n---\napiVersion: v1\nkind: Pod\n")
    second.write_text("a: [")
    with pytest.raises(BadSource) as caught:
        in_manifests([first, second, tmp_path / "none.yaml"])
    said = str(caught.value)
    assert said.startswith("5 problems in what -f names")
    for part in ("first.yaml:1 (document 1): the object has no apiVersion", "expected an object, got list",
                 "the Pod has no metadata.name", "second.yaml:1: not YAML", "none.yaml: No such file"):  # fmt: skip
        assert part in said
