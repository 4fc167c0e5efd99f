"""Reads the requests of IAM and writes the answers."""

from __future__ import annotations

from typing import Any, cast

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

    def create_user(self) -> ActionResult:
        result = super().create_user()
        self._set_boundary(self._get_param("PermissionsBoundary"))
        return result

    def put_user_permissions_boundary(self) -> ActionResult:
        self._set_boundary(self._get_param("PermissionsBoundary"))
        return EmptyResult()

    def delete_user_permissions_boundary(self) -> ActionResult:
        self._set_boundary(None)
        return EmptyResult()

    def _set_boundary(self, arn: str | None) -> None:
        """moto keeps the boundaries of roles only."""
        user: Any = self.backend.get_user(self._get_param("UserName"))
        told = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
        user.permissions_boundary = told if arn else None
