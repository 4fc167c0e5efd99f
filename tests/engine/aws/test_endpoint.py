"""The guard: emulators only, and never with the user's own credentials."""

from __future__ import annotations

import sys

import pytest

from engine.providers.aws.endpoint import Endpoint
from engine.providers.aws.provider import AwsProvider
from engine.providers.base import EndpointRefused, ProviderError
from engine.values import Properties

KEY = "aws:kms/key:Key"
URN = f"urn:pulumi:dev::tests::{KEY}::key"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "https://kms.us-east-1.amazonaws.com",
        "http://10.0.0.7:4566",
        "http://127.0.0.1.example.com",
        "http://user@example.com/127.0.0.1",
        "http://localhost.example.com",
        "http://0.0.0.0:4566",
    ],
)
def test_elsewhere_is_refused(url: str | None) -> None:
    provider = AwsProvider(Endpoint(url, frozenset({"emulator.internal"})))
    with pytest.raises(EndpointRefused):
        provider.create(URN, KEY, {}, timeout=1, preview=False, token="t")
    with pytest.raises(EndpointRefused):
        provider.update(URN, KEY, "id", {}, {}, {"description": "x"}, timeout=1, preview=False)
    with pytest.raises(EndpointRefused):
        provider.delete(URN, KEY, "id", {}, {}, timeout=1)
    with pytest.raises(EndpointRefused):
        provider.read(URN, KEY, "id", {}, {})
    with pytest.raises(EndpointRefused):
        provider.find(URN, KEY, {}, token="t", known_ids=frozenset())
    with pytest.raises(EndpointRefused):
        provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {}, preview=False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:4566", "http://[::1]:4566", "http://localhost:4566", "http://emulator.internal:80"]
)
def test_loopback_and_named_hosts_are_allowed(url: str) -> None:
    assert Endpoint(url, frozenset({"emulator.internal"})).for_service("kms", None) == url


def test_an_endpoint_of_the_provider_passes_the_same_guard(emulator: str) -> None:
    provider = AwsProvider(Endpoint(emulator))
    provider.configure({"endpoints": '[{"kms": "https://kms.us-east-1.amazonaws.com"}]'})
    with pytest.raises(EndpointRefused):
        provider.read(URN, KEY, "id", {}, {})


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"allowedAccountIds": ["111122223333"]}, r"is 123456789012, but .* allowedAccountIds expects 111122223333"),
        (
            {"forbiddenAccountIds": '["123456789012"]'},
            r"is 123456789012, but .* forbiddenAccountIds excludes 123456789012",
        ),
    ],
)
def test_another_account_than_allowed_is_left_alone(emulator: str, settings: Properties, complaint: str) -> None:
    provider = AwsProvider(Endpoint(emulator))
    provider.configure(settings)
    inputs = dict(provider.check(URN, KEY, None, {}, seed="s").inputs)
    assert provider.create(URN, KEY, inputs, timeout=0, preview=True, token="").outputs, "a preview asks nobody"
    for _ in range(2):
        with pytest.raises(ProviderError, match=complaint):
            provider.create(URN, KEY, inputs, timeout=1, preview=False, token="t")
    with pytest.raises(ProviderError, match=complaint):
        provider.read(URN, KEY, "id", {}, {})


def test_the_allowed_account_is_let_in(emulator: str) -> None:
    provider = AwsProvider(Endpoint(emulator))
    provider.configure({"allowedAccountIds": ["123456789012"], "forbiddenAccountIds": ["111122223333"]})
    assert provider.read(URN, KEY, "00000000-0000-0000-0000-000000000000", {}, {}) is None


def test_the_users_credentials_stay_home(emulator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "really-secret")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://kms.us-east-1.amazonaws.com")
    provider = AwsProvider(Endpoint(emulator))
    client = provider.caller().client("kms", "us-east-1")
    assert client.meta.endpoint_url == emulator
    assert client._request_signer._credentials.access_key == "test"


def test_a_preview_imports_no_botocore() -> None:
    """Nor does anything that a preview calls; asked in a fresh interpreter."""
    import subprocess

    program = f"""
import sys
from engine.providers.aws.provider import AwsProvider
from engine.providers.aws import registry
provider = AwsProvider()
provider.configure({{"region": "us-east-1"}})
for type_ in registry.types():
    assert provider.knows(type_)
inputs = provider.check({URN!r}, {KEY!r}, None, {{}}, seed="s").inputs
outputs = provider.create({URN!r}, {KEY!r}, inputs, timeout=0, preview=True, token="").outputs
provider.diff({URN!r}, {KEY!r}, "id", inputs, outputs, {{**inputs, "description": "x"}})
provider.update({URN!r}, {KEY!r}, "id", inputs, outputs, inputs, timeout=0, preview=True)
provider.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {{}}, preview=True)
provider.invoke("aws:ec2/getVpc:getVpc", {{"id": "vpc-1"}}, preview=True)
heavy = [name for name in ("botocore", "boto3", "moto", "pulumi", "jmespath") if name in sys.modules]
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
