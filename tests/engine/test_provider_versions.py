"""Provider resources say which plugin is meant as Pulumi's engine writes it down: states go back and forth."""

from __future__ import annotations

import pytest

from engine.packages import Plugin, plugin_inputs
from engine.provider_registry import ProviderRegistry, configuration
from engine.provider_resources import ProviderResources
from engine.providers.base import DiffKind
from engine.values import Properties
from tests.engine.lifecycle.cloud import Cloud, CloudProvider

TYPE = "pulumi:providers:test"
URN = f"urn:pulumi:dev::shop::{TYPE}::p"


@pytest.fixture
def resources() -> ProviderResources:
    return ProviderResources(ProviderRegistry({"test": lambda: CloudProvider(Cloud())}))


@pytest.mark.parametrize(
    ("version", "url", "expected"),
    [
        ("1.2.3", "", {"version": "1.2.3", "__internal": {}}),
        ("", "https://example.com", {"__internal": {"pluginDownloadURL": "https://example.com"}}),
        ("", "", {}),
    ],
)
def test_what_the_engine_writes_down(version: str, url: str, expected: Properties) -> None:
    """As the checkpoint of Pulumi 3.260 has it."""
    assert plugin_inputs(Plugin(version, url)) == expected
    assert configuration({"region": "here", **expected}) == {"region": "here"}


def test_what_is_internal_is_no_output(resources: ProviderResources) -> None:
    inputs: Properties = {"region": "here", **plugin_inputs(Plugin("1.2.3"))}
    made = resources.create(URN, TYPE, inputs, timeout=0, preview=False, token="t")
    assert made.outputs == {"region": "here", "version": "1.2.3"}
    checked = resources.check(URN, TYPE, None, inputs, seed="s")
    assert checked.inputs == inputs


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("1.0.0", "2.0.0", DiffKind.UPDATE),
        ("", "2.0.0", DiffKind.ADD),
        ("1.0.0", "", DiffKind.DELETE),
        ("1.0.0", "1.0.0", None),
    ],
)
def test_another_version_is_an_update(resources: ProviderResources, old: str, new: str, kind: DiffKind | None) -> None:
    diff = resources.compare(TYPE, plugin_inputs(Plugin(old)), plugin_inputs(Plugin(new)))
    assert diff.changes is (kind is not None)
    assert diff.detailed == ({} if kind is None else {"version": kind})
    assert not diff.replaces
