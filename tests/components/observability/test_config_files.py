"""The servers' whole files, as people would read them: a case of settings in, two files out.

``tests/cases/monitoring/config/NAME.prometheus.yml`` and ``NAME.alertmanager.yml``; with ACCEPT=1 these are written
from what was seen. Names of metrics are the catalogue's and stand for themselves.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.components.kubernetes_objects import case, monitored, of_kind

FOLDER = Path(__file__).parents[2] / "cases" / "monitoring" / "config"
FILES = ("prometheus.yml", "alertmanager.yml")
_METRICS = re.compile(r"(regex: )\w+(\|\w+)+(\n *action: keep)")


@pytest.mark.parametrize("name", ["existing_cluster", "monitored_models", "receivers_and_routes"])
def test_the_files_of_a_case(name: str) -> None:
    maps = [each["data"] for each in of_kind(monitored(case(name)), "ConfigMap")]
    for file in FILES:
        (text,) = (data[file] for data in maps if file in data)
        seen = _METRICS.sub(r"\1(metrics of the catalogue)\3", text)
        path = FOLDER / f"{name}.{file}"
        if os.environ.get("ACCEPT") == "1":
            path.write_text(seen, encoding="utf-8")
        assert seen == path.read_text(encoding="utf-8")
