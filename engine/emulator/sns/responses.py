"""Reads the requests of SNS and writes the answers."""

from __future__ import annotations

from typing import Any, Final, cast

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.sns.responses import SNSResponse

# Source: SNS API reference, SetTopicAttributes.
SETTINGS: Final = (
    "ArchivePolicy", "FifoThroughputScope", "MaximumMessageSize", "SignatureVersion", "TracingConfig",
    *(f"{service}{outcome}" for service in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
      for outcome in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")),
)  # fmt: skip


class ExtendedSNSResponse(SNSResponse):
    def get_topic_attributes(self) -> ActionResult:
        answer = super().get_topic_attributes()
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        given = {name: getattr(topic, camelcase_to_underscores(name), None) for name in SETTINGS}
        attributes = cast("dict[str, Any]", cast("Any", answer.result)["Attributes"])
        attributes.update({name: str(value) for name, value in given.items() if value not in (None, "")})
        return answer
