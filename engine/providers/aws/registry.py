"""Which types the AWS provider has. A type's file follows from its token, so that only what is asked for is read."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from engine.providers.aws.parse import SpecInvalid, parse
from engine.providers.aws.spec import Spec

SPECS = Path(__file__).parent / "specs"
_TOKEN = re.compile(r"aws:(?P<module>\w+)/(?P<name>\w+):(?P<type>\w+)")


def path_of(type_: str) -> Path | None:
    """Where the specification of ``type_`` lies, or would lie: ``aws:s3/bucketPolicy:BucketPolicy`` in
    s3/bucket_policy.yaml. None for what is no type of this package."""
    match = _TOKEN.fullmatch(type_)
    if match is None or match["type"].lower() != match["name"].lower():
        return None
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", match["name"]).lower()
    return SPECS / match["module"] / f"{snake}.yaml"


@functools.cache
def load(type_: str) -> Spec | None:
    """The specification of a type, or None when there is none. Raises SpecInvalid when its file is wrong."""
    path = path_of(type_)
    if path is None or not path.is_file():
        return None
    spec = parse(path)
    if spec.type != type_:
        raise SpecInvalid(f"{path}: type: expected {type_}, by the file's name, got {spec.type}")
    return spec


def types() -> list[str]:
    """Every type that has a specification, by the first line of its file."""
    found: list[str] = []
    for path in sorted(SPECS.glob("*/*.yaml")):
        with path.open(encoding="utf-8") as file:
            first = next((line for line in file if not line.startswith("#")), "")
        found.append(first.removeprefix("type:").strip())
    return sorted(found)
