"""The replacements in the program's process are only as good as their knowledge of the SDK that they replace."""

from __future__ import annotations

import sys
from pathlib import Path

import pulumi._types as sdk_types
import pulumi.runtime.resource as sdk_resource
import pulumi.runtime.stack as sdk_stack
import pytest

import engine.host

sys.path.insert(0, str(Path(engine.host.__file__).parent))
import fast_sdk  # pyright: ignore[reportMissingImports] - a script's sibling, not a module of a package


@pytest.mark.parametrize(
    "function",
    [sdk_stack.wait_for_rpcs, sdk_resource._get_stack_trace, sdk_types._raw_return_hints],  # pyright: ignore[reportPrivateUsage] - what is replaced
)
def test_the_locked_sdk_has_the_shape_that_the_replacements_were_written_against(function: object) -> None:
    assert fast_sdk.known(function), (
        f"the SDK's {function} has changed (shape {fast_sdk.shape(function)}): "
        "read it, adapt engine/host/fast_sdk.py, then add the shape to KNOWN_SHAPES"
    )


def test_a_function_of_another_shape_is_left_alone() -> None:
    def wait_for_rpcs() -> None:
        """Another body than the SDK's."""

    assert not fast_sdk.known(wait_for_rpcs)


def test_something_without_a_source_is_left_alone() -> None:
    assert not fast_sdk.known(len)
