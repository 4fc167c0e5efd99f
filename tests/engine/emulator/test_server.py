"""The emulator's server: who it is, what it lacks, and many requests at a time."""

from __future__ import annotations

import base64
import importlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import moto.backends
import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from engine.emulator.eks import api_server
from engine.emulator.extensions import EXTENSIONS, Extension
from engine.emulator.identity import STATUS_PATH
from engine.emulator.server import Dispatcher
from engine.emulator.watch import belongs
from engine.sandbox import endpoint as sandbox_endpoint
from tests.engine.emulator.conftest import Client


def test_it_says_who_it_is(endpoint: str) -> None:
    with urllib.request.urlopen(endpoint + STATUS_PATH) as answer:
        status = json.load(answer)
    assert status["instanceId"] == "under-test"
    assert status["accountId"] == "123456789012"
    assert sandbox_endpoint.STATUS_PATH == STATUS_PATH


def test_a_request_does_not_list_motos_folder_again(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []

    def modules() -> list[str]:
        listed.append("moto")
        return ["sqs"]

    monkeypatch.setattr(moto.backends, "list_of_moto_modules", modules)
    dispatcher = Dispatcher(lambda service: service)
    asked = {
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request",
    }
    first = dispatcher.get_application(asked)
    before = len(listed)
    assert (first, dispatcher.get_application(asked)) == ("sqs", "sqs")
    assert len(listed) == before


def test_a_cluster_is_where_the_sandbox_says(endpoint: str, client: Client) -> None:
    """What ``aws eks update-kubeconfig`` reads: the sandbox's Kubernetes API while there is one, AWS's form without."""
    cluster = _cluster(client)
    eks = client("eks")
    assert eks.describe_cluster(name=cluster)["cluster"]["endpoint"].endswith(".eks.amazonaws.com")
    said = {"server": "https://127.0.0.1:6443", "certificateAuthority": "Q0E="}
    assert _put(endpoint, json.dumps(said)) == 200
    described = eks.describe_cluster(name=cluster)["cluster"]
    assert (described["endpoint"], described["certificateAuthority"]) == (said["server"], {"data": "Q0E="})
    assert _put(endpoint, "[]") == 400
    urllib.request.urlopen(urllib.request.Request(endpoint + api_server.PATH, method="DELETE")).close()
    described = eks.describe_cluster(name=cluster)["cluster"]
    assert described["endpoint"].endswith(".eks.amazonaws.com")
    authority = base64.b64decode(described["certificateAuthority"]["data"])
    assert x509.load_pem_x509_certificate(authority).subject.rfc4514_string() == f"CN=kubernetes {cluster}"


def _put(endpoint: str, body: str) -> int:
    request = urllib.request.Request(endpoint + api_server.PATH, data=body.encode(), method="PUT")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _cluster(client: Client) -> str:
    vpc = client("ec2").create_vpc(CidrBlock="10.201.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        client("ec2").create_subnet(VpcId=vpc, CidrBlock=f"10.201.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for n, zone in enumerate("ab")
    ]
    role = client("iam").create_role(RoleName="where", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    network = {"subnetIds": [made["Subnet"]["SubnetId"] for made in subnets]}
    return client("eks").create_cluster(name="where", roleArn=role, resourcesVpcConfig=network)["cluster"]["name"]


def test_moto_s_own_pages_are_served(endpoint: str) -> None:
    with urllib.request.urlopen(endpoint + "/moto-api/data.json") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("ec2", "create_verified_access_instance", {}),
        ("budgets", "describe_budget_actions_for_account", {"AccountId": "123456789012"}),
    ],
)
def test_a_missing_operation_is_named(client: Client, service: str, method: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ClientError, match=f"NotImplementedByEmulator.*{method}"):
        getattr(client(service), method)(**arguments)


def test_many_at_once_all_succeed(client: Client) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.200.0.0/16")["Vpc"]["VpcId"]

    def subnet(number: int) -> str:
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.200.{number}.0/24")["Subnet"]["SubnetId"]
        ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        return made

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(subnet, range(64)))) == 64


@pytest.mark.parametrize("extension", EXTENSIONS, ids=lambda extension: extension.service)
def test_an_extension_fits_the_moto_that_is_installed(extension: Extension) -> None:
    theirs = importlib.import_module(f"moto.{extension.service}.models")
    ours = getattr(importlib.import_module(f"engine.emulator.{extension.service}.models"), extension.backend)
    assert extension.backends in vars(theirs)
    originals = [base for base in ours.__mro__ if base.__module__.startswith(f"moto.{extension.service}.")]
    assert originals, "the backend is no subclass of moto's"
    for name in ("url_bases", "url_paths"):
        assert getattr(importlib.import_module(f"engine.emulator.{extension.service}.urls"), name)


@pytest.mark.parametrize(
    ("content", "expected"),
    [('{"instance_id": "a"}', True), ('{"instance_id": "b"}', False), ("{", False), ("[]", False), (None, False)],
)
def test_the_watch_knows_its_own_record(tmp_path: Path, content: str | None, expected: bool) -> None:
    record = tmp_path / "sandbox.json"
    if content is not None:
        record.write_text(content)
    assert belongs(record, "a") is expected


def test_a_port_in_use_is_refused_in_one_line(endpoint: str) -> None:
    port = endpoint.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "engine.emulator", "--port", port]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert "choose another --port" in ended.stderr
