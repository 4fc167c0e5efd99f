"""promtool and amtool over the files that each environment deploys, and over those that say the most."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.settings import environments, load
from tests.components.kubernetes_objects import case, monitored, of_kind
from tests.integration.monitoring.servers import find_server, run_tool

CASES = ("monitored_models", "receivers_and_routes", "existing_cluster")
# Debian builds Prometheus without it (2.42.0+ds); what it takes is checked by `_check_discovery`.
WITHOUT = "kubernetes_sd_configs"


@pytest.fixture(scope="module", params=[*environments(), *CASES])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files as pods see them."""
    name = request.param
    run = monitored(case(name) if name in CASES else load(name))
    folder = tmp_path_factory.mktemp(name)
    (folder / "rules").mkdir()
    for each in of_kind(run, "ConfigMap"):
        for file, text in each["data"].items():
            if file.endswith((".yml", ".tmpl")):
                (folder / file).write_text(text, encoding="utf-8")
            elif each["metadata"].get("name", "").startswith("prometheus-rules"):
                (folder / "rules" / file).write_text(text, encoding="utf-8")
    return folder


def test_prometheus_takes_its_configuration_and_its_rules(files: Path) -> None:
    find_server("promtool")
    config = yaml.safe_load((files / "prometheus.yml").read_text())
    for job in config["scrape_configs"]:
        for discovery in job.pop(WITHOUT):
            _check_discovery(discovery)
        # It looks for these on this machine.
        if "authorization" in job:
            job["authorization"]["credentials_file"] = str(files / "prometheus.yml")
        job.get("tls_config", {}).pop("ca_file", None)
    config["rule_files"] = [str(files / "rules" / "*.yaml")]
    checked = files / "checked.yml"
    checked.write_text(yaml.safe_dump(config))
    done = run_tool("promtool", "check", "config", checked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("rules found") == len(list((files / "rules").iterdir())) >= 5


def _check_discovery(discovery: Mapping[str, Any]) -> None:
    """What Prometheus 2.42 and 3 take. Source: their documentation, <kubernetes_sd_config>, 2026-11."""
    assert discovery.keys() <= {"role", "namespaces", "selectors", "attach_metadata"}
    allowed = {"pod": {"pod"}, "node": {"node"}, "endpointslice": {"pod", "service", "endpointslice"}}
    for selector in discovery.get("selectors", []):
        assert selector.keys() <= {"role", "label", "field"}
        assert selector["role"] in allowed[discovery["role"]]
    # Of pods alone it is asked for their node.
    assert "attach_metadata" not in discovery or discovery["role"] == "pod"


def test_alertmanager_takes_its_configuration_and_its_templates(files: Path) -> None:
    done = run_tool("amtool", "check-config", files / "alertmanager.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 templates" in done.stdout
    assert "SUCCESS" in done.stdout


def test_alertmanager_routes_as_the_settings_say(tmp_path: Path) -> None:
    (found,) = (each for each in of_kind(monitored(case("receivers_and_routes")), "ConfigMap")
                if "alertmanager.yml" in each["data"])  # fmt: skip
    for name, text in found["data"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    routed = {
        (team, severity): run_tool(
            "amtool", "config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}",
            "alertname=ModelTrafficDropped", f"team={team}", f"severity={severity}",
        ).stdout.strip()
        for team in ("vision", "text", "ml")
        for severity in ("page", "ticket", "info")
    }  # fmt: skip
    assert routed == {
        ("vision", "page"): "vision-oncall",
        ("vision", "ticket"): "tickets",
        ("vision", "info"): "nobody",
        ("text", "page"): "text",
        ("text", "ticket"): "text",
        ("text", "info"): "text",
        ("ml", "page"): "platform",
        ("ml", "ticket"): "platform",
        ("ml", "info"): "nobody",
    }


def test_a_configuration_that_names_nobody_is_refused(tmp_path: Path) -> None:
    """What is checked here can fail."""
    path = tmp_path / "alertmanager.yml"
    path.write_text("route: {receiver: gone}\nreceivers: [{name: there}]\n")
    done = run_tool("amtool", "check-config", path)
    assert done.returncode != 0 and "gone" in done.stdout + done.stderr
