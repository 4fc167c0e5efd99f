"""Remediation: off, suggested as a patch that people see, or applied by the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2 as wire

from policies.kit import Resource
from tests.policies.kit_packs import UNKNOWN, Serve, pack_of, secret

APPLY = {"remediation": "apply"}


def shut(thing: Resource) -> Iterator[str]:
    if thing.properties.get("lid", "open").boolean():
        yield "lid.open is true"


def labelled(thing: Resource) -> Iterator[str]:
    if thing.properties.get("label").missing:
        yield "has no label"


def close_lid(properties: dict[str, Any]) -> dict[str, Any]:
    properties["lid"] = {**properties["lid"], "open": False}
    return properties


def label(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {**properties, "label": parameters["label"]}


def break_down(properties: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("no lid")


LABEL = {"label": {"type": "string", "default": "none"}}
OPEN = {"lid": {"open": True, "hinge": "left"}, "size": 3, "from": UNKNOWN, "key": secret("hush")}


def test_the_patch_is_suggested_where_nothing_else_is_said(serve: Serve) -> None:
    [one] = serve(pack_of(shut, mend=close_lid)).analyze(OPEN)
    assert one.message == "lid.open is true\nwould be mended by:\n  lid.open: true -> false"
    assert one.level == "mandatory"


def test_the_patch_is_shown_once_for_a_resource(serve: Serve) -> None:
    def twice(thing: Resource) -> Iterator[str]:
        yield from shut(thing)
        yield from shut(thing)

    first, second = serve(pack_of(twice, mend=close_lid)).analyze(OPEN)
    assert "would be mended" in first.message and "would be mended" not in second.message


def test_what_is_added_was_absent_and_what_is_hidden_stays_so(serve_ours: Serve) -> None:
    def mend(properties: dict[str, Any]) -> dict[str, Any]:
        return {"lid": {"open": False}, "from": "here", "key": {"inner": properties["key"]}, "new": [UNKNOWN]}

    [one] = serve_ours(pack_of(shut, mend=mend)).analyze(OPEN)
    assert one.message.splitlines()[2:] == [
        '  from: "(not known yet)" -> "here"',
        '  key: "[secret]" -> {"inner": "[secret]"}',
        '  lid.hinge: "left" -> (absent)',
        "  lid.open: true -> false",
        '  new: (absent) -> ["(not known yet)"]',
        "  size: 3 -> (absent)",
    ]


def test_a_secret_that_a_mend_copies_is_not_shown(serve_ours: Serve) -> None:
    def mend(properties: dict[str, Any]) -> dict[str, Any]:
        return {**properties, "copy": properties["key"].value}

    [one] = serve_ours(pack_of(shut, mend=mend)).analyze({**OPEN, "size": 1})
    assert one.message.splitlines()[2:] == ['  copy: (absent) -> "[secret]"']


@pytest.mark.parametrize(
    "settings", [{"remediation": "off"}, {"remediation": False}, {"rules": {"shut": {"remediation": "off"}}}]
)
def test_off_neither_shows_nor_mends(settings: dict[str, Any], serve: Serve) -> None:
    serving = serve(pack_of(shut, mend=close_lid), settings)
    assert [one.message for one in serving.analyze(OPEN)] == ["lid.open is true"]
    assert serving.remediate(OPEN) is None


def test_suggesting_changes_nothing(serve: Serve) -> None:
    assert serve(pack_of(shut, mend=close_lid)).remediate(OPEN) is None


def test_applying_rewrites_what_the_rule_mends_and_keeps_secrets_and_unknowns(serve: Serve) -> None:
    serving = serve(pack_of(shut, mend=close_lid), APPLY)
    assert serving.info().policies[0].enforcementLevel == wire.REMEDIATE
    assert serving.remediate(OPEN) == {**OPEN, "lid": {"open": False, "hinge": "left"}}


def test_what_is_left_over_is_reported(serve: Serve) -> None:
    serving = serve(pack_of(shut, mend=close_lid), APPLY)
    assert [(one.level, one.message) for one in serving.analyze(OPEN)] == [("mandatory", "lid.open is true")]


def test_what_is_left_over_of_an_advisory_rule_is_advisory(serve_ours: Serve) -> None:
    serving = serve_ours(pack_of(shut, mend=close_lid, level="advisory"), APPLY)
    assert serving.remediate(OPEN) is not None
    assert [one.level for one in serving.analyze(OPEN)] == ["advisory"]


def test_a_disabled_rule_mends_nothing(serve: Serve) -> None:
    assert serve(pack_of(shut, mend=close_lid, level="disabled"), APPLY).remediate(OPEN) is None


def test_one_mend_works_on_what_the_one_before_left(serve: Serve) -> None:
    pack = pack_of(shut, mend=close_lid)
    known: dict[str, Any] = {"number": 2, "title": "Labels", "severity": "low", "fix": "Add it.", "mend": label}
    pack.rule("labelled", types=("shop:thing",), parameters=LABEL, **known)(labelled)
    settings = {**APPLY, "rules": {"labelled": {"parameters": {"label": "x"}}}}
    assert serve(pack, settings).remediate({"lid": {"open": True}}) == {"lid": {"open": False}, "label": "x"}


def test_what_is_fine_and_what_can_not_be_judged_is_not_mended(serve: Serve) -> None:
    serving = serve(pack_of(shut, mend=close_lid), APPLY)
    assert serving.remediate({"lid": {"open": False}}) is None
    assert serving.remediate({"lid": {"open": UNKNOWN}}) is None


def test_what_an_exception_covers_is_not_mended(serve: Serve) -> None:
    one = {"rule": "shut", "resource": "it", "reason": "r", "owner": "o", "expires": "2027-01-01"}
    serving = serve(pack_of(shut, mend=close_lid), {**APPLY, "exceptions": [one]})
    assert serving.remediate(OPEN) is None and serving.remediate(OPEN, "other") is not None


def test_a_risky_mend_is_only_applied_where_the_rule_is_named(serve: Serve) -> None:
    pack = pack_of(shut, mend=close_lid, mend_risk="replaces the thing")
    assert serve(pack, APPLY).remediate(OPEN) is None
    [one] = serve(pack, APPLY).analyze(OPEN)
    assert "would be mended by (replaces the thing):" in one.message
    assert serve(pack, {"rules": {"shut": APPLY}}).remediate(OPEN) is not None


def test_a_mend_that_fails_leaves_the_violation_and_says_so(serve: Serve) -> None:
    [one] = serve(pack_of(shut, mend=break_down)).analyze(OPEN)
    assert one.message == "lid.open is true\nit can't be mended by itself: KeyError: 'no lid'"
    serving = serve(pack_of(shut, mend=break_down), APPLY)
    assert serving.remediate(OPEN) is None and len(serving.analyze(OPEN)) == 1


@pytest.mark.parametrize("answer", [None, OPEN])
def test_a_mend_that_changes_nothing_is_none(answer: dict[str, Any] | None, serve: Serve) -> None:
    def mend(properties: dict[str, Any]) -> dict[str, Any] | None:
        return None if answer is None else properties

    assert serve(pack_of(shut, mend=mend), APPLY).remediate(OPEN) is None
    assert [one.message for one in serve(pack_of(shut, mend=mend)).analyze(OPEN)] == ["lid.open is true"]


def test_the_engine_may_ask_for_remediation_by_configuration(serve: Serve) -> None:
    serving = serve(pack_of(shut, mend=close_lid))
    serving.configure("shut", "REMEDIATE")
    assert serving.remediate(OPEN) is not None
