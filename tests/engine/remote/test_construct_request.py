"""What a provider is told that constructs a component."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from engine.goals import Goal
from engine.providers.base import Caller
from engine.providers.remote.components import construct_request
from engine.providers.remote.connection import Abilities


def nobody(_method: str, _request: Any) -> Future[Any]:
    raise AssertionError("what another process constructs it registers itself")


CALLER = Caller("shop", "dev", {}, (), preview=True, parallel=1, monitor="127.0.0.1:1", ask=nobody)


def test_a_component_is_constructed_with_its_hooks() -> None:
    hooks = {"BeforeCreate": ("h", "i"), "AfterDelete": ("j",)}
    goal = Goal("parts:index:Part", "p", custom=False, inputs={}, remote=True, resource_hooks=hooks)
    told = construct_request(goal, CALLER, Abilities()).resource_hooks
    assert (list(told.before_create), list(told.after_delete), list(told.after_create)) == (["h", "i"], ["j"], [])


def test_a_component_without_hooks_has_no_binding() -> None:
    goal = Goal("parts:index:Part", "p", custom=False, inputs={}, remote=True)
    assert not construct_request(goal, CALLER, Abilities()).HasField("resource_hooks")
