"""What the emulator does beyond moto, told as case files (``tests/cases/emulator/*.yaml``).

A case is a list of steps against one emulator:
    - call: ec2.create_vpc            # boto3's service and method
      params: {CidrBlock: 10.0.0.0/16}  # ${name} is what an earlier step saved
      expect: {Vpc: {State: "*"}}     # part of the answer: mappings by the keys given, lists whole, "*" is anything
      save: {vpc: Vpc.VpcId}          # name: JMESPath on the answer
      refused: DependencyViolation    # instead of expect: the error code
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml
from botocore.exceptions import ClientError

from tests.engine.emulator.conftest import Client

CASES = sorted((Path(__file__).parents[2] / "cases" / "emulator").glob("*.yaml"))


def filled(value: Any, saved: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, saved) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, saved) for item in value]
    if isinstance(value, str):
        whole = re.fullmatch(r"\$\{(\w+)\}", value)
        return saved[whole[1]] if whole else re.sub(r"\$\{(\w+)\}", lambda match: str(saved[match[1]]), value)
    return value


def unlike(expected: Any, seen: Any, place: str) -> list[str]:
    if expected == "*":
        return [] if seen is not None else [f"{place}: expected something, got nothing"]
    if isinstance(expected, dict) and isinstance(seen, dict):
        return [fault for key, item in expected.items() for fault in unlike(item, seen.get(key), f"{place}.{key}")]
    if isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        pairs = enumerate(zip(expected, seen, strict=True))
        return [fault for index, (item, have) in pairs for fault in unlike(item, have, f"{place}[{index}]")]
    return [] if expected == seen else [f"{place}: expected {expected!r}, got {seen!r}"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_behaves_as_its_case_says(path: Path, client: Client) -> None:
    saved: dict[str, Any] = {}
    for number, step in enumerate(yaml.safe_load(path.read_text()), start=1):
        place = f"{path.name}, step {number}: {step['call']}"
        service, method = step["call"].split(".")
        call = getattr(client(service), method)
        try:
            answer = call(**filled(step.get("params", {}), saved))
        except ClientError as error:
            assert error.response["Error"]["Code"] == step.get("refused"), f"{place}: {error}"
            continue
        assert "refused" not in step, f"{place}: expected {step['refused']}, but it was done"
        faults = unlike(filled(step.get("expect", {}), saved), answer, place)
        assert not faults, "\n".join(faults)
        saved |= {name: jmespath.search(query, answer) for name, query in step.get("save", {}).items()}
        assert None not in saved.values(), f"{place}: nothing to save in {answer}"
