"""A user goes with what others gave it; what IAM tells once, a key's secret, is kept, and is a secret whoever asks."""

from __future__ import annotations

from typing import Any

import pytest

from engine.providers.aws.provider import AwsProvider
from engine.providers.base import ProviderError
from engine.values import Properties, Secret, reveal

TYPE = "aws:iam/user:User"
URN = f"urn:pulumi:dev::tests::{TYPE}::leaver"


def made(provider: AwsProvider, **given: Any) -> Properties:
    inputs = dict(provider.check(URN, TYPE, None, given, seed="s").inputs)
    provider.create(URN, TYPE, inputs, timeout=30, preview=False, token="bedplate-leaver")
    return inputs


def test_a_user_with_credentials_goes_only_where_the_program_says_so(provider: AwsProvider) -> None:
    iam = provider.caller().client("iam", "us-east-1")
    inputs = made(provider, name="leaver")
    iam.create_group(GroupName="leavers")
    iam.add_user_to_group(GroupName="leavers", UserName="leaver")
    iam.create_access_key(UserName="leaver")
    iam.create_login_profile(UserName="leaver", Password="open-sesame-1")
    iam.upload_ssh_public_key(UserName="leaver", SSHPublicKeyBody="ssh-rsa AAAA")
    with pytest.raises(ProviderError, match="DeleteConflict"):
        provider.delete(URN, TYPE, "leaver", inputs, {}, timeout=30)
    provider.delete(URN, TYPE, "leaver", {**inputs, "forceDestroy": True}, {}, timeout=30)
    assert provider.read(URN, TYPE, "leaver", inputs, {}) is None
    assert not iam.get_group(GroupName="leavers")["Users"]
    iam.delete_group(GroupName="leavers")


def test_the_secret_of_an_access_key_stays_known_and_secret(provider: AwsProvider) -> None:
    iam = provider.caller().client("iam", "us-east-1")
    iam.create_user(UserName="keyholder")
    type_, urn = "aws:iam/accessKey:AccessKey", "urn:pulumi:dev::tests::aws:iam/accessKey:AccessKey::key"
    inputs = dict(provider.check(urn, type_, None, {"user": "keyholder"}, seed="s").inputs)
    made = provider.create(urn, type_, inputs, timeout=30, preview=False, token="bedplate-key")
    told = made.outputs["secret"]
    assert isinstance(told, Secret)
    plain = reveal(made.outputs)  # as the engine hands it over
    found = provider.read(urn, type_, made.id, inputs, plain)
    assert found is not None
    assert found.outputs["secret"] == told
    news = {**inputs, "status": "Inactive"}
    assert provider.update(urn, type_, made.id, inputs, plain, news, timeout=30, preview=False)["secret"] == told
    imported = provider.read(urn, type_, made.id, {}, {})
    assert imported is not None
    assert "secret" not in imported.outputs
    provider.delete(urn, type_, made.id, inputs, plain, timeout=30)
