"""Servers that answer as AWS's Price List and OpenCost do, from records, and refuse what those would refuse."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CASES = Path(__file__).parents[2] / "cases" / "pricing"
PAGE = 2  # products in an answer: everything comes in pages
Answer = tuple[int, Any]


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler, bytes], Answer]) -> Generator[str]:
    """A server on a port of its own; what is no ``str`` is answered as JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = answer(self, body)
            text = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


# The Price List


def products() -> list[Mapping[str, Any]]:
    text = (CASES / "price_list_eu_west_1.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


_CODES = {"AmazonEC2", "AmazonEKS", "AmazonVPC", "AmazonS3", "AmazonRDS", "AmazonSageMaker", "AmazonECR", "AmazonEFS",
          "AmazonCloudWatch", "AWSELB", "AWSSecretsManager", "awskms"}  # fmt: skip
_FIELDS = {"regionCode", "productFamily", "operatingSystem", "tenancy", "preInstalledSw", "capacitystatus",
           "marketoption", "databaseEngine"}  # fmt: skip


def price_list(handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """GetProducts, as strict as the API: signed by somebody, of a service that there is, by fields that there are."""
    if handler.headers.get("X-Amz-Target") != "AWSPriceListService.GetProducts":
        return 400, {"__type": "UnknownOperationException"}
    signature = handler.headers.get("Authorization") or ""
    if "/pricing/aws4_request" not in signature:
        return 400, {"__type": "MissingAuthenticationTokenException", "message": "not signed"}
    if "Credential=DENIED/" in signature:
        return 400, {
            "__type": "AccessDeniedException",
            "Message": "User is not authorized to perform: pricing:GetProducts",
        }
    request = json.loads(body)
    wrong = _wrong(request)
    if wrong:
        return 400, {"__type": "InvalidParameterException", "message": wrong}
    found = [json.dumps(one) for one in products() if _meets(one, request["ServiceCode"], request.get("Filters", []))]
    first = int(request.get("NextToken", 0))
    answer: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": found[first : first + PAGE]}
    return 200, answer | ({"NextToken": str(first + PAGE)} if len(found) > first + PAGE else {})


def _wrong(request: Mapping[str, Any]) -> str:
    if set(request) - {"ServiceCode", "Filters", "FormatVersion", "MaxResults", "NextToken"}:
        return f"unknown parameters in {sorted(request)}"
    if request.get("ServiceCode") not in _CODES:
        return f"no service {request.get('ServiceCode')}"
    if not 1 <= request.get("MaxResults", 100) <= 100:
        return "MaxResults"
    for one in request.get("Filters", []):
        if one["Type"] != "TERM_MATCH" or one["Field"] not in _FIELDS or not one["Value"]:
            return f"filter {one}"
    return ""


def _meets(product: Mapping[str, Any], code: str, filters: Sequence[Mapping[str, str]]) -> bool:
    facts = {"productFamily": product["product"].get("productFamily"), **product["product"]["attributes"]}
    return product["serviceCode"] == code and all(facts.get(one["Field"]) == one["Value"] for one in filters)


# OpenCost


def allocations(window_minutes: float = 7 * 24 * 60) -> Mapping[str, Any]:
    """Seven days of three namespaces, of which one is what nothing asked for."""

    def one(name: str, cpu: float, gpu: float, pv: float = 0.0) -> Mapping[str, Any]:
        parts = {
            "cpuCost": cpu,
            "gpuCost": gpu,
            "ramCost": 1.0,
            "pvCost": pv,
            "networkCost": 0.0,
            "loadBalancerCost": 0.0,
        }
        return {
            "name": name, "properties": {"namespace": name}, "window": {}, "start": "2026-11-19T00:00:00Z",
            "end": "2026-11-26T00:00:00Z", "minutes": window_minutes, **parts, "totalCost": sum(parts.values()),
            "totalEfficiency": 0.4,
        }  # fmt: skip

    found = {
        each["name"]: each for each in (one("team-vision", 20, 79, 5), one("kube-system", 6, 0), one("__idle__", 4, 30))
    }
    return {"code": 200, "data": [found]}


def opencost(handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """/allocation with the parameters that it has to have."""
    path, _, query = handler.path.partition("?")
    given = urllib.parse.parse_qs(query, strict_parsing=True)
    if path != "/allocation" or body:
        return 404, "404 page not found"
    if set(given) - {"window", "aggregate", "accumulate", "includeIdle", "step"} or "window" not in given:
        return 400, {"code": 400, "message": "Invalid 'window' parameter"}
    if given["aggregate"] != ["namespace"] or given["accumulate"] != ["true"] or given["includeIdle"] != ["true"]:
        return 400, {"code": 400, "message": "other parameters than were recorded"}
    return 200, allocations()
