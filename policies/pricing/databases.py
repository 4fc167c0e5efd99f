"""Databases on RDS, and Airflow on MWAA with the database that it brings."""

from __future__ import annotations

from policies.pricing.bill import Bill, Parts
from policies.pricing.model import HOURS_A_MONTH, Sizes

_ENGINES = {"postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MySQL"}
# Source: RDS User Guide, "gp3 storage", 2026-11: from 400 GiB on, 12,000 IOPS come along (PostgreSQL, MySQL).
_GP3_IOPS, _GP3_STRIPED = 12000, 400


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
    "aws:rds/instance:Instance": [_database, _database_storage, _database_backups],
    "aws:rds/cluster:Cluster": [_cluster_of_databases],
    "aws:rds/clusterInstance:ClusterInstance": [_cluster_of_databases],
    "aws:mwaa/environment:Environment": [_airflow, _airflow_database],
}
