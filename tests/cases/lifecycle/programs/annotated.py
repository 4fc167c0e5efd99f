"""A resource class whose annotation is text, which the SDK evaluates when the program's own module has gone."""

from __future__ import annotations

import pulumi


class Thing(pulumi.CustomResource):
    arn: pulumi.Output[str]

    def __init__(self, name: str) -> None:
        super().__init__("test:index:Thing", name, {"arn": None})


pulumi.export("arn", Thing("a").arn)
