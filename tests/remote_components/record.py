"""``python -m tests.remote_components.record [TEXT]``: asks the Pulumi CLI, on PATH, what the cases come to.

With TEXT those whose names hold it, else all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.remote_components.cases import CASES
from tests.remote_components.place import WithTheCli, is_there
from tests.remote_components.playing import path_of, play


def main() -> int:
    if not is_there():
        print("needs the `pulumi` command on PATH", file=sys.stderr)
        return 2
    version = subprocess.run(["pulumi", "version"], capture_output=True, text=True, check=True).stdout.strip()
    for case in (case for case in CASES if not sys.argv[1:] or sys.argv[1] in case.name):
        with tempfile.TemporaryDirectory() as folder:
            came_to = play(case, WithTheCli(Path(folder)))
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        kept = {"pulumi": version, "date": day, "digest": case.digest, "came_to": came_to}
        path_of(case).write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{case.name}: {len(came_to['runs'])} runs", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
