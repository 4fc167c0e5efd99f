"""Configuration that nobody has given costs nothing."""

from __future__ import annotations

import sys

import pytest

from engine.analyzer.config import reconciled
from engine.analyzer.errors import BadConfig
from engine.analyzer.findings import Level, PackInfo, PolicyConfig, PolicyInfo

SCHEMA = {"limit": {"type": "number", "minimum": 1, "default": 3}}


def test_what_a_pack_brings_along_is_not_checked_against_its_own_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """The validator takes a quarter of a second to import, and each policy's schema takes a millisecond."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)  # can't be imported
    policy = PolicyInfo("small", "Things are small", Level.MANDATORY, schema=SCHEMA)
    info = PackInfo("sizes", "1.0", (policy,))
    assert reconciled(info, {}) == {"small": PolicyConfig(Level.MANDATORY, {"limit": 3})}
    assert reconciled(info, {"small": PolicyConfig(properties={"limit": 4})})["small"].properties == {"limit": 4}
    for value in (0, "4", True):  # what may be wrong is left to the validator
        with pytest.raises(ImportError):
            reconciled(info, {"small": PolicyConfig(properties={"limit": value})})


def test_a_text_is_not_given_to_the_validator_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line tells each pack of ours the name of a file."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)  # can't be imported
    policy = PolicyInfo("used", "Use is known", Level.MANDATORY, schema={"file": {"type": "string", "title": "File"}})
    info = PackInfo("sizes", "1.0", (policy,))
    assert reconciled(info, {"used": PolicyConfig(properties={"file": ""})})["used"].properties == {"file": ""}
    with pytest.raises(ImportError):
        reconciled(info, {"used": PolicyConfig(properties={"file": 4})})


def test_what_must_be_given_is_missed_where_it_is_not() -> None:
    policy = PolicyInfo("small", "Things are small", Level.MANDATORY, schema=SCHEMA, required=("unit",))
    with pytest.raises(BadConfig, match="'unit' is a required property"):
        reconciled(PackInfo("sizes", "1.0", (policy,)), {})
