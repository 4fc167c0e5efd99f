"""Row 83: what a model answers is recorded, and somebody looks whether it still answers well.

EU AI Act, Regulation 2024/1689: automatic logs (Article 12), monitoring after deployment (Article 72).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.governance.pack import GOVERNANCE
from policies.kit import Finding, Resource, Stack, Value

_ENDPOINT_CONFIG: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_ENDPOINT: Final = "aws:sagemaker/endpoint:Endpoint"
_SCHEDULE: Final = "aws:sagemaker/monitoringSchedule:MonitoringSchedule"
_JOB: Final = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition"
_BOTH: Final = ({"Input", "Output"}, {"InputAndOutput"})
_MODEL: Final = "bedplate:observability:ModelMonitor"
_INFERENCE_SERVICES: Final = ("kubernetes:serving.kserve.io/v1beta1:InferenceService",)
_CAPTURE_PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "minimum_percent": {
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "default": 1,
        "description": "Percent of the requests that are recorded at least.",
    },
    "destination": {
        "type": "string",
        "default": "",
        "description": "s3:// address that mending captures to where none is declared; without it, that is not mended.",
    },
}


def _mend_capture(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    mended = copy.deepcopy(properties)
    capture = mended.get("dataCaptureConfig") or {}
    destination = capture.get("destinationS3Uri") or parameters["destination"]
    if not destination:
        return None
    percent = capture.get("initialSamplingPercentage") or 0
    mended["dataCaptureConfig"] = {
        **capture,
        "enableCapture": True,
        "destinationS3Uri": destination,
        "initialSamplingPercentage": max(percent, parameters["minimum_percent"]),
        "captureOptions": [{"captureMode": "Input"}, {"captureMode": "Output"}],
    }
    return mended


def _mend_traffic(properties: dict[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    network = {**(properties.get("networkConfig") or {}), "enableInterContainerTrafficEncryption": True}
    return {**properties, "networkConfig": network}


@GOVERNANCE.rule(
    "endpoint-data-capture",
    number=83,
    title="SageMaker endpoints record requests and answers",
    severity="medium",
    fix="Give the endpoint configuration a data_capture_config that is enabled, for Input and Output.",
    frameworks=("EU-AI-Act:Art.12", "AISF:ML-05"),
    tags=("prowler:sagemaker_models_monitor_enabled",),
    types=(_ENDPOINT_CONFIG,),
    parameters=_CAPTURE_PARAMETERS,
    mend=_mend_capture,
    mend_risk="a changed endpoint configuration is replaced by a new one",
)
def endpoint_data_capture(resource: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """What was asked and answered is the one thing that can't be found out afterwards, and what monitors compare.

    Serverless variants can't capture (SageMaker Developer Guide, "Serverless Inference", 2026-11): what they answer has
    to be recorded by whoever asks, which is a reason for an exception.
    """
    capture = resource.properties.get("dataCaptureConfig")
    if capture.missing:
        yield Finding("dataCaptureConfig: nothing is recorded")
        return
    if not capture.get("enableCapture").boolean():
        yield Finding(
            f"dataCaptureConfig.enableCapture: {capture.get('enableCapture').shown()}, so nothing is recorded"
        )
    percent = capture.get("initialSamplingPercentage")
    if percent.number(0) < parameters["minimum_percent"]:
        yield Finding(
            f"{percent.path}: {percent.shown()} percent; at least {parameters['minimum_percent']:g} are asked for"
        )
    modes = {option.get("captureMode").text("") for option in capture.get("captureOptions").items()}
    if not any(wanted <= modes for wanted in _BOTH):
        yield Finding(
            f"dataCaptureConfig.captureOptions: {', '.join(sorted(modes)) or 'nothing'}, not Input and Output"
        )


@GOVERNANCE.rule(
    "endpoint-monitored",
    number=83,
    title="SageMaker endpoints are monitored",
    severity="medium",
    fix="Declare an aws.sagemaker.MonitoringSchedule whose job reads the endpoint's captured data.",
    frameworks=("EU-AI-Act:Art.72", "AISF:ML-05"),
    tags=("prowler:sagemaker_models_monitor_enabled",),
    types=(_ENDPOINT,),
)
def endpoint_monitored(endpoint: Resource, stack: Stack) -> Iterator[Finding]:
    """A model ages with the world that it was trained on, and says nothing of it."""
    if not any(_watches(schedule, endpoint, stack) for schedule in stack.of(_SCHEDULE)):
        yield Finding("no aws.sagemaker.MonitoringSchedule looks at the endpoint")


@GOVERNANCE.rule(
    "monitoring-job-encrypted",
    number=83,
    title="Monitoring jobs encrypt what they read and write",
    severity="medium",
    fix="Set volume_kms_key_id, the output's kms_key_id and enable_inter_container_traffic_encryption.",
    frameworks=("AISF:ML-05",),
    tags=("checkov:CKV_AWS_367", "checkov:CKV_AWS_368", "checkov:CKV_AWS_369"),
    types=(_JOB,),
    mend=_mend_traffic,
    mend_risk="a changed job definition is replaced by a new one; keys are left to a person",
)
def monitoring_job_encrypted(resource: Resource) -> Iterator[Finding]:
    """A monitoring job copies what people asked the model: on its volume, between its machines and in its report."""
    for path in (
        ("dataQualityJobOutputConfig", "kmsKeyId"),
        ("jobResources", "clusterConfig", "volumeKmsKeyId"),
    ):
        key = resource.properties.get(*path)
        if key.known and not key.text(""):
            yield Finding(f"{'.'.join(path)}: no key")
    traffic = resource.properties.get("networkConfig", "enableInterContainerTrafficEncryption")
    if not traffic.boolean():
        yield Finding(f"{traffic.path}: {traffic.shown()}, so what goes between the job's machines is in clear")


@GOVERNANCE.rule(
    "inference-logged",
    number=83,
    title="Inference services record requests and answers",
    severity="medium",
    level="advisory",
    fix="Give spec.predictor a logger with mode 'all' and the address that records.",
    frameworks=("EU-AI-Act:Art.12",),
    types=_INFERENCE_SERVICES,
)
def inference_logged(resource: Resource) -> Iterator[Finding]:
    """The same for KServe; advisory, since a mesh or a gateway may record as well, which no plan says."""
    logger = resource.properties.get("spec", "predictor", "logger")
    if logger.missing:
        yield Finding("spec.predictor.logger: nothing is recorded")
    elif logger.get("mode").text("all") != "all":
        yield Finding(f"spec.predictor.logger.mode: {logger.get('mode').shown()}, not requests and answers")


@GOVERNANCE.rule(
    "model-telemetry",
    number=83,
    title="Declared models are watched",
    severity="medium",
    fix="Say where the model's metrics are: bedplate:monitoring.models.NAME.metrics, or telemetry where the model is "
    "deployed.",
    frameworks=("EU-AI-Act:Art.72",),
)
def model_telemetry(stack: Stack) -> Iterator[Finding]:
    """A model that nobody watches fails, slows down and drifts without anybody's knowing: no alert, no dashboard and no
    objective speaks of it. It is told by name, so that leaving it so is a decision with a reason and an end."""
    for monitor in stack.of(_MODEL):
        model, telemetry = monitor.properties.get("model"), monitor.properties.get("telemetry")
        if telemetry.missing or (telemetry.known and not telemetry.get("server").text("")):
            said = f"model {model.text('')} of team {monitor.properties.get('team').text('nobody')}"
            yield Finding(f"telemetry: nothing says where the metrics of {said} are", resource=monitor)


def _watches(schedule: Resource, endpoint: Resource, stack: Stack) -> bool:
    """By an input of its own, or by a job definition that has one."""
    config = schedule.properties.get("monitoringScheduleConfig")
    if _reads(config.get("monitoringJobDefinition", "monitoringInputs"), endpoint):
        return True
    jobs = (job for job in stack.of("aws:sagemaker/*JobDefinition:*") if _names(config, job, schedule))
    return any(endpoint.urn in urns for job in jobs for urns in job.depends_on.values()) or any(
        _reads(job.properties.get("dataQualityJobInput"), endpoint)
        for job in stack.of(_JOB)
        if _names(config, job, schedule)
    )


def _names(config: Value, job: Resource, schedule: Resource) -> bool:
    name = config.get("monitoringJobDefinitionName")
    return job.urn in schedule.depends_on.get("monitoringScheduleConfig", ()) or (
        name.known and name.text("") in job.names
    )


def _reads(inputs: Value, endpoint: Resource) -> bool:
    if inputs.unknown:
        return False
    for each in inputs.items() if inputs.kind == "a list" else (inputs,):
        name = each.get("endpointInput", "endpointName")
        if name.known and name.text("") in endpoint.names:
            return True
    return False
