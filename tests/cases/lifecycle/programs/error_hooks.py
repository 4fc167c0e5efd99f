"""A resource with a hook for errors. The configuration says what it is to be, and how the hook ends."""

from __future__ import annotations

import asyncio
import os

import pulumi
from kit import Thing

config = pulumi.Config()
hook = config.get("hook") or ""


async def wants(args: pulumi.ErrorHookArgs) -> bool:
    print(f"hook {args.failed_operation} {args.name} {len(args.errors)} {args.errors[0]}", flush=True)
    if hook == "fails":
        raise ValueError("not so")
    if hook == "dies":
        os._exit(3)
    if hook == "hangs":
        await asyncio.sleep(600)
    return hook != "declines"


retry = pulumi.ErrorHook("retry", wants)
if size := config.get_int("size"):
    Thing("a", pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(on_error=[retry])), size=size)
