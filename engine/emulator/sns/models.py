"""The SNS backend that moto is given instead of its own. Source: SNS API reference, SetSubscriptionAttributes."""

from __future__ import annotations

from typing import Any

from moto.sns.models import SNSBackend


class ExtendedSNSBackend(SNSBackend):
    def set_subscription_attributes(self, arn: str, name: str, value: Any) -> None:
        if name == "ReplayPolicy" and arn in self.subscriptions:
            self.subscriptions[arn].attributes[name] = value
        else:
            super().set_subscription_attributes(arn, name, value)
