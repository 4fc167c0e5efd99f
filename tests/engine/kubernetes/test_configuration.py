"""Which cluster a configuration leads to, who one is there, and which clusters are never touched."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from engine.provider_registry import ProviderRegistry
from engine.provider_resources import ProviderResources
from engine.providers.base import CredentialsMissing, EndpointRefused, ProviderError
from engine.providers.kubernetes import kubeconfig as kubeconfigs
from engine.providers.kubernetes.access import Access
from engine.providers.kubernetes.clusters import target_of
from engine.providers.kubernetes.config import diff_config, parse_config
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.values import UNKNOWN, Properties
from tests.engine.kubernetes.cluster import Cluster, Server
from tests.engine.kubernetes.conftest import kubeconfig
from tests.engine.kubernetes.objects import Declared

EKS = "https://ABC.gr7.us-east-1.eks.amazonaws.com"


def document(server: str = EKS, user: dict[str, Any] | None = None, **cluster: Any) -> dict[str, Any]:
    """A kubeconfig; without a ``user`` it runs ``aws eks get-token``, as EKS has it."""
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws", "args": ["eks", "get-token"]}}
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}},
                     {"name": "other", "cluster": {"server": "https://other:6443"}}],
        "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u", "namespace": "team"}},
                     {"name": "else", "context": {"cluster": "other", "user": "u"}}],
        "users": [{"name": "u", "user": plugin if user is None else user}],
    }  # fmt: skip


def text(*args: Any, **kwargs: Any) -> str:
    return json.dumps(document(*args, **kwargs))


def config(**inputs: Any) -> Any:
    parsed, failures = parse_config(inputs)
    assert not failures
    return parsed


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No kubeconfig of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_a_real_cluster_is_refused_for_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(EndpointRefused, match=r"eks\.amazonaws\.com is neither on loopback nor .*--engine pulumi"):
        target_of(config(kubeconfig=text()), Access())
    mine = tmp_path / "config"
    mine.write_text(text())
    monkeypatch.setenv("KUBECONFIG", str(mine))
    with pytest.raises(EndpointRefused, match="neither on loopback"):
        target_of(config(), Access())
    assert target_of(config(), Access(frozenset({"abc.gr7.us-east-1.eks.amazonaws.com"}))).server == EKS


def test_no_cluster_at_all_is_refused_for_changes() -> None:
    with pytest.raises(EndpointRefused, match=r"no cluster is configured.*bedplate sandbox up"):
        target_of(config(), Access())
    settings = Declared(KubernetesProvider(), "v1", "ConfigMap")
    with pytest.raises(EndpointRefused, match="ConfigMap 'it': no cluster is configured"):
        settings.create(metadata={"name": "a"})


def test_what_kubectl_would_use_is_used_where_it_is_on_loopback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mine = tmp_path / "config"
    mine.write_text(text("https://127.0.0.1:6443", {"token": "t"}))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'absent'}:{mine}")
    assert target_of(config(), Access()).credentials.token == "t"


def test_the_sandbox_comes_before_what_kubectl_would_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine, sandbox = tmp_path / "mine", tmp_path / "sandbox"
    mine.write_text(text("https://127.0.0.1:1", {"token": "mine"}))
    sandbox.write_text(text("https://127.0.0.1:2", {"token": "sandbox"}))
    monkeypatch.setenv("KUBECONFIG", str(mine))
    assert target_of(config(), Access(kubeconfig=sandbox)).credentials.token == "sandbox"


def test_in_a_sandbox_its_own_credentials_are_used_instead_of_a_plugin(tmp_path: Path) -> None:
    sandbox = tmp_path / "sandbox"
    sandbox.write_text(text("https://127.0.0.1:6443", {"token": "t"}))
    found = target_of(config(kubeconfig=text("https://localhost:6443/")), Access(kubeconfig=sandbox))
    assert (found.credentials.token, found.credentials.plugin, found.namespace) == ("t", None, "team")


def test_the_sandbox_may_be_elsewhere_and_nothing_else_there_is_touched(tmp_path: Path) -> None:
    sandbox = tmp_path / "sandbox"
    sandbox.write_text(text("https://10.0.0.7:6443", {"token": "t"}))
    access = Access(kubeconfig=sandbox)
    assert target_of(config(kubeconfig=text("https://10.0.0.7:6443")), access).credentials.token == "t"
    with pytest.raises(EndpointRefused):
        target_of(config(kubeconfig=text("https://10.0.0.7:6444")), access)


def test_a_plugin_is_never_run(cluster: Cluster, server: Server) -> None:
    provider = KubernetesProvider()
    provider.configure({"kubeconfig": text(cluster.url)})
    with pytest.raises(CredentialsMissing, match=r"runs 'aws' for its credentials.*token or a client certificate"):
        Declared(provider, "v1", "ConfigMap").create(metadata={"name": "a"})


def test_context_and_cluster_choose() -> None:
    assert kubeconfigs.target(document(), "else").server == "https://other:6443"
    assert kubeconfigs.target(document(), cluster="other").server == "https://other:6443"
    with pytest.raises(ProviderError, match="there is no context 'x'; contexts in it: it, else"):
        kubeconfigs.target(document(), "x")
    with pytest.raises(ProviderError, match="there is no cluster 'x'; clusters in it: c, other"):
        kubeconfigs.target(document(), cluster="x")


def test_kubeconfigs_are_texts_or_paths_and_files_in_them_are_beside_them(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("CA")
    (tmp_path / "token").write_text("t\n")
    path = tmp_path / "config"
    path.write_text(json.dumps(document(user={"tokenFile": "token"}, **{"certificate-authority": "ca.pem"})))
    found = kubeconfigs.target(kubeconfigs.load(str(path)))
    assert (found.authority, found.credentials.token) == (b"CA", "t")
    data = base64.b64encode(b"CA").decode()
    assert kubeconfigs.target(kubeconfigs.load(text(**{"certificate-authority-data": data}))).authority == b"CA"
    yaml = (
        "current-context: a\ncontexts: [{name: a, context: {cluster: b}}]\nclusters: [{name: b, cluster: {server: x}}]"
    )
    assert kubeconfigs.target(kubeconfigs.load(yaml)).server == "x"
    with pytest.raises(ProviderError, match="expected its text or the path of a file, got '/nowhere'"):
        kubeconfigs.load("/nowhere")


def test_settings_of_the_provider_are_checked() -> None:
    provider = KubernetesProvider()
    bad = {"kubeconfig": "a: [", "enablePatchForce": "maybe", "kubeconfg": "x", "renderYamlToDirectory": "out"}
    failures = {
        failure.property: failure.reason for failure in provider.check_config(bad | {"kubeconfig": "{"}).failures
    }
    assert failures.keys() == {"kubeconfig", "enablePatchForce", "kubeconfg", "renderYamlToDirectory"}
    assert "neither JSON nor YAML" in failures["kubeconfig"]
    (failure,) = provider.check_config({"kubeconfig": "a: 1\nb: 2"}).failures
    assert failure.reason == "its text is no kubeconfig's: expected clusters and contexts, in it: a, b" + ADVICE
    assert not provider.check_config({"kubeconfig": UNKNOWN, "enableServerSideApply": "true"}).failures
    with pytest.raises(ProviderError, match="there is no context 'nope'"):
        provider.configure({"kubeconfig": text(), "context": "nope"})


ADVICE = "; give a file such as `aws eks update-kubeconfig` or `bedplate sandbox up` writes"
NO_KUBECONFIG = {
    "a: 1": "FILE is no kubeconfig: expected clusters and contexts, in it: a" + ADVICE,
    "{}": "FILE is no kubeconfig: expected clusters and contexts, in it: nothing" + ADVICE,
    "": "FILE is no kubeconfig: expected a mapping with clusters and contexts, got nothing" + ADVICE,
    "hello": "FILE is no kubeconfig: expected a mapping with clusters and contexts, got a str" + ADVICE,
    "a: [": "FILE is neither JSON nor YAML: while parsing a flow node" + ADVICE,
    "\udcff": "FILE is no kubeconfig: it is not UTF-8 text" + ADVICE,
    "contexts: hello": (
        "FILE is no kubeconfig: expected contexts to be a list of entries, each with its name and its context" + ADVICE
    ),
    "users: [{name: a, user: token}]": (
        "FILE is no kubeconfig: expected users to be a list of entries, each with its name and its user" + ADVICE
    ),
    "contexts: [{name: a, context: {cluster: b}}]": "FILE: no context is the current one; name one, contexts in it: a",
    "{contexts: [{name: a, context: {cluster: b}}], current-context: c}": (
        "FILE: there is no context 'c'; contexts in it: a"
    ),
    "{contexts: [{name: a, context: {cluster: b}}], current-context: a}": (
        "FILE: there is no cluster 'b'; clusters in it: none"
    ),
    "{contexts: [{name: a, context: {cluster: b}}], current-context: a, clusters: [{name: b}]}": (
        "FILE: cluster 'b' has no server" + ADVICE
    ),
}


@pytest.mark.parametrize(("content", "expected"), NO_KUBECONFIG.items())
def test_a_file_that_is_no_kubeconfig_is_found_without_a_cluster(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "config"
    path.write_text(content, errors="surrogateescape")
    provider, given = KubernetesProvider(), {"kubeconfig": str(path)}
    (failure,) = provider.check_config(given).failures
    assert (failure.property, failure.reason) == ("kubeconfig", expected.replace("FILE", str(path)))
    provider.configure(given)  # what deletes what another run has left may not need it


def test_a_path_that_leads_nowhere_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def reason(path: str) -> str:
        (failure,) = KubernetesProvider().check_config({"kubeconfig": path}).failures
        return failure.reason.removesuffix(ADVICE).removeprefix("expected its text or the path of a file, got ")

    assert reason("a: 1") == f"'a: 1': No such file or directory (looked for in {tmp_path})"
    assert reason(str(tmp_path)) == f"'{tmp_path}': Is a directory"
    assert "home directory" in reason("~nobody-of-this-name/config")


def test_a_context_that_is_not_in_the_file_is_found_and_one_that_is_not_known_yet_may_be(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(text())
    provider, given = KubernetesProvider(), {"kubeconfig": str(path)}
    (failure,) = provider.check_config(given | {"context": "nope"}).failures
    assert failure.reason == f"{path}: there is no context 'nope'; contexts in it: it, else"
    for more in ({}, {"context": "else"}, {"context": UNKNOWN}, {"cluster": UNKNOWN}):
        assert not provider.check_config(given | more).failures
    path.write_text("{contexts: [{name: a, context: {cluster: b}}], clusters: [{name: b, cluster: {server: x}}]}")
    assert not provider.check_config(given | {"context": UNKNOWN}).failures
    assert provider.check_config(given).failures


def test_variables_stand_in_for_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE", "true")
    assert config().config_map_mutable
    assert not config(enableConfigMapMutable="false").config_map_mutable
    assert config(enableServerSideApply="false").force


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({"kubeconfig": text()}, {"kubeconfig": text()}, ()),
        ({"kubeconfig": text()}, {"kubeconfig": text(user={"token": "other"})}, ()),
        ({"kubeconfig": text()}, {"kubeconfig": text("https://elsewhere")}, ("kubeconfig",)),
        ({"kubeconfig": text()}, {"kubeconfig": text(), "context": "else"}, ("context",)),
        ({"kubeconfig": text()}, {"kubeconfig": UNKNOWN}, ("kubeconfig",)),
        ({}, {"kubeconfig": text()}, ()),
        ({"kubeconfig": text(), "namespace": "a"}, {"kubeconfig": text(), "namespace": "b"}, ()),
        (
            {"kubeconfig": text(), "clusterIdentifier": "a"},
            {"kubeconfig": text("https://b"), "clusterIdentifier": "a"},
            (),
        ),
        ({"kubeconfig": text(), "clusterIdentifier": "a"}, {"kubeconfig": UNKNOWN, "clusterIdentifier": "a"}, ()),
        (
            {"kubeconfig": text(), "clusterIdentifier": "a"},
            {"kubeconfig": text(), "clusterIdentifier": "b"},
            ("clusterIdentifier",),
        ),
        ({"kubeconfig": text(), "clusterIdentifier": "a"}, {"kubeconfig": text("https://b")}, ("kubeconfig",)),
    ],
)
def test_another_cluster_replaces_the_provider(
    old: dict[str, Any], new: dict[str, Any], replaces: tuple[str, ...]
) -> None:
    diff = diff_config(old, new)
    assert tuple(diff.replaces) == replaces
    assert diff.changes == (old != new)


def test_a_kubeconfig_that_is_not_known_yet_may_be_another_clusters() -> None:
    providers = ProviderResources(ProviderRegistry({"kubernetes": KubernetesProvider}))
    old: Properties = {"kubeconfig": kubeconfig("https://old.example.com")}
    assert providers.compare("pulumi:providers:kubernetes", old, {"kubeconfig": UNKNOWN}).replaces == ("kubeconfig",)
    assert not providers.compare("pulumi:providers:kubernetes", old, old).changes
