"""Databases on RDS, and Airflow on MWAA with the database that it brings."""

from __future__ import annotations

from datetime import date

from policies.pricing.bill import Bill, Parts
from policies.pricing.model import HOURS_A_MONTH, Sizes

_ENGINES = {"postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MySQL"}
# Source: RDS User Guide, "gp3 storage", 2026-11: from 400 GiB on, 12,000 IOPS come along (PostgreSQL, MySQL).
_GP3_IOPS, _GP3_STRIPED = 12000, 400
_GP3_MBPS = 500  # Source: as above: what comes along at that size
_FREE_INSIGHTS = 7  # days. Source: RDS User Guide, "Pricing and data retention for Performance Insights"
_EXTENDED = "open-source-rds-extended-support"  # what AWS takes where nothing is said
# The last day of standard support. Source: RDS User Guide, "Amazon RDS Extended Support charges", 2026-11; of 13,
# public sources say 2025-11 and 2026-02: the later is taken.
_SUPPORTED_UNTIL = {
    ("postgres", "11"): date(2024, 2, 29),
    ("postgres", "12"): date(2025, 2, 28),
    ("postgres", "13"): date(2026, 2, 28),
    ("mysql", "5.7"): date(2024, 2, 29),
}


def _database(bill: Bill) -> None:
    """An instance by class and number of zones. A price that is not of one engine is PostgreSQL's and MySQL's alike."""
    inputs = bill.inputs
    kind, engine = inputs.at("instanceClass").text(), inputs.at("engine").text()
    zones = "Multi-AZ" if inputs.at("multiAz").flag() else "single-AZ"
    if engine not in _ENGINES:
        bill.lack(f"{engine} {kind}", f"no price is known for engine {engine or '(not given)'}")
        return
    working = f"1 instance × {HOURS_A_MONTH:g} h"
    own, common = f"{_ENGINES[engine]} {kind} {zones}", f"{kind} {zones}"
    for item in (own, common):
        if ("rds", item) in bill.prices.table:
            bill.charge("rds", item, HOURS_A_MONTH, working)
            return
    _twice(bill, own, common, zones)


def _twice(bill: Bill, own: str, common: str, zones: str) -> None:
    """Multi-AZ runs a second instance of the same class. Source: RDS pricing: exactly twice, to the rounding."""
    for item in (own, common):
        single = item.replace("Multi-AZ", "single-AZ")
        if zones == "Multi-AZ" and ("rds", single) in bill.prices.table:
            working = f"2 instances × {HOURS_A_MONTH:g} h"
            bill.charge("rds", single, 2 * HOURS_A_MONTH, working, what=f"{item} (as two of single-AZ)")
            return
    bill.charge("rds", common, HOURS_A_MONTH, "")


def _database_storage(bill: Bill) -> None:
    inputs = bill.inputs
    kind = inputs.at("storageType").text("gp2")
    zones = "Multi-AZ" if inputs.at("multiAz").flag() else "single-AZ"
    size = inputs.at("allocatedStorage").number()
    bill.charge("rds", f"{kind} storage {zones}", size, f"{size:g} GB")
    iops = inputs.at("iops").number(0)
    if kind == "gp3" and iops > _GP3_IOPS and size >= _GP3_STRIPED:
        above = iops - _GP3_IOPS
        bill.charge("rds", f"gp3 IOPS above 12000 {zones}", above, f"{iops:g} − {_GP3_IOPS} IOPS")
    elif iops and kind != "gp3":
        bill.lack(f"{iops:g} IOPS of {kind}", "no price is known for them")


def _database_extras(bill: Bill) -> None:
    """What is paid for beside the instance and its size, and has no price here."""
    inputs = bill.inputs
    if inputs.at("storageThroughput").number(0) > _GP3_MBPS:
        bill.lack(f"throughput above {_GP3_MBPS} MB/s", "no price is known for it")
    kept = inputs.at("performanceInsightsRetentionPeriod").number(_FREE_INSIGHTS)
    if inputs.at("performanceInsightsEnabled").flag() and kept > _FREE_INSIGHTS:
        bill.lack(f"{kept:g} days of performance insights", f"no price is known for more than {_FREE_INSIGHTS} days")
    if inputs.at("engineLifecycleSupport").text(_EXTENDED) == _EXTENDED and _is_past(bill):
        bill.lack("extended support", "no price is known for it: the version is past its standard support")


def _is_past(bill: Bill) -> bool:
    """Whether standard support of the engine's version has ended."""
    engine, version = bill.inputs.at("engine").text(), bill.inputs.at("engineVersion").text()
    return any(
        engine == name and (version == old or version.startswith(f"{old}.")) and bill.today > until
        for (name, old), until in _SUPPORTED_UNTIL.items()
    )


def _database_backups(bill: Bill) -> None:
    bill.by_use("backup_gb", "rds", "additional backup storage")


def _cluster_of_databases(bill: Bill) -> None:
    bill.lack("database cluster", "no price is known for Aurora and Multi-AZ clusters")


# MWAA


def _airflow(bill: Bill) -> None:
    """An environment with one scheduler more than one, and its workers: at least the smallest number at all times."""
    inputs = bill.inputs
    size = inputs.at("environmentClass").text("mw1.small").removeprefix("mw1.")
    bill.charge("mwaa", f"environment {size}", HOURS_A_MONTH, f"1 environment × {HOURS_A_MONTH:g} h")
    low, high = inputs.at("minWorkers").number(1), inputs.at("maxWorkers").number(10)
    more = Sizes(max(low - 1, 0), max(low - 1, 0), max(high - 1, 0))  # the first one belongs to the environment
    if more.max:
        bill.charge(
            "mwaa", f"worker {size}", more.times(HOURS_A_MONTH), f"{more.desired:g} more workers × {HOURS_A_MONTH:g} h"
        )
    schedulers = inputs.at("schedulers").number(2) - 2
    if schedulers > 0:
        bill.charge(
            "mwaa", f"scheduler {size}", schedulers * HOURS_A_MONTH, f"{schedulers:g} more × {HOURS_A_MONTH:g} h"
        )


def _airflow_database(bill: Bill) -> None:
    bill.by_use("metadata_gb", "mwaa", "metadata database storage")


PARTS: Parts = {
    "aws:rds/instance:Instance": [_database, _database_storage, _database_extras, _database_backups],
    "aws:rds/cluster:Cluster": [_cluster_of_databases],
    "aws:rds/clusterInstance:ClusterInstance": [_cluster_of_databases],
    "aws:mwaa/environment:Environment": [_airflow, _airflow_database],
}
