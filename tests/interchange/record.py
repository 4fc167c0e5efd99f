"""``python -m tests.interchange.record``: has the Pulumi CLI, on PATH, bring the cases up, and keeps its exports."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime

from tests.interchange.handed_over import CASES, by_the_cli, path_of
from tests.parity.record import the_cli


def main() -> int:
    if shutil.which("pulumi") is None:
        print("needs the `pulumi` command on PATH", file=sys.stderr)
        return 2
    with the_cli() as cli:
        for case in CASES:
            handed = replace(by_the_cli(case, cli), date=datetime.now(UTC).strftime("%Y-%m-%d"))
            text = json.dumps(asdict(handed), indent=1, ensure_ascii=False)
            path_of(case).write_text(f"{text}\n", encoding="utf-8")
            print(f"{case.name}: {len(handed.export['deployment']['resources'])} resources", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
