"""Which plugin a package comes from: one of its own, or one that is made to serve it by parameters."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.values import Properties

INTERNAL: Final = "__internal"  # the input of a provider resource in which Pulumi's engine keeps what is its own
_URL: Final = "pluginDownloadURL"


@dataclass(frozen=True)
class Parameters:
    """What has the plugin ``base``, of ``base_version``, serve the package ``name`` of ``version``.

    ``value`` is a matter between the plugin and the package's SDK.
    """

    base: str
    base_version: str
    name: str
    version: str
    value: bytes


@dataclass(frozen=True)
class Plugin:
    """Which plugin serves a package: its version and where it is from, "" for any, and what makes it serve it."""

    version: str = ""
    url: str = ""
    parameters: Parameters | None = None


def plugin_inputs(plugin: Plugin, mapped: Mapping[str, str] | None = None) -> Properties:
    """The inputs of a provider resource that say which plugin is meant, as Pulumi's engine writes them down.

    ``mapped`` are names of variables by the names under which the plugin is to see them (``env_var_mappings``).
    """
    named: Properties = {"version": plugin.version} if plugin.version else {}
    internal: Properties = {_URL: plugin.url} if plugin.url else {}
    if mapped:
        internal["envVarMappings"] = dict(mapped)
    parameters = plugin.parameters
    if parameters is not None:
        internal["name"] = parameters.base
        if parameters.base_version:
            internal["version"] = parameters.base_version
        internal["parameterization"] = base64.b64encode(parameters.value).decode()
        named["version"] = parameters.version
    if named or internal:
        named[INTERNAL] = internal
    return named


def parameters_in(package: str, inputs: Mapping[str, Any]) -> Parameters | None:
    """What ``plugin_inputs`` has written down of the provider resource of ``package``, secrets revealed.

    Raises ValueError where it is no such thing.
    """
    internal = inputs.get(INTERNAL)
    if not isinstance(internal, dict) or "parameterization" not in internal:
        return None
    try:
        value = base64.b64decode(str(internal["parameterization"]), validate=True)
    except binascii.Error as error:
        raise ValueError(
            f"the parameters of the provider of {package} are not in base64, as the state should have them: {error}"
        ) from error
    return Parameters(
        str(internal.get("name") or package), str(internal.get("version") or ""), package,
        str(inputs.get("version") or ""), value,
    )  # fmt: skip
