"""Registers and then ends as the environment says."""

from __future__ import annotations

import os
import sys

import pulumi
from kit import Thing

how = pulumi.Config().get("how")
Thing("a")
if how == "raise":
    raise ValueError("boom")
if how == "exit":
    sys.exit(3)
if how == "vanish":
    os._exit(0)
