"""The program of the recorded event logs: resources of the toy provider, which ``V`` changes."""

from __future__ import annotations

import os
from typing import Any

import pulumi


class Thing(pulumi.CustomResource):
    arn: pulumi.Output[str]

    def __init__(self, name: str, type: str = "Thing", **inputs: Any) -> None:
        super().__init__(f"test:index:{type}", name, {**inputs, "arn": None, "version": None})


version = os.environ.get("V", "1")
secret = pulumi.Output.secret("hunter2-secret")
a = Thing("a", key=version, size=1)
b = Thing("b", size=int(version), tags={"x": version}, of=a.arn)
c = Thing("c", type="Named", key=version, pw=secret)
d = Thing("d", of=c.arn, key=c.arn)
if version == "1":
    Thing("gone", size=1)
if version == "3":
    raise RuntimeError("program failed")
pulumi.export("a", a.arn)
