"""YAML with the values that JSON has not: ``!unknown ''``, ``!secret TEXT or mapping``, ``!asset PATH``."""

from __future__ import annotations

import yaml

from engine.values import UNKNOWN, Asset, Secret, Unknown


class Loader(yaml.SafeLoader):
    """YAML with the special values."""


def _unknown(_loader: Loader, _node: yaml.Node) -> Unknown:
    return UNKNOWN


def _secret(loader: Loader, node: yaml.Node) -> Secret:
    if isinstance(node, yaml.MappingNode):
        return Secret(loader.construct_mapping(node, deep=True))
    assert isinstance(node, yaml.ScalarNode), "a secret is a text or a mapping"
    return Secret(loader.construct_scalar(node))


def _asset(loader: Loader, node: yaml.Node) -> Asset:
    assert isinstance(node, yaml.ScalarNode), "an asset is a path"
    return Asset(path=loader.construct_scalar(node))


Loader.add_constructor("!unknown", _unknown)
Loader.add_constructor("!secret", _secret)
Loader.add_constructor("!asset", _asset)
