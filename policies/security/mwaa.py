"""Rule 56: Airflow is not on the internet, and its logs are on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Resource
from policies.mends import setting
from policies.security.pack import SECURITY

_ENVIRONMENT: Final = "aws:mwaa/environment:Environment"
_LOGS: Final = ("schedulerLogs", "webserverLogs", "workerLogs")


@SECURITY.rule(
    "mwaa-not-public",
    number=56,
    title="Airflow's web server is reached through the VPC only",
    severity="high",
    fix="Set webserverAccessMode to PRIVATE_ONLY.",
    tags=("checkov:CKV2_AWS_66",),
    types=(_ENVIRONMENT,),
    mend=setting(webserverAccessMode="PRIVATE_ONLY"),
)
def mwaa_not_public(environment: Resource) -> Iterator[Finding]:
    """Who reaches Airflow runs code with its role. What is not said is private."""
    mode = environment.properties.get("webserverAccessMode")
    if mode.text("PRIVATE_ONLY") != "PRIVATE_ONLY":
        yield Finding(f"is {mode.shown()}, not PRIVATE_ONLY", mode.path)


def _switch_on(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    logs = dict(properties.get("loggingConfiguration") or {})
    for kind in parameters["logs"]:
        logs[kind] = {"logLevel": "INFO", **(logs.get(kind) or {}), "enabled": True}
    return {**properties, "loggingConfiguration": logs}


@SECURITY.rule(
    "mwaa-logs",
    number=56,
    title="Airflow's logs are on",
    severity="high",
    fix="Enable schedulerLogs, webserverLogs and workerLogs in loggingConfiguration.",
    tags=("checkov:CKV_AWS_242", "checkov:CKV_AWS_243", "checkov:CKV_AWS_244"),
    types=(_ENVIRONMENT,),
    parameters={
        "logs": {
            "description": "Logs that are on",
            "type": "array",
            "items": {"enum": ["dagProcessingLogs", "schedulerLogs", "taskLogs", "webserverLogs", "workerLogs"]},
            "default": list(_LOGS),
        }
    },
    mend=_switch_on,
)
def mwaa_logs(environment: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A pipeline that failed, or was misused, is understood from its logs, which are off unless somebody asks."""
    for kind in parameters["logs"]:
        enabled = environment.properties.get("loggingConfiguration", kind, "enabled")
        if not enabled.boolean():
            yield Finding(f"is {enabled.shown()}, not true", enabled.path)
