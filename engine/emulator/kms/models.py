"""The KMS backend that moto is given instead of its own. Source: KMS API reference, EnableKeyRotation, PutKeyPolicy."""

from __future__ import annotations

import json

from moto.core.exceptions import JsonRESTError
from moto.kms import models
from moto.kms.models import Key, KmsBackend
from moto.kms.utils import AbstractPrivateKey, generate_private_key

DEFAULT_ROTATION_PERIOD = 365  # days
_PAIRS = ("RSA_", "ECC_", "SM2")  # what specs of keys that have a public half begin with


class MalformedPolicyError(JsonRESTError):
    code = 400

    def __init__(self) -> None:
        super().__init__("MalformedPolicyDocumentException", "The key policy is not a JSON document with a Statement")


class UnsupportedOperationError(JsonRESTError):
    code = 400

    def __init__(self, key: Key) -> None:
        super().__init__("UnsupportedOperationException", f"{key.arn} is {key.key_spec}: it has no public key")


def _private_key(key_spec: str) -> AbstractPrivateKey | None:
    """moto makes a pair for symmetric keys, too, which nobody can see: that takes the twentieth part of a second."""
    return generate_private_key(key_spec) if key_spec.startswith(_PAIRS) else None


models.generate_private_key = _private_key  # pyright: ignore[reportPrivateImportUsage]


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

    def get_public_key(self, key_id: str) -> tuple[Key, bytes]:
        key = self.describe_key(key_id)
        if not key.key_spec.startswith(_PAIRS):
            raise UnsupportedOperationError(key)
        return super().get_public_key(key_id)

    def put_key_policy(self, key_id: str, policy: str) -> None:
        try:
            document = json.loads(policy)
        except ValueError:
            raise MalformedPolicyError from None
        if not isinstance(document, dict) or "Statement" not in document:
            raise MalformedPolicyError
        super().put_key_policy(key_id, policy)
