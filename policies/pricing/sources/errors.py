"""What may go wrong when a service is asked, in two kinds; and clients of AWS that do not wait for ever."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

# Error codes that say "not you", whichever service says it. Source: AWS General Reference, "Common errors".
_CREDENTIALS: Final = frozenset({
    "AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "ExpiredTokenException",
    "IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired", "SignatureDoesNotMatch",
    "UnauthorizedOperation", "UnrecognizedClientException",
})  # fmt: skip
_PATIENCE: Final = {"connect_timeout": 5, "read_timeout": 30}  # seconds


class NotAllowed(Exception):
    """No credentials, or none that may do this."""


class NoAnswer(Exception):
    """A service that isn't reached, refuses for another reason, or says what can't be read."""


def client(service: str, region: str) -> Any:
    """A client of an AWS service, with the credentials and endpoints that boto3 finds by itself."""
    import boto3  # a third of a second, which only those pay who ask AWS
    from botocore.config import Config

    make: Any = boto3.Session().client  # its overloads know services by literal names only
    return make(service, region_name=region, config=Config(**_PATIENCE, retries={"total_max_attempts": 4}))


@contextmanager
def asking(whom: str, right: str) -> Generator[None]:
    """While the block runs, what boto3 raises becomes NotAllowed or NoAnswer. ``right`` is the IAM action needed."""
    from botocore import exceptions

    none = (
        exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound, exceptions.TokenRetrievalError,
    )  # fmt: skip
    try:
        yield
    except none as error:
        raise NotAllowed(f"{whom}: {error}; log in, or set AWS_PROFILE to an account that may {right}") from error
    except exceptions.ClientError as error:
        told = error.response.get("Error", {})
        code, message = told.get("Code", ""), told.get("Message", "")
        if code in _CREDENTIALS:
            raise NotAllowed(f"{whom}: {code}: {message}; these credentials need {right}") from error
        raise NoAnswer(f"{whom}: {code}: {message}") from error
    except exceptions.BotoCoreError as error:
        raise NoAnswer(f"{whom}: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise NoAnswer(f"{whom}: its answer is not what it should be: {type(error).__name__}: {error}") from error
