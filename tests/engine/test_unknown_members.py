"""What a plain function call answers where nobody can be asked: a preview goes on, and says what it did not know."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine import urn as urns
from engine.events import Diagnostic
from engine.run import Result
from engine.values import UNKNOWN
from tests.engine.opened import Opened

# The shape that pulumi_aws is generated in: a class that refuses what is not of its kind, and one that is awaited.
CALL = """
from typing import Any, Mapping, Sequence

@pulumi.output_type
class Network:
    def __init__(__self__, blocks=None, default=None, id=None, size=None, tags=None):
        if blocks and not isinstance(blocks, list):
            raise TypeError("Expected argument 'blocks' to be a list")
        pulumi.set(__self__, "blocks", blocks)
        if default and not isinstance(default, bool):
            raise TypeError("Expected argument 'default' to be a bool")
        pulumi.set(__self__, "default", default)
        if id and not isinstance(id, str):
            raise TypeError("Expected argument 'id' to be a str")
        pulumi.set(__self__, "id", id)
        if size and not isinstance(size, int):
            raise TypeError("Expected argument 'size' to be a int")
        pulumi.set(__self__, "size", size)
        if tags and not isinstance(tags, dict):
            raise TypeError("Expected argument 'tags' to be a dict")
        pulumi.set(__self__, "tags", tags)

    @property
    @pulumi.getter
    def blocks(self) -> Sequence[Any]:
        return pulumi.get(self, "blocks")

    @property
    @pulumi.getter
    def default(self) -> bool:
        return pulumi.get(self, "default")

    @property
    @pulumi.getter
    def id(self) -> str:
        return pulumi.get(self, "id")

    @property
    @pulumi.getter
    def size(self) -> int:
        return pulumi.get(self, "size")

    @property
    @pulumi.getter
    def tags(self) -> Mapping[str, str]:
        return pulumi.get(self, "tags")

class AwaitableNetwork(Network):
    pass

def network(token):
    found = pulumi.runtime.invoke(token, {"default": True}, typ=Network).value
    names = ("blocks", "default", "id", "size", "tags")
    return AwaitableNetwork(**{name: pulumi.get(found, name) for name in names})
"""
USES = """
found = network("%s")
if not found.blocks or not found.default:
    raise Exception("nothing was found")
thing("members", id_=found.id, text=f"vpc/{found.id}", blocks=found.blocks, tags=found.tags, size=found.size)
thing("within", first=found.blocks[0].cidr, each=[block.cidr for block in found.blocks], named=found.tags["Name"],
      other=found.tags.get("Other"), keys=[key for key, _ in found.tags.items()])
"""


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return Opened(tmp_path)


def test_a_preview_goes_on_with_a_function_that_nobody_answers(opened: Opened) -> None:
    opened.write(CALL + USES % "elsewhere:index:getNetwork")
    outcome = opened.preview()
    assert outcome.result is Result.SUCCEEDED
    assert outcome.plan.unknown_types == ("elsewhere:index:getNetwork",)
    steps = {urns.name_of(step.urn): step.new.inputs for step in outcome.plan.steps if step.new}
    members = {key: value for key, value in steps["members"].items() if value is not None}
    assert members == {
        "id_": UNKNOWN, "text": UNKNOWN, "blocks": UNKNOWN, "tags": UNKNOWN, "size": UNKNOWN,
    }  # fmt: skip
    within = {key: value for key, value in steps["within"].items() if value is not None}
    assert within == {
        "first": UNKNOWN, "each": [UNKNOWN], "named": UNKNOWN, "other": UNKNOWN, "keys": [UNKNOWN],
    }  # fmt: skip


def test_an_apply_is_refused_before_anything_is_made(opened: Opened) -> None:
    opened.write(CALL + USES % "elsewhere:index:getNetwork")
    outcome = opened.up()
    assert outcome.result is Result.UNSUPPORTED
    assert any("elsewhere:index:getNetwork" in getattr(event, "message", "") for event in opened.events)
    assert not opened.cloud.live


def test_what_is_missing_is_said_with_the_python_that_misses_it(opened: Opened) -> None:
    opened.write("import pulumi_nowhere\n")
    assert opened.preview().result is Result.PROGRAM_FAILED
    (said,) = [event.message for event in opened.events if isinstance(event, Diagnostic)]
    assert "No module named 'pulumi_nowhere'" in said
    assert f"run by {sys.executable}: install it there" in said
