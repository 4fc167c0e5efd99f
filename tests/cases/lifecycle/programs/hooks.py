"""Hooks of a resource and of a component. The configuration says which of both there are and which hook fails."""

from __future__ import annotations

import atexit
import os
import time

import pulumi
from kit import Part, Thing

config = pulumi.Config()
declared = (config.get("declared") or "a,k").split(",")
fails = config.get("fails") or ""


def hook(name: str, *, on_dry_run: bool = False) -> pulumi.ResourceHook:
    async def told(args: pulumi.ResourceHookArgs) -> None:
        print(f"hook {name} {args.name} {args.old_outputs and args.old_outputs['arn']}", flush=True)
        if fails == name:
            raise ValueError("not so")
        if fails == f"{name} hangs":
            time.sleep(600)
        if fails == f"{name} dies":
            os._exit(3)

    return pulumi.ResourceHook(name, told, pulumi.ResourceHookOptions(on_dry_run=on_dry_run))


def anonymous(args: pulumi.ResourceHookArgs) -> None:
    print(f"anonymous {args.name} {args.new_inputs}", flush=True)


created, going, gone = hook("created", on_dry_run=True), hook("going"), hook("gone")
atexit.register(print, "the last word", flush=True)
if "a" in declared:
    Thing(
        "a",
        pulumi.ResourceOptions(
            hooks=pulumi.ResourceHookBinding(
                before_create=[anonymous], after_create=[created], before_delete=[going], after_delete=[gone]
            )
        ),
        size=1,
    )
if "k" in declared:
    part = Part("k", pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(after_create=[created])))
    part.register_outputs({"x": 1})
if config.get("twice"):
    hook("created")
if config.get("twice_for_errors"):
    pulumi.ErrorHook("created", lambda _: True)
