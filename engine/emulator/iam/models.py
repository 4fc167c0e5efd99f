"""The IAM backend that moto is given instead of its own.

Source: IAM API reference, AddClientIDToOpenIDConnectProvider, RemoveClientIDFromOpenIDConnectProvider: both
may be repeated.
"""

from __future__ import annotations

from typing import Any

from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend

MOST_CLIENTS = 100  # of one provider


class ExtendedIAMBackend(IAMBackend):
    def add_client_id(self, arn: str, client_id: str) -> None:
        provider: Any = self.get_open_id_connect_provider(arn)
        if client_id in provider.client_id_list:
            return
        if len(provider.client_id_list) >= MOST_CLIENTS:
            raise LimitExceededException(f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MOST_CLIENTS}")
        provider.client_id_list = [*provider.client_id_list, client_id]

    def remove_client_id(self, arn: str, client_id: str) -> None:
        provider: Any = self.get_open_id_connect_provider(arn)
        provider.client_id_list = [known for known in provider.client_id_list if known != client_id]
