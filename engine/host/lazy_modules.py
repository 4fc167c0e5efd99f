"""Imports a few large modules only when a program touches them.

``pulumi`` imports its Automation API and what pickles dynamic providers, ``pulumi_kubernetes`` an HTTP client for
manifests at URLs. A program seldom needs any, and together they are a sixth of what it imports. A name listed here
stands for a module that is loaded at its first use, as ``importlib.util.LazyLoader`` does it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final

LAZY: Final = frozenset({"dill", "pulumi.automation", "requests"})


class Finder:
    """Finds what Python's own finder finds; the listed modules get a loader that waits."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """As ``importlib.abc.MetaPathFinder`` has it."""
        if fullname in sys.modules and fullname.rpartition(".")[0] in LAZY:
            # Python asked the waiting parent for its path; that loaded it, and with it what is looked for here.
            return importlib.machinery.ModuleSpec(fullname, _Loaded(sys.modules[fullname]))
        if fullname not in LAZY:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


class _Loaded(importlib.abc.Loader):
    """Gives a module that is there already, as it is: a second one of its name would have classes of its own."""

    def __init__(self, module: ModuleType) -> None:
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def install() -> None:
    """From now on, import this way."""
    sys.meta_path.insert(0, Finder)
