"""Keys, secrets, logs, messages, metrics and jobs; and what of SageMaker has no price."""

from __future__ import annotations

import functools

from policies.pricing.bill import Bill, Parts

# Source: infracost golden files, cloudwatch_metric_alarm, read 2026-11-26.
_ANOMALY_METRICS = 3


def _unpriced(what: str, reason: str, bill: Bill) -> None:
    bill.lack(what, reason)


def _lack(what: str, reason: str = "no price is known for it") -> functools.partial[None]:
    return functools.partial(_unpriced, what, reason)


def _key(bill: Bill) -> None:
    bill.charge("kms", "customer managed key", 1, "1 key")


def _key_requests(bill: Bill) -> None:
    bill.by_use("requests", "kms", "requests", per=10_000)


def _secret(bill: Bill) -> None:
    """A replica in another region is a secret of its own."""
    secrets = 1 + len(list(bill.inputs.at("replicas").items()))
    bill.charge("secretsmanager", "secret", secrets, f"{secrets} secret{'s' if secrets > 1 else ''}")


def _secret_calls(bill: Bill) -> None:
    bill.by_use("api_calls", "secretsmanager", "API calls", per=10_000)


def _parameter(bill: Bill) -> None:
    """Standard parameters are free."""
    tier = bill.inputs.at("tier").text("Standard")
    if tier != "Standard":
        bill.lack(f"parameter of tier {tier}", "no price is known for it")


def _scanning(bill: Bill) -> None:
    """Basic scanning is free; enhanced scanning is Amazon Inspector's, by the image."""
    if bill.inputs.at("scanType").text("BASIC") == "ENHANCED":
        bill.lack("enhanced scanning", "no price is known for what Amazon Inspector scans")


def _log_group(bill: Bill) -> None:
    if bill.inputs.at("logGroupClass").text("STANDARD") != "STANDARD":
        bill.lack("log data", "no price is known for its class")
        return
    bill.by_use("ingested_gb", "cloudwatch", "log ingestion")
    bill.by_use("stored_gb", "cloudwatch", "log archive")


def _alarm(bill: Bill) -> None:
    """An alarm is billed by the metrics that it looks at; one of anomalies by three: the metric and its band."""
    inputs = bill.inputs
    if inputs.at("evaluationCriteria").present:
        bill.lack("alarm of a PromQL query", "no price is known for it")
        return
    compared = [query.first("metric") for query in inputs.at("metricQueries").items()]
    metrics = max(sum(1 for metric in compared if metric.present), 1)
    if inputs.at("thresholdMetricId").present:
        metrics = _ANOMALY_METRICS
    periods = [inputs.at("period").number(60), *(metric.at("period").number(60) for metric in compared)]
    resolution = "high" if min(periods) < 60 else "standard"
    working = f"{metrics} metric{'s' if metrics > 1 else ''}"
    bill.charge("cloudwatch", f"alarm of {resolution} resolution", metrics, working)


def _dashboard(bill: Bill) -> None:
    """An account's first three are free, and which are the first, nobody says."""
    bill.by_use("billed", "cloudwatch", "dashboard")


def _queue(bill: Bill) -> None:
    item = "FIFO queue requests" if bill.inputs.at("fifoQueue").flag() else "standard queue requests"
    bill.by_use("requests", "sqs", item, per=1e6)


def _topic(bill: Bill) -> None:
    if bill.inputs.at("fifoTopic").flag():
        bill.lack("messages of a FIFO topic", "no price is known for them")
        return
    bill.by_use("requests", "sns", "API requests", per=1e6)


def _event_rule(bill: Bill) -> None:
    bill.by_use("custom_events", "events", "custom events", per=1e6)


def _trail(bill: Bill) -> None:
    """The first copy of management events is free. Source: CloudTrail pricing, 2026-08."""
    bill.by_use("data_events", "cloudtrail", "data events", per=100_000)


def _metrics(bill: Bill) -> None:
    bill.by_use("samples_millions", "amp", "1000M samples + 100 GB", per=1000)


def _glue(bill: Bill) -> None:
    bill.by_use("dpu_hours", "glue", "data processing unit")


def _function(bill: Bill) -> None:
    bill.by_use("requests", "lambda", "requests", per=1e6)
    if next((one.text() for one in bill.inputs.at("architectures").items()), "x86_64") == "x86_64":
        bill.by_use("gb_seconds", "lambda", "duration x86")
    else:
        bill.lack("duration on arm64", "no price is known for it")


def _table(bill: Bill) -> None:
    bill.by_use("stored_gb", "dynamodb", "storage")
    bill.lack("reads and writes", "no price is known for them")


def _zone(bill: Bill) -> None:
    bill.charge("route53", "hosted zone", 1, "1 zone")


PARTS: Parts = {
    "aws:sagemaker/notebookInstance:NotebookInstance": [_lack("notebook instance")],
    "aws:sagemaker/domain:Domain": [_lack("apps of the domain's users", "which of them run is not declared")],
    "aws:sagemaker/featureGroup:FeatureGroup": [_lack("online store and writes")],
    "aws:sagemaker/pipeline:Pipeline": [_lack("jobs of the pipeline", "how long they run is not declared")],
    "aws:kms/key:Key": [_key, _key_requests],
    "aws:secretsmanager/secret:Secret": [_secret, _secret_calls],
    "aws:ssm/parameter:Parameter": [_parameter],
    "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration": [_scanning],
    "aws:s3/directoryBucket:DirectoryBucket": [_lack("data and requests")],
    "aws:cloudwatch/logGroup:LogGroup": [_log_group],
    "aws:cloudwatch/metricAlarm:MetricAlarm": [_alarm],
    "aws:cloudwatch/dashboard:Dashboard": [_dashboard],
    "aws:cloudwatch/eventRule:EventRule": [_event_rule],
    "aws:cloudtrail/trail:Trail": [_trail],
    "aws:sqs/queue:Queue": [_queue],
    "aws:sns/topic:Topic": [_topic],
    "aws:amp/workspace:Workspace": [_metrics],
    "aws:glue/job:Job": [_glue],
    "aws:glue/crawler:Crawler": [_glue],
    "aws:lambda/function:Function": [_function],
    "aws:dynamodb/table:Table": [_table],
    "aws:route53/zone:Zone": [_zone],
}
