"""``python -m tests.bench.policy_packs [RESOURCES] [--unknown] [--findings]``: what the packs cost on prod.

Or on so many of its resources; with ``--unknown`` on one resource of each type that the packs' cases have, again and
again, of which nothing is known. Processor seconds of each pack's process, and the time that a caller waits who asks
one pack after another. Nothing here is asserted.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as wire
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from engine.analyzer.case_files import load
from tests.components.platform_recording import Recorded, config_of, run_program

POLICIES = Path(__file__).parents[2] / "policies"
PACKS = ("security", "budget", "governance")


def main(count: int | None) -> None:
    if "--unknown" in sys.argv:
        resources = _unknown_ones()
    else:
        resources = run_program(config_of("prod"), "prod", offline=True).resources
    if count:
        copies = itertools.count()
        several = (replace(one, urn=f"{one.urn}-{next(copies)}") for one in itertools.cycle(resources))
        resources = list(itertools.islice(several, count))
    print(f"{len(resources)} resources, processor seconds (and seconds waited)")
    for pack in PACKS:
        _measure(pack, resources)


def _unknown_ones() -> list[Recorded]:
    """One resource of each type, with all properties that any case gives it."""
    known: dict[str, set[str]] = {}
    for case in (case for path in POLICIES.glob("*/cases/*.yaml") for case in load(path).cases):
        for one in case.resources:
            known.setdefault(one.type, set()).update(one.properties)
    return [
        Recorded(
            type=token, name="it", inputs=dict.fromkeys(names, UNKNOWN_STRING_VALUE),
            urn=f"urn:pulumi:prod::p::{token}::it", parent="", provider="", protect=False, depends_on=(),
        )
        for token, names in sorted(known.items())
    ]  # fmt: skip


def _measure(pack: str, resources: Sequence[Recorded]) -> None:
    alone = [_request(one) for one in resources]
    together = wire.AnalyzeStackRequest(resources=[_of_stack(one) for one in resources])
    for process, stub in _running(POLICIES / pack):
        info = stub.GetAnalyzerInfo(empty_pb2.Empty())
        started = _processor_seconds(process)
        figures = [f"{pack}: {len(info.policies)} policies, start {started:.2f}"]
        found: Counter[str] = Counter()
        for name, requests in (("Remediate", alone), ("Analyze", alone), ("AnalyzeStack", [together])):
            before, began = _processor_seconds(process), time.perf_counter()
            for request in requests:
                answer = getattr(stub, name)(request)
                if name != "Remediate":
                    found.update(one.policyName for one in answer.diagnostics)
            waited = time.perf_counter() - began
            figures.append(f"{name} {_processor_seconds(process) - before:.2f} ({waited:.2f})")
        print(", ".join(figures))
        if "--findings" in sys.argv:
            print("  " + ", ".join(f"{name} {number}" for name, number in found.most_common()))


def _running(pack: Path) -> Iterator[tuple[int, Any]]:
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack)]
    process = subprocess.Popen(command, cwd=pack, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        options = [("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}", options) as channel:
            yield process.pid, AnalyzerStub(channel)
    finally:
        process.kill()
        process.communicate()


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _request(one: Recorded) -> wire.AnalyzeRequest:
    return wire.AnalyzeRequest(type=one.type, urn=one.urn, name=one.name, properties=_struct(one))


def _of_stack(one: Recorded) -> wire.AnalyzerResource:
    return wire.AnalyzerResource(type=one.type, urn=one.urn, name=one.name, properties=_struct(one), parent=one.parent)


def _struct(one: Recorded) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(dict(one.inputs))
    return struct


if __name__ == "__main__":
    main(next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), None))
