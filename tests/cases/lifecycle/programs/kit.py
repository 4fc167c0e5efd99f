"""What the programs here declare resources with: plain SDK classes of package ``test``, which has no package."""

from __future__ import annotations

from typing import Any

import pulumi


class Thing(pulumi.CustomResource):
    arn: pulumi.Output[str]
    version: pulumi.Output[int]

    def __init__(
        self, name: str, opts: pulumi.ResourceOptions | None = None, kind: str = "Thing", **inputs: Any
    ) -> None:
        super().__init__(f"test:index:{kind}", name, {**inputs, "arn": None, "version": None}, opts)


class Part(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, kind: str = "Part") -> None:
        super().__init__(f"shop:index:{kind}", name, None, opts)


class Provider(pulumi.ProviderResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> None:
        super().__init__("test", name, inputs, opts)
