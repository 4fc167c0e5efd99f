"""An S3 bucket that holds a Pulumi backend, for reading: `s3://BUCKET/PREFIX?region=…&endpoint=…&s3ForcePathStyle=true`.

Reading is all that is done: `s3:GetObject` and `s3:ListBucket` are enough. The URL's parameters are those that Pulumi
takes. (Source: Pulumi 3.260, ``translateLegacyS3Params`` of ``pkg/backend/diy``; gocloud.dev 0.46, ``blob/s3blob`` and
``V2ConfigFromURLParams``.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from engine.state.buckets import Stored
from engine.state.errors import BadUrl, BucketDenied, NoCredentials, StateError

T = TypeVar("T")

_TRUE: Final = ("1", "t", "true")
_KNOWN: Final = frozenset({
    "region", "endpoint", "profile", "anonymous", "s3ForcePathStyle", "use_path_style", "disableSSL", "disable_https",
    "dualstack", "fips", "accelerate",
})  # fmt: skip
# What only concerns writing, or which library Pulumi itself uses.
_IGNORED: Final = frozenset({
    "awssdk", "ssetype", "kmskeyid", "hostname_immutable", "rate_limiter_capacity", "request_checksum_calculation",
    "response_checksum_validation",
})  # fmt: skip
_DENIED: Final = ("AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken")
_ABSENT: Final = ("NoSuchKey", "404")
_SECONDS: Final = 10  # to connect, and for each answer


@dataclass(frozen=True)
class S3Bucket:
    """``prefix`` is "" or ends in a slash. Nothing is asked before it is needed."""

    bucket: str
    prefix: str
    parameters: Mapping[str, str]

    @classmethod
    def at(cls, url: str) -> S3Bucket:
        """The bucket that a URL means. Raises BadUrl where the URL says something that is not understood."""
        parts = urlsplit(url)
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
        unknown = sorted(parameters.keys() - _KNOWN - _IGNORED)
        if not parts.netloc or unknown:
            what = f"the parameter {unknown[0]!r} is not known here" if unknown else "it names no bucket"
            raise BadUrl(
                f"PULUMI_BACKEND_URL {url}: {what}\n"
                f"  expected s3://BUCKET/PREFIX, with any of {', '.join(sorted(_KNOWN))}"
            )
        path = unquote(parts.path).strip("/")
        return cls(parts.netloc, f"{path}/" if path else "", parameters)

    @property
    def name(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def path(self, key: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def read(self, key: str) -> bytes | None:
        def get() -> bytes:
            answer = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)
            return bytes(answer["Body"].read())

        return self._asked(get, "s3:GetObject")

    def below(self, prefix: str) -> list[Stored]:
        def pages() -> list[Stored]:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            found = [one for page in pages for one in page.get("Contents", ())]
            return [Stored(one["Key"].removeprefix(self.prefix), one["LastModified"].timestamp()) for one in found]

        return sorted(self._asked(pages, "s3:ListBucket") or [])

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config

        s3 = {
            "addressing_style": "path" if self._says("s3ForcePathStyle", "use_path_style") else "auto",
            "use_accelerate_endpoint": self._says("accelerate"),
        }
        config = Config(
            s3=s3, connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"mode": "standard", "max_attempts": 3},
            signature_version=UNSIGNED if self._says("anonymous") else None,
            use_dualstack_endpoint=self._says("dualstack") or None, use_fips_endpoint=self._says("fips") or None,
        )  # fmt: skip
        session = boto3.Session(profile_name=self.parameters.get("profile") or None)
        return session.client("s3", region_name=self.parameters.get("region") or None, endpoint_url=self._endpoint,
                              config=config)  # fmt: skip

    @property
    def _endpoint(self) -> str | None:
        given = self.parameters.get("endpoint", "")
        if not given or "://" in given:
            return given or None
        return f"{'http' if self._says('disableSSL', 'disable_https') else 'https'}://{given}"

    def _says(self, *names: str) -> bool:
        return any(self.parameters.get(name, "").lower() in _TRUE for name in names)

    def _asked(self, ask: Callable[[], T], permission: str) -> T | None:
        """What ``ask`` gets; None for an object that is not there. Every failure is told with what to do."""
        from botocore import exceptions

        try:
            return ask()
        except exceptions.ClientError as error:
            return self._refused(error, permission)
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.ProfileNotFound) as error:
            raise NoCredentials(
                f"{self.name}: no credentials to read it with: {error}\n"
                "  give some that may s3:GetObject and s3:ListBucket, as in AWS_PROFILE or by your CI's OpenID Connect"
            ) from error
        except (exceptions.BotoCoreError, exceptions.HTTPClientError, ValueError) as error:
            raise StateError(
                f"{self.name} can't be reached: {error}\n  look at the URL's region and endpoint, and at the network"
            ) from error

    def _refused(self, error: Any, permission: str) -> None:
        answer = error.response.get("Error", {})
        code, said = str(answer.get("Code", "")), str(answer.get("Message", ""))
        if code in _ABSENT:
            return
        if code in _DENIED:
            raise BucketDenied(
                f"{self.name}: access denied, where {permission} is needed: {code} {said}\n"
                "  the role needs s3:GetObject on the objects and s3:ListBucket on the bucket, and kms:Decrypt on the "
                "bucket's key where it has one"
            ) from error
        hint = "look at the bucket's name" if code == "NoSuchBucket" else "look at the URL's region and endpoint"
        raise StateError(f"{self.name}: {code} {said}\n  {hint}") from error
