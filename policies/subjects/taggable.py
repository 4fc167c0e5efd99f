"""Which AWS resources take tags: data, made from the installed SDK by ``python -m policies.subjects.taggable``.

A plan doesn't say whether a resource without tags could have some; the SDK's classes do, and importing them all would
cost a preview seconds.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parent / "data" / "taggable_types.txt"
_TOKEN: Final = re.compile(r"super\(\w+, __self__\)\.__init__\(\s*'(aws:[^']+)'")


@functools.cache
def taggable_types() -> frozenset[str]:
    """The types of AWS resources that take tags, as the table has them."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def of_sdk() -> Iterator[str]:
    """The types whose classes in the installed SDK have ``tagsAll``."""
    spec = find_spec("pulumi_aws")
    assert spec is not None, "a dependency of this project"
    assert spec.origin is not None, "a package on disk"
    for path in Path(spec.origin).parent.glob("*/*.py"):
        text = path.read_text(encoding="utf-8")
        if "def tags_all(" in text:
            yield from _TOKEN.findall(text)


def table_of(types: Iterator[str]) -> str:
    """The text of the table."""
    return "\n".join(
        [
            "# Types of pulumi_aws that take tags. Made by `python -m policies.subjects.taggable`.",
            *sorted(set(types)),
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(f"{TABLE.write_text(table_of(of_sdk()), encoding='utf-8')} characters in {TABLE}\n")
