"""The SQS backend that moto is given instead of its own. Source: SQS API reference, SetQueueAttributes."""

from __future__ import annotations

from typing import Any, Final

from moto.sqs.models import Queue, SQSBackend

ALLOW: Final = "RedriveAllowPolicy"


class ExtendedSQSBackend(SQSBackend):
    def set_queue_attributes(self, queue_name: str, attributes: dict[str, Any]) -> Queue:
        # moto takes a policy away that a call doesn't mention.
        kept = {"Policy": self.get_queue(queue_name).policy, **attributes}
        return super().set_queue_attributes(queue_name, kept)

    def get_queue_attributes(self, queue_name: str, attribute_names: list[str]) -> dict[str, Any]:
        known = [name for name in attribute_names if name != ALLOW]
        found = super().get_queue_attributes(queue_name, known)
        policy = getattr(self.get_queue(queue_name), "redrive_allow_policy", None)
        return {**found, ALLOW: policy} if policy and {ALLOW, "All"}.intersection(attribute_names) else found
