"""Ends the emulator when its sandbox is gone, so that a removed directory or a crashed ``up`` orphans no process."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

INTERVAL = 2.0  # seconds between two looks
GRACE = 10.0  # seconds that a fresh sandbox has to write its record


def belongs(record: Path, instance_id: str) -> bool:
    """Whether the sandbox's record exists and names this instance."""
    try:
        content = json.loads(record.read_text())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("instance_id") == instance_id


def end_without(record: Path, instance_id: str, *, interval: float = INTERVAL, grace: float = GRACE) -> None:
    """Start the thread that ends this process once ``record`` no longer names ``instance_id``."""
    deadline = time.monotonic() + grace

    def watch() -> None:
        seen = False
        while True:
            time.sleep(interval)
            if belongs(record, instance_id):
                seen = True
            elif seen or time.monotonic() > deadline:
                print(f"{record} no longer names instance {instance_id}: ending", file=sys.stderr, flush=True)
                os._exit(0)

    threading.Thread(target=watch, name="sandbox-watch", daemon=True).start()
