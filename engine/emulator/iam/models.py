"""The IAM backend that moto is given instead of its own.

Sources: IAM API reference, AddClientIDToOpenIDConnectProvider, RemoveClientIDFromOpenIDConnectProvider: both
may be repeated; UpdateUser, UpdateGroup: the path alone can change, and tags stay; DeleteUser, DeleteGroup: not while
keys are left, or members.
"""

from __future__ import annotations

from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam import models as moto_models
from moto.iam.exceptions import DeleteConflictException, LimitExceededException

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

    def update_user(self, user_name: str, new_path: str | None = None, new_user_name: str | None = None) -> None:
        user: Any = self.get_user(user_name)
        arn, tags = user.arn, user.tags or []
        super().update_user(user_name, new_path, new_user_name)
        if user.arn != arn:  # under which moto keeps the tags
            self.tagger.delete_all_tags_for_resource(arn)
            self.tagger.tag_resource(user.arn, tags)

    def delete_user(self, user_name: str) -> None:
        if self.get_user(user_name).access_keys:
            raise DeleteConflictException("Cannot delete entity, must delete access keys first.")
        if self.get_groups_for_user(user_name):
            raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
        super().delete_user(user_name)

    def update_group(self, group_name: str, new_group_name: str | None, new_path: str | None) -> None:
        if new_path:
            self.get_group(group_name).path = new_path
        super().update_group(group_name, new_group_name, new_path)

    def delete_group(self, group_name: str) -> None:
        group: Any = self.get_group(group_name)
        if group.users or group.managed_policies or group.policies:
            raise DeleteConflictException("Cannot delete entity, must remove users and policies from group first.")
        super().delete_group(group_name)


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
