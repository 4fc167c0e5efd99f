"""Pulumi's protocol messages and services, loaded without the SDK around them.

Importing ``pulumi.runtime.proto`` imports the whole SDK first, which takes 0.4 s and which an engine has no use for.
The generated modules need only one another, so they are loaded here below a name of our own.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulumi.runtime.proto import (
        alias_pb2,
        analyzer_pb2,
        analyzer_pb2_grpc,
        callback_pb2,
        callback_pb2_grpc,
        engine_pb2,
        engine_pb2_grpc,
        errors_pb2,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
        resource_pb2,
        resource_pb2_grpc,
        status_pb2,
    )

__all__ = [
    "alias_pb2",
    "analyzer_pb2",
    "analyzer_pb2_grpc",
    "callback_pb2",
    "callback_pb2_grpc",
    "engine_pb2",
    "engine_pb2_grpc",
    "errors_pb2",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "resource_pb2",
    "resource_pb2_grpc",
    "status_pb2",
]

_PACKAGE: Final = "engine._protocol"
_LARGEST: Final = 400 * 1024 * 1024  # bytes, as the SDK's own channels and servers have it
MESSAGE_SIZES: Final = [("grpc.max_receive_message_length", _LARGEST), ("grpc.max_send_message_length", _LARGEST)]


def _package() -> str:
    """The package to load from: the SDK's own where it has been imported already, else ours over its files."""
    if "pulumi.runtime.proto" in sys.modules:
        return "pulumi.runtime.proto"
    if _PACKAGE not in sys.modules:
        spec = importlib.util.find_spec("pulumi")
        if spec is None or spec.origin is None:
            raise ImportError("the package 'pulumi' is not installed; run `uv sync`")
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(Path(spec.origin).parent / "runtime" / "proto")]
        sys.modules[_PACKAGE] = package
    return _PACKAGE


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{_package()}.{name}")
    globals()[name] = module
    return module
