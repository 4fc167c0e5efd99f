"""Charts that ``helm template`` renders, for ``helm.v4.Chart``: no release, but each object a resource of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Final, cast

from engine.providers.base import NotHere, ProviderError
from engine.providers.kubernetes.components.sources import Found
from engine.providers.kubernetes.helm import commands
from engine.providers.kubernetes.helm.arguments import check
from engine.providers.kubernetes.helm.executable import find_helm
from engine.providers.kubernetes.helm.reach import OutOfReach, fetch
from engine.providers.kubernetes.helm.release import Release, release_of
from engine.providers.kubernetes.helm.values import BadValues, merged_values
from engine.providers.kubernetes.helm.workspace import Workspace, workspace
from engine.providers.kubernetes.manifests import annotation
from engine.providers.kubernetes.texts import documents_of
from engine.values import UNKNOWN, Asset, Properties, Value, has_secret, has_unknown, reveal

_INSTEAD: Final = (
    "use a Release (kubernetes:helm.sh/v3:Release), or run `helm template` and give its output to"
    " kubernetes.yaml.v2.ConfigGroup"
)
_OWN: Final = ("resourcePrefix", "includeHooks", "plainHttp", "postRenderer", "keyring")  # which no release has
_KEPT: Final = "helm.sh/resource-policy"
_SECONDS: Final = 300.0
_NO_CLUSTER: Final = '{"apiVersion": "v1", "kind": "Config"}'


def in_chart(
    name: str, inputs: Mapping[str, Value], folder: Path, namespace: str, version: str, stopping: Event
) -> Iterator[Found]:
    """What a chart comes to on Kubernetes ``version``. Raises ProviderError, NotHere where nothing can render it.

    Whatever may be made of a secret is one.
    """
    if has_unknown(dict(inputs)):
        yield Found("values", UNKNOWN)
        return
    sealed, given = has_secret(dict(inputs)), cast("Properties", reveal(dict(inputs)))
    asked = {key: value for key, value in given.items() if key not in _OWN}
    checked = check(None, {**asked, "name": given.get("name") or name}, name, namespace)
    if checked.failures:
        raise ProviderError("\n".join(f"{failure.property}: {failure.reason}" for failure in checked.failures))
    chart = str(given["chart"])
    own = {"chart": _located(chart, given, folder), "plainHttp": given.get("plainHttp")}
    text = _rendered(release_of({**checked.inputs, **own}, 0), given, folder, version, stopping)
    yield from (Found(place, each, sealed) for place, each in documents_of(text, f"{chart}, rendered"))


def _located(chart: str, given: Properties, folder: Path) -> str:
    """The chart's path from the program's folder, where it is a path."""
    path = folder / Path(chart).expanduser()
    elsewhere = "://" in chart or cast("Properties", given.get("repositoryOpts") or {}).get("repo")
    return str(path) if not elsewhere and path.exists() else chart


def is_kept(manifest: Properties) -> bool:
    """Whether an object is to stay when its chart goes. Source: Helm's documentation, "Chart Tips and Tricks"."""
    return annotation(reveal(manifest), _KEPT) == "keep"


def _rendered(release: Release, given: Properties, folder: Path, version: str, stopping: Event) -> str:
    helm = find_helm(stopping)
    if helm is None:
        raise NotHere(f"`helm` is not on PATH to render the chart: {_INSTEAD}")
    with workspace(_NO_CLUSTER, folder) as work:
        keyring = given.get("keyring")
        if isinstance(keyring, Asset):
            path = (
                str(Path(keyring.folder) / keyring.path) if keyring.path else work.write("keyring", keyring.text or "")
            )
            release = release_of({**release.inputs, "keyring": path}, 0)
        try:
            chart = fetch(helm, release, work)
        except OutOfReach as error:
            raise NotHere(f"the chart can't be had from here: {error}; {_INSTEAD}") from error
        line = commands.template(release, chart, _values(release, work), version)
        return helm.run([*line, *_post_renderer(given)], work, seconds=_SECONDS)


def _values(release: Release, work: Workspace) -> str:
    files = cast("list[Value]", release.inputs.get("valueYamlFiles") or [])
    try:
        return work.write_values(merged_values(files, cast("Properties", release.inputs.get("values") or {})))
    except BadValues as error:
        raise ProviderError(f"valueYamlFiles: {error}") from error


def _post_renderer(given: Properties) -> list[str]:
    renderer = cast("Properties", given.get("postRenderer") or {})
    if not renderer:
        return []
    args = [("--post-renderer-args", str(arg)) for arg in cast("list[Value]", renderer.get("args") or [])]
    return ["--post-renderer", str(renderer.get("command")), *chain.from_iterable(args)]
