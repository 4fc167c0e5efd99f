"""Rules 42 to 47 and 49: notebooks, models and endpoints of SageMaker stay in the network, encrypted, without root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.instance_types import UnknownInstanceType, instance_type
from policies.kit import Finding, Resource, Value
from policies.mends import setting
from policies.security.pack import SECURITY

_NOTEBOOK = "aws:sagemaker/notebookInstance:NotebookInstance"
_DOMAIN = "aws:sagemaker/domain:Domain"
_MODEL = "aws:sagemaker/model:Model"
_ENDPOINT = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_VARIANTS = ("productionVariants", "shadowProductionVariants")


def _close_notebook(properties: dict[str, Any]) -> dict[str, Any] | None:
    # AWS takes Disabled only with a subnet, which nobody but its owner can choose.
    return {**properties, "directInternetAccess": "Disabled"} if properties.get("subnetId") else None


@SECURITY.rule(
    "sagemaker-notebook-no-direct-internet",
    number=42,
    title="Notebooks reach the internet through the VPC only",
    severity="high",
    fix="Set directInternetAccess to Disabled, with subnetId and securityGroups.",
    frameworks=("FSBP:SageMaker.1",),
    tags=("checkov:CKV_AWS_122",),
    types=(_NOTEBOOK,),
    mend=_close_notebook,
    mend_risk="replaces a notebook instance that exists; what lies on its volume is lost",
)
def sagemaker_notebook_no_direct_internet(notebook: Resource) -> Iterator[Finding]:
    """With direct internet access, which is AWS's default, a notebook sends data past the network's logs and rules."""
    access = notebook.properties.get("directInternetAccess")
    if access.text("Enabled") != "Disabled":
        yield Finding(f"is {access.shown()}, not Disabled", access.path)


@SECURITY.rule(
    "sagemaker-notebook-in-vpc",
    number=42,
    title="Notebooks stand in the VPC",
    severity="high",
    fix="Set subnetId to a private subnet, and securityGroups.",
    frameworks=("FSBP:SageMaker.2",),
    tags=("checkov:CKV_AWS_306",),
    types=(_NOTEBOOK,),
)
def sagemaker_notebook_in_vpc(notebook: Resource) -> Iterator[Finding]:
    """Without a subnet, a notebook stands in a network of AWS, whose rules and logs are not ours."""
    subnet = notebook.properties.get("subnetId")
    if subnet.missing or (subnet.known and not subnet.text("")):
        yield Finding("is missing: the notebook stands in a network of AWS", subnet.path)


@SECURITY.rule(
    "sagemaker-notebook-no-root",
    number=43,
    title="Notebooks give their users no root",
    severity="medium",
    fix="Set rootAccess to Disabled; lifecycle scripts run as root all the same.",
    frameworks=("FSBP:SageMaker.3",),
    tags=("checkov:CKV_AWS_307",),
    types=(_NOTEBOOK,),
    mend=setting(rootAccess="Disabled"),
)
def sagemaker_notebook_no_root(notebook: Resource) -> Iterator[Finding]:
    """Root, which is AWS's default, can take every guard of the notebook away."""
    root = notebook.properties.get("rootAccess")
    if root.text("Enabled") != "Disabled":
        yield Finding(f"is {root.shown()}, not Disabled", root.path)


@SECURITY.rule(
    "sagemaker-notebook-imds-v2",
    number=43,
    title="Notebooks take version 2 of the metadata service only",
    severity="medium",
    fix="Set instanceMetadataServiceConfiguration.minimumInstanceMetadataServiceVersion to 2.",
    tags=("checkov:CKV_AWS_371",),
    types=(_NOTEBOOK,),
    mend=setting(instanceMetadataServiceConfiguration={"minimumInstanceMetadataServiceVersion": "2"}),
)
def sagemaker_notebook_imds_v2(notebook: Resource) -> Iterator[Finding]:
    """Version 1 hands the notebook's role to whatever makes it fetch an address."""
    version = notebook.properties.get("instanceMetadataServiceConfiguration", "minimumInstanceMetadataServiceVersion")
    if str(version.plain()) != "2":
        yield Finding(f"is {version.shown()}, not 2", version.path)


@SECURITY.rule(
    "sagemaker-encrypted-with-own-key",
    number=44,
    title="Notebooks and domains are encrypted with a key of ours",
    severity="high",
    fix="Set kmsKeyId to a key that the platform owns.",
    frameworks=("AISF:ML-02",),
    tags=("checkov:CKV_AWS_187", "checkov:CKV_AWS_22"),
    types=(_NOTEBOOK, _DOMAIN),
)
def sagemaker_encrypted_with_own_key(resource: Resource) -> Iterator[Finding]:
    """Only a key of our own can be withheld, and shows who used it."""
    yield from _needs_key(resource.properties.get("kmsKeyId"))


@SECURITY.rule(
    "sagemaker-model-isolated",
    number=45,
    title="Containers of models have no network of their own",
    severity="high",
    fix="Set enableNetworkIsolation to true.",
    frameworks=("FSBP:SageMaker.5", "AISF:ML-01"),
    tags=("checkov:CKV_AWS_370",),
    types=(_MODEL,),
    mend=setting(enableNetworkIsolation=True),
    mend_risk="replaces the model, and breaks a container that fetches anything when it runs",
)
def sagemaker_model_isolated(model: Resource) -> Iterator[Finding]:
    """A container that can't call out can't send away what it is asked, nor fetch what nobody reviewed."""
    isolated = model.properties.get("enableNetworkIsolation")
    if not isolated.boolean():
        yield Finding(f"is {isolated.shown()}, not true", isolated.path)


@SECURITY.rule(
    "sagemaker-model-in-vpc",
    number=45,
    title="Models are served from the VPC",
    severity="high",
    fix="Set vpcConfig with subnets and securityGroupIds.",
    frameworks=("AISF:ML-01",),
    types=(_MODEL,),
)
def sagemaker_model_in_vpc(model: Resource) -> Iterator[Finding]:
    """Outside of a VPC, what a model reads from buckets and registries goes past the network's rules."""
    subnets = model.properties.get("vpcConfig", "subnets")
    if subnets.missing or (subnets.known and not len(subnets)):
        yield Finding("names no subnets", subnets.path)


@SECURITY.rule(
    "sagemaker-endpoint-encrypted",
    number=46,
    title="Endpoints are encrypted with a key of ours",
    severity="medium",
    fix="Set kmsKeyArn to a key that the platform owns.",
    tags=("checkov:CKV_AWS_98", "guard:sagemaker_endpoint_configuration_kms_key_configured"),
    types=(_ENDPOINT,),
)
def sagemaker_endpoint_encrypted(configuration: Resource) -> Iterator[Finding]:
    """The volume of an endpoint holds the model and what it was asked.

    Instances with disks of their own (NVMe, such as ml.g5) encrypt those in hardware, and AWS refuses a key for them;
    serverless variants have no volume. A configuration of nothing else needs no key.
    Source: Amazon SageMaker API Reference, CreateEndpointConfig, KmsKeyId, 2026-11.
    """
    key = configuration.properties.get("kmsKeyArn")
    variants = list(_variants(configuration))
    if key.missing and variants and all(_has_no_volume(variant) for variant in variants):
        return
    yield from _needs_key(key)


def _with_two_instances(properties: dict[str, Any]) -> dict[str, Any]:
    variants = [
        {**variant, "initialInstanceCount": 2} if _stands_alone(variant) else variant
        for variant in properties["productionVariants"]
    ]
    return {**properties, "productionVariants": variants}


def _stands_alone(variant: dict[str, Any]) -> bool:
    return not variant.get("serverlessConfig") and variant.get("initialInstanceCount", 1) < 2


@SECURITY.rule(
    "sagemaker-endpoint-redundant",
    number=47,
    title="Endpoints have more than one instance",
    severity="medium",
    fix="Set initialInstanceCount of each variant to 2 or more.",
    frameworks=("FSBP:SageMaker.4",),
    types=(_ENDPOINT,),
    level="advisory",  # doubles the cost: whether it is worth it is for the environment to say
    mend=_with_two_instances,
    mend_risk="doubles the price of the endpoint, and replaces its configuration",
)
def sagemaker_endpoint_redundant(configuration: Resource) -> Iterator[Finding]:
    """One instance is down while it is replaced, and with it whatever calls the endpoint. Serverless is exempt."""
    for variant in configuration.properties.get("productionVariants").items():
        count = variant.get("initialInstanceCount")
        if variant.get("serverlessConfig").missing and count.number(1) < 2:
            yield Finding(f"is {count.shown()}, not 2 or more", count.path)


@SECURITY.rule(
    "sagemaker-domain-vpc-only",
    number=49,
    title="Domains send their traffic through the VPC",
    severity="medium",
    fix="Set appNetworkAccessType to VpcOnly.",
    frameworks=("AISF:ML-01",),
    types=(_DOMAIN,),
    mend=setting(appNetworkAccessType="VpcOnly"),
)
def sagemaker_domain_vpc_only(domain: Resource) -> Iterator[Finding]:
    """By default Studio reaches the internet through a network of AWS, past the VPC's rules and logs."""
    access = domain.properties.get("appNetworkAccessType")
    if access.text("PublicInternetOnly") != "VpcOnly":
        yield Finding(f"is {access.shown()}, not VpcOnly", access.path)


@SECURITY.rule(
    "sagemaker-domain-sso",
    number=49,
    title="People enter domains through single sign-on",
    severity="medium",
    fix="Set authMode to SSO.",
    tags=("prowler:sagemaker_domain_sso_configured",),
    types=(_DOMAIN,),
    mend=setting(authMode="SSO"),
    mend_risk="replaces the domain; the account needs IAM Identity Center",
)
def sagemaker_domain_sso(domain: Resource) -> Iterator[Finding]:
    """With IAM as the way in, leaving the company does not end somebody's access."""
    mode = domain.properties.get("authMode")
    if mode.text("") != "SSO":
        yield Finding(f"is {mode.shown()}, not SSO", mode.path)


def _needs_key(key: Value) -> Iterator[Finding]:
    if key.missing or (key.known and not key.text("")):
        yield Finding("is missing: AWS's own key is used", key.path)


def _variants(configuration: Resource) -> Iterator[Value]:
    for name in _VARIANTS:
        yield from configuration.properties.get(name).items()


def _has_no_volume(variant: Value) -> bool:
    if variant.get("serverlessConfig").present:
        return True
    name = variant.get("instanceType").text("")
    try:
        return instance_type(name.removeprefix("ml.")).nvme_gb > 0
    except UnknownInstanceType:
        return False
