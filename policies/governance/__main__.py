"""Serves the pack to Pulumi's engine: ``pulumi preview --policy-pack policies/governance``."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Find our modules from the repository's root: Pulumi runs this file by its path, from the pack's own folder."""
    others = [path for path in sys.path if path and Path(path).resolve() != FOLDER]
    sys.path[:] = [str(FOLDER.parents[1]), *others]

    from policies.governance import GOVERNANCE

    GOVERNANCE.serve()


main()
