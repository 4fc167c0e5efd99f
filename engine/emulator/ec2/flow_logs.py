"""Flow logs: a prefix in the bucket, file options, and a log group that is named by its ARN."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import FlowLogAlreadyExists
from moto.ec2.models import EC2Backend

BUCKET_ARN = ":s3:::"


class FlowLogBackend(EC2Backend):
    def create_flow_logs(
        self,
        resource_type: str,
        resource_ids: list[str],
        traffic_type: str,
        deliver_logs_permission_arn: str,
        log_destination_type: str,
        log_destination: str,
        log_group_name: str,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[list[Any], list[Any]]:
        destination = log_destination
        if destination and BUCKET_ARN in destination:
            self._check_new(resource_ids, destination)
            log_destination = destination.split("/", 1)[0]  # moto takes all of it for the bucket's name
        if destination and ":log-group:" in destination:
            log_group_name = destination.split(":log-group:", 1)[1].removesuffix(":*")
        created, failed = super().create_flow_logs(
            resource_type,
            resource_ids,
            traffic_type,
            deliver_logs_permission_arn,
            log_destination_type,
            log_destination,
            log_group_name,
            *args,
            **kwargs,
        )
        for flow_log in created:
            flow_log.log_destination = destination
        return created, failed

    def _check_new(self, resource_ids: list[str], destination: str) -> None:
        if any(
            item.resource_id in resource_ids and item.log_destination == destination for item in self.flow_logs.values()
        ):
            raise FlowLogAlreadyExists
