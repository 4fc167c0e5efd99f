"""Credentials in texts: each form is found, by line, and what only refers to one is not."""

from __future__ import annotations

import base64
import gzip
import random

import pytest

from policies.subjects.credentials_in_text import Credential, credentials_in, decoded


def found(text: str) -> list[str]:
    return [credential.what for credential in credentials_in(text)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
        ("-----BEGIN PRIVATE KEY-----", "a private key"),
        ("ghp_" + "a1B2" * 9, "a GitHub token"),
        ("github_pat_" + "a1B2" * 8, "a GitHub token"),
        ("glpat-" + "a1B2" * 5, "a GitLab token"),
        ("xoxb-" + "1234567890-abc", "a Slack token"),
        ("hf_" + "aBcD" * 9, "a Hugging Face token"),
        ("sk-ant-" + "a1B2" * 10, "a key of a model's API"),
        ("nvapi-" + "a1B2" * 12, "an NVIDIA API key"),
        ("AIza" + "a1B2c" * 7, "a Google API key"),
        ("sk_live_" + "a1B2" * 6, "a Stripe key"),
        ("dapi" + "0a1b2c3d" * 4, "a Databricks token"),
        ("npm_" + "a1B2" * 9, "a token of a package registry"),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwxyz", "a bearer token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl", "a signed token"),
        ("postgres://app:hunter2@db.internal:5432/app", "a URL with a password"),
        ("DATABASE_PASSWORD=SomeSortOfPassword", "a value for DATABASE_PASSWORD"),
        (r"export DATABASE_PASSWORD=\"SomeSortOfPassword\"", "a value for DATABASE_PASSWORD"),
        ("WANDB_API_KEY=0123456789abcdef0123456789abcdef01234567", "a value for WANDB_API_KEY"),
        ("db-password: 's3cr3t-value'", "a value for db-password"),
        ("password: correct-horse", "a value for password"),
        ('{"password":"hunter2-hunter2"}', "a value for password"),
        ("client_secret = 'abc123-def456'", "a value for client_secret"),
        ('$env:ADMIN_PASSWD = "P@ssw0rd!"', "a value for ADMIN_PASSWD"),
        ("password=sixsix", "a value for password"),
        ("secret: my-Secret-7", "a value for secret"),
        ("mysql --user app --password hunter2hunter2", "a credential as an option of a command"),
    ],
)
def test_a_credential_is_found(text: str, what: str) -> None:
    assert found(text) == [what]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AKIA",
        "XAKIAIOSFODNN7EXAMPLEX",  # longer than a key: something else
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "password=$PASSWORD",
        "password: ${PASSWORD}",
        'token="prefix-${TOKEN}"',
        "token=`cat /run/token`",
        "token=$(vault read -field=token secret/ci)",
        "password: {{ db_password }}",
        "password = <your password>",
        "password=******",
        "api_key: xxxxxxxxxxxx",
        "password=false",
        "password=fives",
        "password=prefix-$(cat /run/id)",
        "credential: my-registry",
        "credentials: my-registry",
        "secret: my-registry-credentials",
        "imagePullSecret: regcred",
        "secret = arn:aws:secretsmanager:us-east-1:111122223333:secret:db",
        "token: ssm:/prod/token",
        "private_key = /etc/ssl/private/key.pem",
        "credentials: ~/.aws/credentials",
        "password = os.environ['PASSWORD']",
        "token = get_token()",
        "# the password: see the handbook, chapter 7",
        "password_min_length: 16 characters",
        "token_ttl=3600000",
        "httpTokens: required",
        "https://user:${TOKEN}@host/path",
        "https://host:8080/some/path",
        "git@github.com:acme/repo.git",
        "docker login --password-stdin",
        "cmd --token $TOKEN",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_a_reference_is_no_credential(text: str) -> None:
    assert found(text) == []


def test_each_line_is_named_once_and_nothing_of_the_credential_is_said() -> None:
    text = "ok\nAWS_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE\n\npassword=hunter2-hunter2 token=abc123-def456"
    assert list(credentials_in(text)) == [
        Credential("an AWS access key", 2),
        Credential("a value for password", 4),
    ]


def test_base64_is_read_whatever_it_wraps() -> None:
    script = "#!/bin/sh\nexport API_TOKEN=abc123-def456\n"
    plain = base64.b64encode(script.encode()).decode()
    packed = base64.b64encode(gzip.compress(script.encode())).decode()
    wrapped = "\n".join(plain[index : index + 20] for index in range(0, len(plain), 20))
    assert [decoded(plain), decoded(packed), decoded(wrapped), decoded(script)] == [script] * 4


def test_what_has_a_credentials_shape_is_found_within_base64() -> None:
    key = base64.b64encode(b"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\n").decode()
    assert found(f"content: {key}") == ["a private key, in base64"]


@pytest.mark.parametrize("body", [b"", b"\x07not gzip at all", b"\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff\xff\xff"])
def test_what_only_begins_as_gzip_stays_as_it_is(body: bytes) -> None:
    text = base64.b64encode(b"\x1f\x8b" + body).decode()
    assert decoded(text) == text


@pytest.mark.parametrize("text", ["abcd", "H4sIAAAA", "H4sIAAAAAAAA", "////", "====", "a" * 41])
def test_what_is_no_text_in_base64_stays_as_it_is(text: str) -> None:
    assert decoded(text) == text or decoded(text).isprintable()


def test_what_unpacks_to_more_than_fits_is_not_read_further() -> None:
    bomb = base64.b64encode(gzip.compress(b"a" * (1 << 24))).decode()
    assert len(decoded(bomb)) == 1 << 20


def test_random_text_of_the_size_of_user_data_holds_none() -> None:
    words = [
        "install",
        "node",
        "gpu",
        "driver",
        "--flag",
        "=",
        ":",
        "/opt/app",
        "${VAR}",
        "$(date)",
        "42",
        "\n",
        "- key",
    ]
    choose = random.Random(7)
    text = " ".join(choose.choice(words) for _ in range(3000))
    assert found(text) == []
