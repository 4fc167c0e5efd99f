"""Folders that kustomize builds, by the ``kustomize`` or the ``kubectl`` that is on PATH."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Final

from engine.providers.base import NotHere, ProviderError
from engine.providers.kubernetes.components.sources import Found
from engine.providers.kubernetes.texts import documents_of
from engine.values import UNKNOWN, Value, reveal

_COMMANDS: Final = (("kustomize", "build"), ("kubectl", "kustomize"))
# As Pulumi's provider has it: files from anywhere, and charts where there is a helm.
_OPTIONS: Final = ("--load-restrictor", "LoadRestrictionsNone", "--enable-helm")
_SECONDS: Final = 300.0  # bases may be repositories elsewhere
_LOOK: Final = 0.5  # seconds between two looks at whether the run stops


def in_directory(inputs: Mapping[str, Value], key: str, folder: Path, stopping: Event) -> Iterator[Found]:
    """What the folder that the input ``key`` names comes to. Raises ProviderError, NotHere where nothing builds it."""
    directory = reveal(inputs.get(key))
    if directory is UNKNOWN:
        yield Found(key, UNKNOWN)
    elif not isinstance(directory, str) or not directory:
        raise ProviderError(f"{key}: expected the path of a folder, got {directory!r}")
    else:
        yield from (Found(*each) for each in documents_of(_built(directory, folder, stopping), f"{directory}, built"))


def _built(directory: str, folder: Path, stopping: Event) -> str:
    command = next((each for each in _COMMANDS if shutil.which(each[0])), None)
    if command is None:
        raise NotHere(
            "neither `kustomize` nor `kubectl` is on PATH to build it: install one, or have it built elsewhere"
            " (`kubectl kustomize`) and give what comes of it to kubernetes.yaml.v2.ConfigGroup"
        )
    line = [*command, *_OPTIONS, "--", directory]
    try:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            line, cwd=folder, text=True, errors="replace", start_new_session=True,  # Ctrl-C is the engine's to pass on
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise ProviderError(f"{directory}: {command[0]} can't be run: {error.strerror}") from error
    with process:
        out, complaints = _ended(process, f"{directory}: {command[0]}", stopping)
    if process.returncode != 0:
        told = " ".join(complaints.removeprefix("error: ").removeprefix("Error: ").split())
        raise ProviderError(f"{directory}: {command[0]}: {told or f'ended with {process.returncode}'}")
    return out


def _ended(process: subprocess.Popen[str], name: str, stopping: Event) -> tuple[str, str]:
    """What a process writes until it ends; it is killed where it takes too long or where the run stops.

    With all that it has started: git, for one, holds what it writes to open, too.
    """
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            return process.communicate(timeout=_LOOK)
        except subprocess.TimeoutExpired as error:
            if stopping.is_set() or time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                why = "was ended because the run stops" if stopping.is_set() else f"did not end within {_SECONDS:g} s"
                raise ProviderError(f"{name} {why}") from error
