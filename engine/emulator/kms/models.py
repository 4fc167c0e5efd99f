"""The KMS backend that moto is given instead of its own. Source: KMS API reference, EnableKeyRotation, PutKeyPolicy."""

from __future__ import annotations

import json

from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend

DEFAULT_ROTATION_PERIOD = 365  # days


class MalformedPolicyError(JsonRESTError):
    code = 400

    def __init__(self) -> None:
        super().__init__("MalformedPolicyDocumentException", "The key policy is not a JSON document with a Statement")


class ExtendedKmsBackend(KmsBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.rotation_periods: dict[str, int] = {}

    def set_rotation_period(self, key_id: str, days: int | None) -> None:
        if days is not None:
            self.rotation_periods[self.get_key_id(key_id)] = days

    def rotation_period(self, key_id: str) -> int:
        """Days between two rotations of the key."""
        return self.rotation_periods.get(self.get_key_id(key_id), DEFAULT_ROTATION_PERIOD)

    def put_key_policy(self, key_id: str, policy: str) -> None:
        try:
            document = json.loads(policy)
        except ValueError:
            raise MalformedPolicyError from None
        if not isinstance(document, dict) or "Statement" not in document:
            raise MalformedPolicyError
        super().put_key_policy(key_id, policy)
