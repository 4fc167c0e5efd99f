"""The ARNs by which people name what exists in AWS, and what they tell."""

from __future__ import annotations

import re
from typing import Final

_PLACE: Final = r"arn:(?P<partition>aws[a-z-]*):{}:(?P<region>[a-z0-9-]+):(?P<account>\d{{12}}):"

WORKSPACE_ARN: Final = re.compile(_PLACE.format("aps") + r"workspace/(?P<id>ws-[0-9a-f-]{36})")
DATABASE_ARN: Final = re.compile(_PLACE.format("rds") + r"db:(?P<name>[a-zA-Z][a-zA-Z0-9-]{0,62})")
