"""Which Python runs a project's program."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def interpreter(root: Path, environment: str | None) -> Path:
    """That of the virtual ``environment`` which the project names; else of the one that is activated; else this one.

    One that is not there is passed over, and so is an activated one without the Pulumi SDK.
    """
    named = root / environment / "bin" / "python" if environment else None
    if named is not None and named.exists():
        return named
    ours = Path(sys.executable)
    active = Path(os.environ.get("VIRTUAL_ENV") or sys.prefix)
    if active == Path(sys.prefix):
        return ours
    python = active / "bin" / "python"
    return python if python.exists() and any(active.glob("lib/python3*/site-packages/pulumi")) else ours
