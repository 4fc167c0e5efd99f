"""Which run of the emulator this is: what tells a state file that its emulator is gone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

STATUS_PATH = "/_bedplate/status"  # answers with EmulatorIdentity.status as JSON
ACCOUNT_ID = "123456789012"  # moto's account when the credentials name no other
EMULATOR = "moto"


@dataclass(frozen=True)
class EmulatorIdentity:
    """One run of the emulator; ``started`` is ISO 8601 in UTC."""

    instance_id: str
    started: str
    pid: int

    @classmethod
    def of_this_process(cls, instance_id: str) -> EmulatorIdentity:
        return cls(instance_id, datetime.now(UTC).isoformat(timespec="seconds"), os.getpid())

    def status(self) -> dict[str, str | int]:
        return {
            "emulator": EMULATOR,
            "instanceId": self.instance_id,
            "started": self.started,
            "pid": self.pid,
            "accountId": ACCOUNT_ID,
        }
