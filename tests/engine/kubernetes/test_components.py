"""Components of manifests: what is read, in which order its objects are registered, and what is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.goals import Goal
from engine.providers.base import Caller, ProviderError
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.values import UNKNOWN, Properties, ResourceRef, Secret
from engine.wire import OutputValue
from tests.engine.kubernetes.conftest import kubeconfig
from tests.engine.kubernetes.constructed import COMPONENT, DEFINITION, FILE, GROUP, Monitor, construct

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: team}\ndata: {a: '1'}\n"
PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n"
POOL = "apiVersion: example.org/v1\nkind: Pool\nmetadata: {name: pool}\n"


def test_objects_of_a_text_become_children(monitor: Monitor) -> None:
    made = construct(monitor, {"yaml": f"{SETTINGS}---\n{PLAIN}---\n# nothing\n---\n{NAMESPACE}"})
    component, *children = monitor.goals
    assert (component.type, component.name, component.custom, component.inputs) == (GROUP, "g", False, {})
    assert [(child.type, child.name, child.parent) for child in children] == [
        ("kubernetes:core/v1:Namespace", "g:team", COMPONENT),
        ("kubernetes:core/v1:ConfigMap", "g:default/plain", COMPONENT),
        ("kubernetes:core/v1:ConfigMap", "g:team/settings", COMPONENT),
    ]
    assert children[1].inputs["metadata"] == {"name": "plain", "namespace": "default"}
    assert (made.urn, made.whole) == (COMPONENT, True)
    assert made.outputs == {"resources": [ResourceRef(f"urn:{child.name}", child.name[2:]) for child in children]}
    assert made.dependencies == {"resources": [f"urn:{child.name}" for child in children]}


def test_what_must_be_there_before_is_waited_for(monitor: Monitor) -> None:
    after = POOL.replace("{name: pool}", "{name: pool, annotations: {config.kubernetes.io/depends-on: LIST}}")
    after = after.replace("LIST", "'/namespaces/team/ConfigMap/settings, /Namespace/team'")
    construct(monitor, {"yaml": f"{after}---\n{SETTINGS}---\n{DEFINITION}---\n{NAMESPACE}"})
    assert {name: goal.dependencies for name, goal in monitor.children.items()} == {
        "g:team": (), "g:pools.example.org": (), "g:team/settings": ("urn:g:team",),
        "g:pool": ("urn:g:pools.example.org", "urn:g:team", "urn:g:team/settings"),
    }  # fmt: skip
    assert list(monitor.children)[-1] == "g:pool"


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("ConfigMap/settings", "expected GROUP/KIND/NAME or GROUP/namespaces/NAMESPACE/KIND/NAME"),
        ("/Namespace/absent", "there is no /Namespace/absent among the objects of this component"),
        ("/Namespace/team,/Namespace/team", "/Namespace/team is named twice"),
    ],
)
def test_an_annotation_that_leads_nowhere_is_refused(monitor: Monitor, named: str, problem: str) -> None:
    annotated = f"annotations: {{config.kubernetes.io/depends-on: '{named}'}}"
    text = SETTINGS.replace("namespace: team", f"namespace: team, {annotated}")
    with pytest.raises(ProviderError) as refused:
        construct(monitor, {"yaml": f"{NAMESPACE}---\n{text}"})
    assert str(refused.value).startswith(
        "yaml:5 (document 2): ConfigMap team/settings: config.kubernetes.io/depends-on"
    )
    assert problem in str(refused.value)
    assert monitor.goals == []


def test_objects_that_wait_for_each_other_are_refused(monitor: Monitor) -> None:
    def one(name: str, other: str) -> dict[str, Any]:
        annotations = {"config.kubernetes.io/depends-on": f"/namespaces/default/ConfigMap/{other}"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": annotations}}

    with pytest.raises(ProviderError, match=r"objects wait for each other: ConfigMap default/. -> ConfigMap default/"):
        construct(monitor, {"objs": [one("a", "b"), one("b", "a")]})


def test_generations_go_by_kind_namespace_and_name(monitor: Monitor) -> None:
    kinds = ("Pod", "Service", "Secret", "ServiceAccount", "ConfigMap")
    objs = [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}} for name in ("b", "a") for kind in kinds
    ]  # fmt: skip
    webhook = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    construct(monitor, {"objs": [{**webhook, "metadata": {"name": "w"}}, *objs]})
    assert [(goal.inputs["kind"], goal.inputs["metadata"]["name"]) for goal in monitor.goals[1:]] == [
        ("ServiceAccount", "a"), ("ServiceAccount", "b"), ("ConfigMap", "a"), ("ConfigMap", "b"), ("Secret", "a"),
        ("Secret", "b"), ("Service", "a"), ("Service", "b"), ("Pod", "a"), ("Pod", "b"),
        ("ValidatingWebhookConfiguration", "w"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("prefix", "names"),
    [(None, ["g:default/plain"]), ("p", ["p:default/plain"]), ("", ["default/plain"])],
)
def test_children_are_called_by_the_prefix(monitor: Monitor, prefix: str | None, names: list[str]) -> None:
    construct(monitor, {"yaml": PLAIN, "resourcePrefix": prefix})
    assert list(monitor.children) == names


def test_the_namespace_is_the_provider_s_or_its_context_s(monitor: Monitor) -> None:
    construct(monitor, {"yaml": PLAIN}, config={"namespace": "mine"})
    text = kubeconfig("http://127.0.0.1:1").replace('"user": "me"}', '"user": "me", "namespace": "theirs"}')
    construct(monitor, {"yaml": f"{PLAIN}---\n{DEFINITION}---\n{POOL}"}, config={"kubeconfig": text})
    assert list(monitor.children) == ["g:mine/plain", "g:pools.example.org", "g:theirs/plain", "g:pool"]


def test_nothing_is_awaited_where_the_component_says_so(monitor: Monitor) -> None:
    nothing = PLAIN.replace("{name: plain}", "{name: plain, annotations: }")
    construct(monitor, {"yaml": f"{nothing}---\n{NAMESPACE}", "skipAwait": True})
    annotations = [goal.inputs["metadata"]["annotations"] for goal in monitor.children.values()]
    assert annotations == [{"pulumi.com/skipAwait": "true"}] * 2


def test_annotations_that_are_none_are_refused_before_anything_is_registered(monitor: Monitor) -> None:
    text = PLAIN.replace("{name: plain}", "{name: plain, annotations: text}")
    with pytest.raises(ProviderError, match=r"^yaml:1 \(document 1\): ConfigMap default/plain: metadata.annotations: "):
        construct(monitor, {"yaml": text, "skipAwait": True})
    assert monitor.goals == []


def test_lists_are_taken_apart(monitor: Monitor) -> None:
    item = {"apiVersion": "core/v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    inner = {"apiVersion": "v1", "kind": "List", "items": [{**item, "metadata": {"name": "b"}}]}
    construct(monitor, {"objs": [{"apiVersion": "v1", "kind": "ConfigMapList", "items": [item, inner]}, {}]})
    assert list(monitor.children) == ["g:default/a", "g:default/b"]
    assert monitor.children["g:default/a"].inputs["apiVersion"] == "v1"


def test_files_are_found_by_patterns_from_the_program_s_folder(monitor: Monitor, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    for name in ("b", "a", ".hidden", "[x]"):
        (tmp_path / "m" / f"{name}.yaml").write_text(PLAIN.replace("plain", f"from-{name.strip('.[]')}"))
    construct(monitor, {"files": ["m/[^.[]*.yaml"]}, tmp_path)
    assert list(monitor.children) == ["g:default/from-a", "g:default/from-b"]
    construct(monitor, {"files": ["m/*.yaml", "none/*.yaml"]}, tmp_path)
    assert len(monitor.children) == 4
    alone = Monitor()
    construct(alone, {"file": "m/[x].yaml"}, tmp_path, type=FILE)  # a path, no pattern
    assert list(alone.children) == ["g:default/from-x"]
    absolute = Monitor()
    construct(absolute, {"files": [str(tmp_path / "m" / "?.yaml")]})
    assert list(absolute.children) == ["g:default/from-a", "g:default/from-b"]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of what ``tmp_path`` holds."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_an_address_is_fetched(monitor: Monitor, tmp_path: Path, web: str) -> None:
    (tmp_path / "m.yaml").write_text(PLAIN)
    construct(monitor, {"files": [f"{web}/m.yaml?*"]})  # no pattern
    assert list(monitor.children) == ["g:default/plain"]
    (tmp_path / "m.yaml").write_text("kind: A")
    with pytest.raises(ProviderError, match=rf"^{web}/m.yaml:1 \(document 1\): the object has no apiVersion"):
        construct(monitor, {"file": f"{web}/m.yaml"}, type=FILE)
    with pytest.raises(ProviderError, match=rf"^{web}/absent: can't be fetched: the server answered 404"):
        construct(monitor, {"file": f"{web}/absent"}, type=FILE)
    with pytest.raises(ProviderError, match=r"^http://127.0.0.1:1/: can't be fetched"):
        construct(monitor, {"file": "http://127.0.0.1:1/"}, type=FILE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: {", "m.yaml:2: not YAML:"),
        (f"{PLAIN}---\nkind: ConfigMap\n", "m.yaml:5 (document 2): the object has no apiVersion"),
        (f"{PLAIN}---\napiVersion: v1\n", "m.yaml:5 (document 2): the object has no kind"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}", "m.yaml:1 (document 1): the Pod has no metadata.name"),
        ("apiVersion: v1\nkind: Pod\n", "m.yaml:1 (document 1): the Pod has no metadata.name"),
        ("- a\n", "m.yaml:1 (document 1): expected an object, got list"),
        ("kind: PodList\nitems: [{apiVersion: v1}]", "m.yaml:1 (document 1), items[0]: the object has no kind"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: 1}",
         "m.yaml:1 (document 1): the Pod has a metadata.namespace that is no text"),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused_by_its_place(
    monitor: Monitor, tmp_path: Path, text: str, problem: str
) -> None:  # fmt: skip
    (tmp_path / "m.yaml").write_text(text)
    for type_, inputs in ((FILE, {"file": "m.yaml"}), (GROUP, {"files": ["*.yaml"]})):
        with pytest.raises(ProviderError) as refused:
            construct(monitor, inputs, tmp_path, type=type_)
        assert str(refused.value).startswith(problem)
    assert monitor.goals == []


def test_all_that_is_wrong_is_told_at_once(monitor: Monitor) -> None:
    with pytest.raises(ProviderError) as refused:
        construct(monitor, {"yaml": "kind: A\n---\nkind: B\n", "objs": ["text"]})
    assert str(refused.value).splitlines() == [
        "yaml:1 (document 1): the object has no apiVersion", "yaml:3 (document 2): the object has no apiVersion",
        "objs[0]: expected an object, got str",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "inputs", "problem"),
    [
        (FILE, {"file": "absent.yaml"}, "absent.yaml: No such file or directory"),
        (GROUP, {"files": ["absent.yaml"]}, "absent.yaml: No such file or directory"),
        (GROUP, {"files": ["."]}, ".: Is a directory"),
        (GROUP, {"files": "a.yaml"}, "files: expected a list of paths, got str"),
        (GROUP, {"files": [1]}, "files[0]: expected a path, got int"),
        (GROUP, {"files": ["ftp://a/b.yaml"]}, "ftp://a/b.yaml: expected a path, or an address"),
        (GROUP, {"yaml": 1}, "yaml: expected a YAML text, got int"),
        (GROUP, {"objs": {}}, "objs: expected a list of objects, got dict"),
        (GROUP, {"skipAwait": "yes"}, "skipAwait: expected true or false, got 'yes'"),
        (FILE, {"file": "a", "resourcePrefix": 1}, "resourcePrefix: expected a text, got int"),
    ],
)
def test_inputs_that_can_t_be_taken_are_refused(
    monitor: Monitor, tmp_path: Path, type_: str, inputs: Properties, problem: str
) -> None:
    with pytest.raises(ProviderError) as refused:
        construct(monitor, inputs, tmp_path, type=type_)
    assert str(refused.value).startswith(problem)


def test_an_object_that_is_declared_twice_is_made_once_and_told_of(monitor: Monitor) -> None:
    construct(monitor, {"yaml": PLAIN, "objs": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plain"},
                                                 "data": {"a": "2"}}]})  # fmt: skip
    assert monitor.children["g:default/plain"].inputs["data"] == {"a": "2"}
    assert monitor.warnings == [
        "yaml:1 (document 1): ConfigMap default/plain is declared again in objs[0], which counts"
    ]


def test_what_is_secret_stays_secret(monitor: Monitor) -> None:
    password = "apiVersion: v1\nkind: Secret\nmetadata: {name: p, labels: {a: b}}\nstringData: {x: y}\n"
    construct(monitor, {"yaml": Secret(password)})
    assert monitor.children["g:default/p"].inputs == {
        "apiVersion": "v1", "kind": "Secret", "stringData": Secret({"x": "y"}),
        "metadata": {"name": "p", "labels": Secret({"a": "b"}), "namespace": "default"},
    }  # fmt: skip
    one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    values = [
        {**one, "data": {"x": OutputValue("y", secret=True, dependencies=())}},
        Secret({**one, "metadata": {"name": "b"}, "data": {"x": "y"}}),
    ]
    construct(monitor, {"objs": values})
    assert monitor.children["g:default/a"].inputs["data"] == {"x": Secret("y")}
    assert monitor.children["g:default/b"].inputs["data"] == Secret({"x": "y"})
    construct(monitor, {"objs": Secret([{**one, "metadata": {"name": "c"}, "data": {"x": "y"}}])})
    assert monitor.children["g:default/c"].inputs["data"] == Secret({"x": "y"})


def test_what_is_wrong_with_a_secret_is_not_quoted(monitor: Monitor) -> None:
    text = "kind: A\nb: !hunter2 c\n"
    with pytest.raises(ProviderError, match=r"^yaml:2: not YAML: .*hunter2"):
        construct(monitor, {"yaml": text})
    with pytest.raises(ProviderError) as refused:
        construct(monitor, {"yaml": Secret(text)})
    assert str(refused.value) == "yaml:2: not YAML; it is secret, so no more is shown"


def test_what_json_has_not_is_made_a_text(monitor: Monitor) -> None:
    more = "data: {2: a, true: b, c: !!binary aGVsbG8=, d: 2026-01-01, e: !!set {}}\n"
    construct(monitor, {"yaml": f"\ufeff{PLAIN}{more}"})
    data = monitor.children["g:default/plain"].inputs["data"]
    assert data == {"2": "a", "true": "b", "c": "hello", "d": "2026-01-01", "e": {}}


def test_a_secret_in_clear_is_marked(monitor: Monitor) -> None:
    construct(monitor, {"yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: p}\ndata: {x: eQ==}\n"})
    assert monitor.children["g:default/p"].inputs["data"] == Secret({"x": "eQ=="})


def test_a_preview_shows_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(PLAIN)
    one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": UNKNOWN}}
    nameless = {**one, "metadata": {"name": UNKNOWN}}
    monitor = Monitor(preview=True)
    made = construct(monitor, {"objs": [one]})
    assert (made.whole, made.outputs) == (True, {"resources": [ResourceRef("urn:g:default/a", UNKNOWN)]})
    for inputs in (
        {"objs": [one, nameless]}, {"objs": [one, UNKNOWN]}, {"objs": [one], "yaml": UNKNOWN},
        {"objs": [one], "files": UNKNOWN}, {"objs": [one], "files": ["m.yaml", UNKNOWN]},
        {"objs": [{"items": [one, UNKNOWN]}]}, {"objs": [one, {**one, "metadata": UNKNOWN}]},
        {"objs": [one, {**one, "kind": UNKNOWN}]},
    ):  # fmt: skip
        monitor = Monitor(preview=True)
        made = construct(monitor, inputs, tmp_path)
        assert (made.whole, made.outputs) == (False, {"resources": UNKNOWN})
        assert monitor.children["g:default/a"].inputs["data"] == {"x": UNKNOWN}
        assert len(monitor.warnings) == 1


@pytest.mark.parametrize(
    "inputs",
    [
        {"objs": UNKNOWN}, {"yaml": PLAIN, "resourcePrefix": UNKNOWN}, {"yaml": PLAIN, "skipAwait": UNKNOWN},
        {"yaml": OutputValue(UNKNOWN, secret=True, dependencies=())},
    ],
)  # fmt: skip
def test_a_preview_without_the_inputs_shows_the_component(inputs: Properties) -> None:
    monitor = Monitor(preview=True)
    made = construct(monitor, inputs)
    assert (made.urn, made.whole, monitor.children) == (COMPONENT, False, {})


def test_what_fails_leaves_the_component_without_an_output() -> None:
    monitor = Monitor(failing={"g:team"})
    made = construct(monitor, {"yaml": f"{NAMESPACE}---\n{SETTINGS}"})
    assert made.outputs == {"resources": UNKNOWN}
    assert made.whole
    assert monitor.children["g:team/settings"].dependencies == ("urn:g:team",), "so that the engine skips it"


def test_what_is_not_among_the_targets_is_not_among_the_resources() -> None:
    monitor = Monitor(untargeted={"g:team"})
    made = construct(monitor, {"yaml": f"{NAMESPACE}---\n{PLAIN}"})
    assert made.outputs == {"resources": [ResourceRef("urn:g:default/plain", "default/plain")]}


def test_a_refusal_ends_the_component_and_what_has_begun_is_waited_for(monitor: Monitor) -> None:
    answer = monitor.ask

    def ask(method: str, request: Any) -> Future[Any]:
        if not request.name.endswith("team"):
            return answer(method, request)
        refused: Future[Any] = Future()
        refused.set_exception(ProviderError("Duplicate resource URN"))
        return refused

    caller = Caller("shop", "dev", {}, (), preview=False, parallel=4, monitor="", ask=ask)
    goal = Goal(GROUP, "g", custom=False, inputs={"yaml": f"{NAMESPACE}---\n{SETTINGS}---\n{PLAIN}"}, remote=True)
    with pytest.raises(ProviderError, match="Duplicate resource URN"):
        KubernetesProvider().construct(goal, caller)
    assert list(monitor.children) == ["g:default/plain"]


def test_options_are_the_component_s_own(monitor: Monitor) -> None:
    given: dict[str, Any] = {
        "protect": True, "dependencies": ("urn:before",), "providers": {"kubernetes": "urn:p::id"},
        "ignore_changes": ("yaml",), "provider": "urn:p::id", "parent": "urn:above",
    }  # fmt: skip
    construct(monitor, {"yaml": PLAIN}, property_dependencies={"yaml": ("urn:before",)}, **given)
    component, child = monitor.goals
    assert {name: getattr(component, name) for name in given} == {**given, "provider": ""}
    assert component.property_dependencies == {}
    assert (child.dependencies, child.protect, child.provider) == ((), None, ""), "which the engine lets it inherit"
