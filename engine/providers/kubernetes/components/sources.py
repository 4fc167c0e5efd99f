"""Where manifests are: in files, behind addresses, in texts and in values of the program."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from engine.kubernetes.documents import unreadable
from engine.providers.base import ProviderError
from engine.providers.kubernetes.texts import documents_of
from engine.values import UNKNOWN, Value, has_secret, reveal

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PATTERN: Final = re.compile(r"(?:^|[^\\])[*?\[]")  # what makes a pattern of a path, as Go's filepath.Match has it
_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Found:
    """What stands where an object is expected, and the place. UNKNOWN is what only the apply will know.

    ``sealed``: it came from a secret as a whole.
    """

    place: str
    content: Value
    sealed: bool = False


def in_files(inputs: Mapping[str, Value], key: str, folder: Path) -> Iterator[Found]:
    """What is in the files that the input ``key`` lists: paths, patterns and addresses. Raises ProviderError."""
    names = reveal(inputs.get(key))
    if names is UNKNOWN:
        yield Found(key, UNKNOWN)
        return
    if names is not None and not isinstance(names, list):
        raise ProviderError(f"{key}: expected a list of paths, got {type(names).__name__}")
    for place, name in enumerate(cast("list[Value]", names or [])):
        if name is UNKNOWN:
            yield Found(f"{key}[{place}]", UNKNOWN)
        elif not isinstance(name, str):
            raise ProviderError(f"{key}[{place}]: expected a path, got {type(name).__name__}")
        elif _PATTERN.search(name) and not _ADDRESS.match(name):
            for path in _matching(name, folder):
                yield from _in_file(path, folder)
        else:
            yield from _in_file(name, folder)


def in_file(inputs: Mapping[str, Value], key: str, folder: Path) -> Iterator[Found]:
    """What is in the one file that the input ``key`` names. Raises ProviderError."""
    name = reveal(inputs.get(key))
    if name is UNKNOWN:
        yield Found(key, UNKNOWN)
    elif not isinstance(name, str):
        raise ProviderError(f"{key}: expected a path, got {type(name).__name__}")
    else:
        yield from _in_file(name, folder)


def in_text(inputs: Mapping[str, Value], key: str) -> Iterator[Found]:
    """What is in the YAML text that the input ``key`` holds. Raises ProviderError."""
    text = reveal(inputs.get(key))
    if text is UNKNOWN:
        yield Found(key, UNKNOWN)
    elif isinstance(text, str):
        sealed = has_secret(inputs[key])
        yield from (Found(place, content, sealed) for place, content in _documents_of(text, key, sealed=sealed))
    elif text is not None:
        raise ProviderError(f"{key}: expected a YAML text, got {type(text).__name__}")


def _documents_of(text: str, key: str, *, sealed: bool) -> list[tuple[str, Value]]:
    try:
        return documents_of(text, key)
    except ProviderError as error:
        if not sealed:
            raise
        raise ProviderError(
            f"{str(error).partition(': not YAML')[0]}: not YAML; it is secret, so no more is shown"
        ) from None


def in_values(inputs: Mapping[str, Value], key: str) -> Iterator[Found]:
    """What the program has listed as values in the input ``key``. Raises ProviderError."""
    given = inputs.get(key)
    values, sealed = reveal(given), not isinstance(given, list) and has_secret(given)
    if values is UNKNOWN:
        yield Found(key, UNKNOWN)
        return
    if values is not None and not isinstance(values, list):
        raise ProviderError(f"{key}: expected a list of objects, got {type(values).__name__}")
    kept = cast("list[Value]", (values if sealed else given) or [])
    yield from (Found(f"{key}[{place}]", value, sealed) for place, value in enumerate(kept))


def _in_file(name: str, folder: Path) -> Iterator[Found]:
    text = _fetched(name) if _ADDRESS.match(name) else _read(name, folder)
    yield from (Found(place, content) for place, content in documents_of(text, name))


def _read(name: str, folder: Path) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ProviderError(unreadable(name, error)) from error


def _fetched(address: str) -> str:
    import urllib3  # most manifests are files, and a preview is quick

    if not address.startswith(("http://", "https://")):
        raise ProviderError(f"{address}: expected a path, or an address that begins with https://")
    try:
        answer = urllib3.request("GET", address, timeout=_SECONDS, retries=urllib3.Retry(2, backoff_factor=0.5))
        text = answer.data.decode()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise ProviderError(f"{address}: can't be fetched: {error}") from error
    if answer.status != 200:
        raise ProviderError(f"{address}: can't be fetched: the server answered {answer.status} {answer.reason}")
    return text


def _matching(pattern: str, folder: Path) -> list[str]:
    """The paths that a pattern of Go's means: its ``[^a]`` is Python's ``[!a]``, its ``\\*`` is ``[*]``."""
    python_s = re.sub(r"\\(.)", r"[\1]", pattern).replace("[^", "[!")
    return sorted(glob.glob(python_s, root_dir=folder, include_hidden=True))  # noqa: PTH207 - to Path ** is recursive
