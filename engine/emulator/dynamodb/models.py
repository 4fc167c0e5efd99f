"""The DynamoDB backend that moto is given instead of its own. Source: DynamoDB API reference, UpdateTable."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table


class ExtendedDynamoDBBackend(DynamoDBBackend):
    def update_table_streams(self, table: Table, stream_specification: dict[str, Any]) -> None:
        # moto takes the label, which a stream keeps after its end, for one that is on.
        if not (table.stream_specification or {}).get("StreamEnabled"):
            table.latest_stream_label = None
        super().update_table_streams(table, stream_specification)

    def encrypt(self, name: str, wanted: dict[str, Any]) -> None:
        """Take over ``wanted``, the SSESpecification of a request."""
        table = self.get_table(name)
        keys: Any = table  # moto makes its default key where a table is made, and nowhere else
        key = wanted.get("KMSMasterKeyId") or keys._get_default_encryption_key(self.account_id, self.region_name)
        table.sse_specification = {**wanted, "KMSMasterKeyId": key} if wanted.get("Enabled") else None
