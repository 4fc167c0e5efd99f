"""Reads the requests of IAM and writes the answers."""

from __future__ import annotations

from typing import cast

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.responses import IamResponse

from engine.emulator.iam.models import ExtendedIAMBackend


class ExtendedIamResponse(IamResponse):
    @property
    def extended(self) -> ExtendedIAMBackend:
        return cast(ExtendedIAMBackend, self.backend)

    def add_client_id_to_open_id_connect_provider(self) -> ActionResult:
        self.extended.add_client_id(self._get_param("OpenIDConnectProviderArn"), self._get_param("ClientID"))
        return EmptyResult()

    def remove_client_id_from_open_id_connect_provider(self) -> ActionResult:
        self.extended.remove_client_id(self._get_param("OpenIDConnectProviderArn"), self._get_param("ClientID"))
        return EmptyResult()
