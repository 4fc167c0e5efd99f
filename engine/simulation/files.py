"""Workloads in files: YAML documents, read with the place of each and refused with the place of what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.kubernetes import api, versions
from engine.kubernetes.documents import UNREADABLE, documents, unreadable
from engine.simulation.manifests import API_VERSIONS, CLUSTER_WIDE, Given, Manifest, is_known


class BadManifests(Exception):
    """Files hold what can't be simulated; ``found`` are all of them, each ``FILE:LINE (document N): what``."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.found = tuple(problems)
        count = f"{len(problems)} problems in what -f names\n  " if len(problems) > 1 else ""
        super().__init__(count + "\n  ".join(problems))


@dataclass(frozen=True)
class Read:
    """What files hold: objects that matter, and notes on those that don't."""

    given: Sequence[Given]
    notes: Sequence[str]


def read(paths: Iterable[Path]) -> Read:
    """All objects of ``paths``. Raises BadManifests with every problem there is."""
    given: list[Given] = []
    problems: list[str] = []
    notes: list[str] = []
    for path in paths:
        try:
            found = list(documents(path))
        except UNREADABLE as error:
            problems.append(unreadable(path, error))
            continue
        if not found:
            problems.append(f"{path}: it holds no object; expected Kubernetes manifests")
        for document in found:
            problem = problem_of(document.content)
            if problem:
                problems.append(f"{document.place}: {problem}")
            elif is_known(document.content["apiVersion"], document.content["kind"]):
                given.append(Given(document.content, document.place, added=True))
            elif "/" in document.content["apiVersion"] and _may_bear_pods(document.content):
                kind, name = document.content["kind"], document.content["metadata"]["name"]
                notes.append(f"{kind} {name} is not simulated: its controller does not run here")
    problems += _twice(given)
    if problems:
        raise BadManifests(problems)
    return Read(given, notes)


def problem_of(content: Any) -> str | None:
    """Why ``content`` is no object that can be simulated, or None."""
    if not isinstance(content, dict):
        return f"expected an object, got {_what(content)}"
    for field in ("kind", "apiVersion"):
        if not isinstance(content.get(field), str) or not content[field]:
            return f"the object has no {field}; expected one such as {_EXAMPLES[field]}"
    metadata = content.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name") or metadata.get("generateName"), str):
        return f"the {content['kind']} has no metadata.name"
    _named(metadata)
    if not is_known(content["apiVersion"], content["kind"]):
        return _misspelt(content["apiVersion"], content["kind"])
    return _problem_of_known(content, metadata)


def _misspelt(api_version: str, kind: str) -> str | None:
    """What is wrong with a kind that Kubernetes does not have, in an API of whose kinds some matter."""
    if api_version not in API_VERSIONS.values() or any(api(one).kind(api_version, kind) for one in versions()):
        return None
    known = [each for each, version in API_VERSIONS.items() if version == api_version]
    near = difflib.get_close_matches(kind, known, 1)
    return f"there is no {kind} in {api_version}; " + (
        f"did you mean {near[0]}?" if near else f"expected one such as {', '.join(known)}"
    )


_EXAMPLES: Final = {"kind": "Deployment, Job or Pod", "apiVersion": "apps/v1, batch/v1 or v1"}


def _problem_of_known(content: Manifest, metadata: Manifest) -> str | None:
    kind, name = content["kind"], metadata["name"]
    if content["apiVersion"] != API_VERSIONS[kind]:
        return f"{kind} {name} has apiVersion {content['apiVersion']}; expected {API_VERSIONS[kind]}"
    if kind not in CLUSTER_WIDE and not isinstance(metadata.get("namespace"), str):
        return f"{kind} {name} says no namespace; give metadata.namespace: quotas and limits hang on it"
    if kind in ("PriorityClass", "Namespace", "RuntimeClass"):
        return None
    return None if isinstance(content.get("spec"), dict) else f"{kind} {name} has no spec"


def _named(metadata: Manifest) -> None:
    """What the API server would make a name for gets one here, so that the answer can speak of it."""
    if not metadata.get("name"):
        metadata["name"] = metadata["generateName"].rstrip("-")


def _twice(given: Sequence[Given]) -> Iterator[str]:
    seen: dict[tuple[str, str, str], Given] = {}
    for one in given:
        first = seen.setdefault(one.key, one)
        if first is not one:
            yield f"{one.place}: {one.kind} {one.name} was given before, at {first.place}"


def _may_bear_pods(content: Manifest) -> bool:
    """Whether a custom resource looks as if its controller would make pods: some ``template`` in it has containers."""
    waiting: list[Any] = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("containers"), list):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def _what(content: Any) -> str:
    return {list: "a list", str: "a text", bool: "a truth value"}.get(type(content), "a number")
