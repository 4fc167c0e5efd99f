"""The IAM backend that moto is given instead of its own.

Source: IAM API reference, AddClientIDToOpenIDConnectProvider, RemoveClientIDFromOpenIDConnectProvider: both
may be repeated.
"""

from __future__ import annotations

from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam import models as moto_models
from moto.iam.exceptions import LimitExceededException

MOST_CLIENTS = 100  # of one provider


class ExtendedIAMBackend(moto_models.IAMBackend):
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


def account_of(access_key: str) -> str:
    """The account that an access key belongs to.

    moto asks the backend of each of AWS's partitions, and so makes them all at the first request: each reads AWS's
    thousand managed policies, 0.3 s. One that nobody has used has no keys.
    """
    for account_id, partitions in list(moto_models.iam_backends.items()):
        if any(access_key in backend.access_keys for backend in list(partitions.values())):
            return account_id
    return DEFAULT_ACCOUNT_ID


moto_models.get_account_id_from = account_of
