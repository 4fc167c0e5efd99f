"""Reads the requests of KMS and writes the answers."""

from __future__ import annotations

import json
from typing import cast

from moto.kms.responses import KmsResponse

from engine.emulator.kms.models import ExtendedKmsBackend


class ExtendedKmsResponse(KmsResponse):
    @property
    def extended(self) -> ExtendedKmsBackend:
        return cast(ExtendedKmsBackend, self.kms_backend)

    def enable_key_rotation(self) -> str:
        answer = super().enable_key_rotation()
        self.extended.set_rotation_period(self._get_param("KeyId"), self._get_param("RotationPeriodInDays"))
        return answer

    def get_key_rotation_status(self) -> str:
        answer = json.loads(super().get_key_rotation_status())
        key_id = self._get_param("KeyId")
        if answer["KeyRotationEnabled"]:
            answer |= {"KeyId": key_id, "RotationPeriodInDays": self.extended.rotation_period(key_id)}
        return json.dumps(answer)
