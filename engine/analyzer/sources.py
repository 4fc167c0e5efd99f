"""Resources that no run declares, as packs are told of them: those of a state, of a plan's file, of manifests.

Sources of the forms: ``engine.state.format`` for states; Pulumi's event log (``apitype.EngineEvent``, a line of JSON
each) and ``pulumi preview --json`` (``display.PreviewDigest``) for plans.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from engine import urn as urns
from engine import wire
from engine.analyzer.findings import AnalyzedProvider, AnalyzedResource
from engine.kubernetes.documents import UNREADABLE, Document, documents, documents_in, unreadable
from engine.provider_registry import split_reference
from engine.state.errors import FormatError, SecretsUnsupported
from engine.state.format import is_checkpoint, read_checkpoint, read_export
from engine.state.model import ResourceState
from engine.state.properties import UNKNOWN_TEXT
from engine.state.secrets import SecretCodec
from engine.values import UNKNOWN, Properties, Secret, Value

MANIFESTS_STACK: Final = "manifests"
STANDARD_INPUT: Final = Path("-")
STDIN: Final = Path("stdin")  # what standard input is called where places are told
_MANIFESTS: Final = frozenset({".yaml", ".yml", ".json"})
_KUSTOMIZE: Final = "kustomize.config.k8s.io/"
_MASKED: Final = "[secret]"
_SHOWN_UNKNOWN: Final = wire.UNKNOWNS | {"output<string>"}  # the latter is how the CLI's digests show it
_DELETIONS: Final = frozenset({"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})


class BadSource(Exception):
    """A file that was to be judged is not what it was said to be; the message names it and what was expected."""


@dataclass(frozen=True)
class Subject:
    """A resource that is to be judged: what it is made from, and what came of it. ``position`` is ``PATH:LINE``."""

    resource: AnalyzedResource
    outputs: Properties = field(default_factory=dict[str, Value])
    position: str = ""


# A state


def of_states(states: Iterable[ResourceState]) -> list[Subject]:
    """The resources of a state that are not about to be deleted."""
    given = [state for state in states if not state.delete]
    providers = {state.urn: state for state in given}
    return [_of_state(state, providers) for state in given]


def _of_state(state: ResourceState, providers: Mapping[str, ResourceState]) -> Subject:
    provider = providers.get(split_reference(state.provider)[0]) if state.provider else None
    resource = AnalyzedResource(
        urn=state.urn, type=state.type, name=urns.name_of(state.urn), properties=state.inputs,
        provider=AnalyzedProvider(provider.urn, provider.type, provider.inputs) if provider else None,
        parent=state.parent, dependencies=state.dependencies, property_dependencies=state.property_dependencies,
        protect=state.protect, ignore_changes=state.ignore_changes, aliases=state.aliases,
        additional_secret_outputs=state.additional_secret_outputs,
    )  # fmt: skip
    return Subject(resource, state.outputs or state.inputs, state.source_position)


class ReadingCodec(SecretCodec):
    """Opens what it can. A secret whose key lies with a service or in a cloud is one that nobody knows here."""

    def open(self, ciphertext: str) -> str:
        try:
            return super().open(ciphertext)
        except SecretsUnsupported:
            return json.dumps(UNKNOWN_TEXT)


def in_state_file(path: Path, codec: SecretCodec) -> list[Subject]:
    """What ``pulumi stack export`` wrote, or a checkpoint file. Raises BadSource, or StateError of its reader."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadSource(f"{path}: {error.strerror}") from error
    try:
        snapshot = read_checkpoint(content, codec) if is_checkpoint(content) else read_export(content, codec)
    except FormatError as error:
        raise BadSource(f"{path}: {error}; expected what `pulumi stack export` wrote, or a checkpoint") from error
    return of_states(snapshot.resources if snapshot else ())


# A plan


def in_plan_file(path: Path) -> list[Subject]:
    """The resources as a preview found that they will be. Raises BadSource.

    The file is an event log (``bedplate preview --event-log``, ``pulumi preview --event-log``), or what ``pulumi
    preview --json`` wrote.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(f"{path}: {error.strerror if isinstance(error, OSError) else error}") from error
    states = list(_planned(path, text))
    if not states:
        raise BadSource(
            f"{path}: there is no resource in it; expected the events of a preview (`bedplate preview ENV --event-log "
            "FILE`) or what `pulumi preview --json` wrote"
        )
    by_urn = {state["urn"]: state for state in states}
    return [_of_event(state, by_urn) for state in by_urn.values()]


def _planned(path: Path, text: str) -> Iterator[Mapping[str, Any]]:
    whole = _json(text)
    if isinstance(whole, dict) and isinstance(whole.get("steps"), list):
        steps = [(step.get("op"), step.get("newState")) for step in whole["steps"] if isinstance(step, dict)]
    else:
        steps = [_step(line, f"{path}:{number}") for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for op, new in steps:
        if op not in _DELETIONS and isinstance(new, dict) and new.get("urn") and isinstance(new.get("type"), str):
            yield new


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # lines of JSON, or no JSON at all
        return None


def _step(line: str, place: str) -> tuple[Any, Any]:
    event = _json(line)
    if not isinstance(event, dict):
        raise BadSource(f"{place}: expected an event of a preview, a JSON object on one line, got {line[:60]!r}")
    metadata = (event.get("resourcePreEvent") or {}).get("metadata") or {}
    return metadata.get("op"), metadata.get("new")


def _of_event(state: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> Subject:
    provider = others.get(str(state.get("provider") or "").rpartition("::")[0])
    resource = AnalyzedResource(
        urn=state["urn"], type=state["type"], name=urns.name_of(state["urn"]), properties=_valued(state.get("inputs")),
        provider=AnalyzedProvider(provider["urn"], provider["type"], _valued(provider.get("inputs")))
        if provider else None,
        parent=str(state.get("parent") or ""), dependencies=state.get("dependencies") or (),
        property_dependencies=state.get("propertyDependencies") or {}, protect=state.get("protect") is True,
    )  # fmt: skip
    outputs = _valued(state.get("outputs")) or resource.properties
    return Subject(resource, outputs, str(state.get("sourcePosition") or ""))


def _valued(written: Any) -> Properties:
    return {key: _value(inner) for key, inner in written.items()} if isinstance(written, dict) else {}


def _value(written: Any) -> Value:
    """A value of an event: what is masked there is a secret whose text is not known."""
    if isinstance(written, dict):
        if written.get(wire.SIGNATURE) == wire.SECRET:
            return Secret(_value(written.get("value")))
        return {str(key): _value(inner) for key, inner in written.items()}
    if isinstance(written, list):
        return [_value(inner) for inner in written]
    if written == _MASKED:
        return Secret(UNKNOWN)
    return UNKNOWN if isinstance(written, str) and written in _SHOWN_UNKNOWN else written


# Manifests


def in_manifests(paths: Sequence[Path]) -> list[Subject]:
    """The objects in files of YAML, as resources that ``pulumi_kubernetes`` would make of them. Raises BadSource.

    A folder stands for all files in it and below that are YAML or JSON, ``-`` for standard input.
    """
    found: list[Subject] = []
    problems: list[str] = []
    for path in [file for given in paths for file in _files(given)]:
        try:
            objects = list(_documents(path))
        except UNREADABLE as error:
            problems.append(unreadable(path, error))
            continue
        if not objects:
            problems.append(f"{path}: it holds no object; expected Kubernetes manifests")
        for document in objects:
            if _is_kustomization(document.content):
                continue
            problem = _problem(document.content)
            if problem:
                problems.append(f"{document.place}: {problem}")
            else:
                found.append(_of_object(document.content, f"{document.path.resolve()}:{document.line}"))
    if problems:
        head = f"{len(problems)} problems in what -f names\n  " if len(problems) > 1 else ""
        raise BadSource(head + "\n  ".join(problems))
    return list(_apart(found))


def _apart(subjects: Iterable[Subject]) -> Iterator[Subject]:
    """Objects of one name, as an overlay has them beside its base, each with a URN of its own."""
    seen: Counter[str] = Counter()
    for subject in subjects:
        resource = subject.resource
        seen[resource.urn] += 1
        if seen[resource.urn] > 1:
            urn = urns.make(MANIFESTS_STACK, f"kubernetes-{seen[resource.urn]}", "", resource.type, resource.name)
            yield replace(subject, resource=replace(resource, urn=urn))
        else:
            yield subject


def _documents(path: Path) -> Iterator[Document]:
    if path == STDIN:
        return documents_in(sys.stdin.buffer.read().decode("utf-8"), path)
    return iter(()) if path.is_dir() else documents(path)


def _files(path: Path) -> list[Path]:
    if path == STANDARD_INPUT:
        return [STDIN]
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in _MANIFESTS and file.is_file()) or [path]


def _is_kustomization(content: Any) -> bool:
    """What tells kustomize which files belong together lies beside manifests, and is no object of a cluster."""
    return isinstance(content, dict) and str(content.get("apiVersion")).startswith(_KUSTOMIZE)


def _problem(content: Any) -> str:
    if not isinstance(content, dict):
        return f"expected an object, got {type(content).__name__}"
    for name in ("apiVersion", "kind"):
        if not isinstance(content.get(name), str) or not content[name]:
            return f"the object has no {name}"
    metadata = content.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name") or metadata.get("generateName"), str):
        return f"the {content['kind']} has no metadata.name"
    return ""


def _of_object(content: Mapping[str, Any], position: str) -> Subject:
    metadata = content["metadata"]
    name = metadata.get("name") or metadata["generateName"].rstrip("-")
    group, _, version = content["apiVersion"].rpartition("/")
    token = f"kubernetes:{group or 'core'}/{version}:{content['kind']}"
    namespace = metadata.get("namespace")
    label = f"{namespace}/{name}" if isinstance(namespace, str) else name
    urn = urns.make(MANIFESTS_STACK, "kubernetes", "", token, label)
    properties = _valued(content)
    return Subject(AnalyzedResource(urn, token, label, properties), properties, position)
