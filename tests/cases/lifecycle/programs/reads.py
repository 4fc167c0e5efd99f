"""An existing resource that is only looked at, one that is imported, and options that end in the state."""

from __future__ import annotations

import pulumi
from kit import Thing

found = Thing("found", pulumi.ResourceOptions(id="found-1"))
Thing("user", of=found.arn)
Thing("taken", pulumi.ResourceOptions(import_="found-1"), size=1)
Thing(
    "options",
    pulumi.ResourceOptions(
        protect=True,
        retain_on_delete=True,
        deleted_with=found,
        ignore_changes=["x"],
        replace_on_changes=["y"],
        custom_timeouts=pulumi.CustomTimeouts(create="5m"),
        delete_before_replace=True,
    ),
    file=pulumi.StringAsset("hi"),
)
