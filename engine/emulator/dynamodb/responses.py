"""Reads the requests of DynamoDB and writes the answers."""

from __future__ import annotations

from typing import Any, cast

from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler

from engine.emulator.dynamodb.models import ExtendedDynamoDBBackend


class ExtendedDynamoHandler(DynamoHandler):
    @property
    def extended(self) -> ExtendedDynamoDBBackend:
        return cast(ExtendedDynamoDBBackend, self.dynamodb_backend)

    def create_table(self) -> ActionResult:
        answer = super().create_table()
        self._keep_class()
        return answer

    def update_table(self) -> ActionResult:
        if encryption := self.body.get("SSESpecification"):
            self.extended.encrypt(self.body["TableName"], encryption)
        answer = super().update_table()
        self._keep_class()
        return answer

    def describe_table(self) -> ActionResult:
        answer = super().describe_table()
        table: Any = self.extended.get_table(self.body["TableName"])
        if kept := getattr(table, "table_class", None):
            cast("Any", answer.result)["Table"]["TableClassSummary"] = {"TableClass": kept}
        return answer

    def _keep_class(self) -> None:
        if wanted := self.body.get("TableClass"):
            table: Any = self.extended.get_table(self.body["TableName"])
            table.table_class = wanted
