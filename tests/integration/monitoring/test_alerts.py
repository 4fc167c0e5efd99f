"""Every alert by promtool, on the very rules that are deployed: it fires, it does not, and it ends.

The stories are files (see ``alert_cases``); all of them are told to a few promtools at once. With ACCEPT=1 what an
alert tells is written into its case.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.monitoring.alert_cases import CASES, REGISTRY, accept, read, written
from tests.integration.monitoring.servers import find_server

pytestmark = pytest.mark.slow
_AT_ONCE = 3
_FAILED = re.compile(r"^ +alertname: (\w+), ", re.MULTILINE)


def test_every_alert_has_a_case_and_every_case_an_alert() -> None:
    assert sorted(path.stem for path in CASES.glob("*.yaml")) == sorted(REGISTRY)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_case_tells_all_that_has_to_be_told(name: str) -> None:
    case = read(name)  # it fires, ends, and does not fire in another story; a KeyError says which of these is missing
    assert case.alerts, "it fires, and tells something"
    for alert in case.alerts:
        assert alert["labels"]["team"] in ("ml-platform", "research", "vision")
        for text in (alert["summary"], alert["description"]):
            assert not re.search(r"\{\{|%!|<no value>|NaN|  ", text), text


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What promtool has to say of each alert that does not do as its case says."""
    promtool, folder = find_server("promtool"), tmp_path_factory.mktemp("alerts")
    names = sorted(REGISTRY)

    def told(some: Sequence[str]) -> dict[str, str]:
        files = [path.name for name in some for path in written(read(name), folder)]
        command = [promtool, "test", "rules", *files]
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300
        )
        return _by_alert(done.stdout, some)

    found: dict[str, str] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for each in pool.map(told, [names[start::_AT_ONCE] for start in range(_AT_ONCE)]):
            found |= each
    return found


def _by_alert(output: str, names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in re.split(r"^Unit Testing:  ", output, flags=re.MULTILINE)[1:]:
        name = part.split(".", 1)[0]
        assert name in names, output
        if "FAILED" in part or "SUCCESS" not in part:
            found[name] = found.get(name, "") + part
    return found


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_an_alert_fires_and_ends_as_its_case_says(name: str, failures: Mapping[str, str]) -> None:
    if os.environ.get("ACCEPT") == "1" and name in failures and len(_FAILED.findall(failures[name])) == 1:
        accept(name, failures[name])
        return
    assert name not in failures, failures[name]
