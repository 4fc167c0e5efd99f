"""Calls to the API: one client per service and region, retries, and errors in words.

A call that may be sent twice (reads, puts, tags; creates that carry a token or name) is repeated on throttling, on the
server's own errors and on broken connections. A create that may not is repeated only where the server says that nothing
happened; otherwise it raises OperationUncertain, and the caller looks for what it may have made.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import botocore.config
import botocore.session
import botocore.waiter
from botocore import exceptions, xform_name
from botocore.credentials import Credentials
from botocore.parsers import ResponseParserError

from engine.providers.aws.config import Config
from engine.providers.aws.endpoint import Endpoint
from engine.providers.base import OperationUncertain, ProviderError

# Source: botocore 1.44, botocore.retries.standard (throttled and transient error codes).
# fmt: off
THROTTLED: Final = frozenset({
    "BandwidthLimitExceeded", "EC2ThrottledException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
    "TooManyRequestsException", "TransactionInProgressException",
})
# fmt: on
UNREPEATABLE: Final = ("Create", "Run", "Allocate", "Request", "Register", "Start", "Import", "Subscribe")
ATTEMPTS: Final = 8
CONNECT_ATTEMPTS: Final = 3
UNANSWERED_ATTEMPTS: Final = 2  # what let one whole read timeout pass will hardly answer the eighth time
DELAY: Final = 0.1  # seconds; doubles with each attempt, and a random part of it is taken
LONGEST_DELAY: Final = 5.0
POOL: Final = 64  # as many connections as the engine has threads
NOT_IMPLEMENTED: Final = 501  # of HTTP; LocalStack's answer for a service that it lacks
POLL: Final = 0.1  # seconds between two looks of a waiter: emulators are quick


class ApiError(ProviderError):
    """The API refused a call."""

    def __init__(self, operation: str, code: str, message: str, status: int) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code
        self.status = status  # of HTTP


class AccountRefused(ProviderError):
    """The endpoint's account is not one that the provider's configuration lets the program into."""


class EndpointDown(ProviderError):
    """Nothing answers at the endpoint."""


class Caller:
    """Makes calls for one provider configuration. Safe to use from many threads; clients are made on first use."""

    def __init__(self, endpoint: Endpoint, config: Config) -> None:
        self._endpoint = endpoint
        self._config = config
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._account: str | None = None
        self._account_fits = False

    def guard(self, service: str) -> str:
        """The URL that calls of ``service`` go to. Raises EndpointRefused before anything is built."""
        return self._endpoint.for_service(service, self._config.endpoints.get(service.replace("-", "")))

    def client(self, service: str, region: str) -> Any:
        url = self.guard(service)
        found = self._clients.get((service, region))
        if found is None:
            with self._lock:
                found = self._clients.get((service, region)) or self._make(service, region, url)
                self._clients[service, region] = found
        return found

    def input_shape(self, service: str, region: str, operation: str) -> Any:
        return self.client(service, region).meta.service_model.operation_model(operation).input_shape

    def account(self, region: str) -> str:
        """The account's id, asked for once."""
        if self._account is None:
            self._account = str(self.call("sts", region, "GetCallerIdentity", {})["Account"])
        return self._account

    def check_account(self) -> None:
        """Raise AccountRefused where ``allowedAccountIds`` or ``forbiddenAccountIds`` keep the program out."""
        allowed, forbidden = self._config.account_ids, self._config.forbidden_account_ids
        if self._account_fits or not (allowed or forbidden):
            return
        account = self.account(self._config.region_of({}))
        if account in forbidden:
            raise self._refused(account, f"forbiddenAccountIds excludes {', '.join(sorted(forbidden))}")
        if allowed and account not in allowed:
            raise self._refused(account, f"allowedAccountIds expects {', '.join(sorted(allowed))}")
        self._account_fits = True

    def call(
        self,
        service: str,
        region: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        repeatable: bool | None = None,
        passing: tuple[str, ...] = (),
        deadline: float | None = None,
    ) -> dict[str, Any]:
        """Make one call; ``passing`` are error codes that go away by themselves, retried until ``deadline``.

        Raises ApiError, EndpointDown, EndpointRefused, OperationUncertain or another ProviderError. ``deadline`` is of
        ``time.monotonic``.
        """
        client = self.client(service, region)
        may_repeat = not operation.startswith(UNREPEATABLE) if repeatable is None else repeatable
        attempt = unanswered = 0
        while True:
            attempt += 1
            try:
                return client._make_api_call(operation, dict(params))  # the method behind every generated one
            except exceptions.ClientError as error:
                if not _retriable(error, operation, attempt, may_repeat, passing, deadline):
                    raise _api_error(operation, error) from error
            except (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError) as error:
                if attempt >= CONNECT_ATTEMPTS:
                    raise self._down(service, error) from error
            except (exceptions.HTTPClientError, ResponseParserError) as error:
                if not may_repeat:
                    raise OperationUncertain(f"{operation}: the connection broke after it was sent: {error}") from error
                unanswered += isinstance(error, exceptions.ReadTimeoutError)
                if attempt >= ATTEMPTS or unanswered >= UNANSWERED_ATTEMPTS:
                    raise self._down(service, error) from error
            except exceptions.BotoCoreError as error:
                raise ProviderError(f"{operation}: {error}") from error
            _pause(attempt)

    def listed(self, service: str, region: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The whole answer of a call that lists, all of its pages."""
        client = self.client(service, region)
        method = client.meta.method_to_api_mapping
        name = next((name for name, api in method.items() if api == operation), None)
        if name is None or not client.can_paginate(name):
            return self.call(service, region, operation, params)
        paginator = client.get_paginator(name)
        tokens = paginator._pagination_cfg
        return self._pages(service, region, operation, params, tokens)

    def wait(self, service: str, region: str, waiter: str, params: Mapping[str, Any], timeout: float) -> None:
        """Wait as botocore's waiter says, its looks repeated as calls are; ``timeout`` in seconds.

        Raises ProviderError.
        """
        model = botocore.waiter.WaiterModel(self.client(service, region)._get_waiter_config())
        config = model.get_waiter(next(name for name in model.waiter_names if xform_name(name) == waiter))

        def look(**sent: Any) -> dict[str, Any]:
            try:
                return self.call(service, region, config.operation, sent)
            except ApiError as error:  # a refusal is an answer too: the waiter knows what it means
                metadata = {"HTTPStatusCode": error.status}
                return {"Error": {"Code": error.code, "Message": str(error)}, "ResponseMetadata": metadata}

        attempts = max(1, int(timeout / POLL))
        try:
            botocore.waiter.Waiter(waiter, config, look).wait(
                **params, WaiterConfig={"Delay": POLL, "MaxAttempts": attempts}
            )
        except exceptions.WaiterError as error:
            raise ProviderError(f"waiting for {waiter.replace('_', ' ')}: {error}") from error

    def _pages(
        self, service: str, region: str, operation: str, params: Mapping[str, Any], config: Mapping[str, Any]
    ) -> dict[str, Any]:
        result_keys = config["result_key"]
        keys: list[str] = [result_keys] if isinstance(result_keys, str) else result_keys
        inputs, outputs = config["input_token"], config["output_token"]
        pairs = [(inputs, outputs)] if isinstance(inputs, str) else list(zip(inputs, outputs, strict=False))
        page = merged = self.call(service, region, operation, params)
        while more := {into: page[out] for into, out in pairs if isinstance(out, str) and page.get(out)}:
            page = self.call(service, region, operation, {**params, **more})
            merged = {**merged, **{key: [*merged.get(key, ()), *page.get(key, ())] for key in keys}}
        return merged

    def _make(self, service: str, region: str, url: str) -> Any:
        """A client with made-up credentials: the user's own never leave for an emulator. Call with the lock held."""
        if self._session is None:
            # Neither the profile nor the files of the user's AWS configuration have a say in what an emulator gets.
            overrides = {
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
            self._session = botocore.session.Session(session_vars=overrides)
            self._session._credentials = Credentials("test", "test")
        config = botocore.config.Config(
            retries={"total_max_attempts": 1, "mode": "standard"},  # retried here, where it is known what may be
            max_pool_connections=POOL,
            connect_timeout=self._endpoint.connect_timeout,
            read_timeout=self._endpoint.read_timeout,
            proxies={},
            s3={"addressing_style": "path"},
            ignore_configured_endpoint_urls=True,
            user_agent="bedplate",  # botocore's own text is put together anew for each call, a sixth of its work
        )
        return self._session.create_client(service, region_name=region, endpoint_url=url, config=config)

    def _refused(self, account: str, expected: str) -> AccountRefused:
        return AccountRefused(
            f"the account at {self.guard('sts')} is {account}, but the provider's {expected}; nothing was changed."
            " For an emulator leave the setting out, or name the emulator's account there."
        )

    def _down(self, service: str, error: Exception) -> EndpointDown:
        return EndpointDown(
            f"no answer from {self.guard(service)} ({service}): {error}. Is the sandbox running?"
            " `bedplate sandbox status` tells, `bedplate sandbox up` starts it."
        )


def _retriable(
    error: Any, operation: str, attempt: int, may_repeat: bool, passing: tuple[str, ...], deadline: float | None
) -> bool:
    """Whether the call is to be repeated after the API's ``error``. Raises OperationUncertain."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in passing:
        return deadline is not None and time.monotonic() < deadline
    if code in THROTTLED or status in (429, 503):
        return attempt < ATTEMPTS
    if status == NOT_IMPLEMENTED:
        return False  # an emulator that lacks the API: nothing has happened, and nothing will
    if status >= 500:
        if not may_repeat:
            raise OperationUncertain(f"{operation}: the server failed with {status} ({code}): it may have happened")
        return attempt < ATTEMPTS
    return False


def _api_error(operation: str, error: Any) -> ApiError:
    details = error.response.get("Error", {})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return ApiError(operation, str(details.get("Code", "Unknown")), str(details.get("Message", error)), status)


def _pause(attempt: int) -> None:
    longest = min(LONGEST_DELAY, DELAY * 2**attempt)
    time.sleep(random.uniform(longest / 4, longest))  # noqa: S311 - jitter, not a secret
