"""Prometheus's configuration as a value: what is scraped, how it is labelled, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Json = Mapping[str, Any]

SCRAPE_SECONDS: Final = 30
RULES_FOLDER: Final = "/etc/prometheus/rules"


def prometheus_config(external_labels: Mapping[str, str]) -> dict[str, Any]:
    """The whole of prometheus.yml."""
    return {
        "global": {
            "scrape_interval": f"{SCRAPE_SECONDS}s",
            "evaluation_interval": f"{SCRAPE_SECONDS}s",
            "external_labels": dict(external_labels),
        },
        "rule_files": [f"{RULES_FOLDER}/*.yaml"],
        "scrape_configs": [{"job_name": "prometheus", "static_configs": [{"targets": ["localhost:9090"]}]}],
    }
