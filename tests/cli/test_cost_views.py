"""The reports of costs: text that fits, Markdown that is text, JSON in FOCUS's words, a picture that is well-formed."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from cli.views import cost, cost_document, cost_markdown, cost_picture
from cli.views.lines import cells
from cli.views.money import signed, usd
from policies.pricing import UNKNOWN, Estimate, Item, estimate
from policies.pricing.compare import Comparison

DAY = date(2026, 12, 5)
# Columns that every FOCUS 1.2 dataset has to have. Source: FOCUS specification 1.2, "Feature level: Mandatory".
MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "ServiceCategory", "ServiceName",
}  # fmt: skip


def item(type_: str, name: str, properties: Mapping[str, object], component: str = "part") -> Item:
    parent = f"urn:pulumi:dev::demo::demo:platform:Part::{component}"
    return Item(f"urn:pulumi:dev::demo::{type_}::{name}", type_, name, properties, parent)


def pool(name: str, kind: str, desired: int, **more: object) -> Item:
    sizes = {"minSize": 0, "desiredSize": desired, "maxSize": 4}
    tags = {"tags": {"Team": name}}
    return item(
        "aws:eks/nodeGroup:NodeGroup", name, {"instanceTypes": [kind], "scalingConfig": sizes, **tags, **more}, name
    )


BEFORE = [pool("web", "m5.large", 2)]
AFTER = [
    pool("web", "m5.large", 3),
    pool("train", "g6.xlarge", 1, capacityType="SPOT"),
    item("aws:s3/bucket:Bucket", "data", {}, ""),
    item("aws:msk/cluster:Cluster", "kafka", {}),
    item("aws:ec2/capacityReservation:CapacityReservation", "held", {"instanceType": "m5.xlarge", "instanceCount": 1}),
]


def priced(*items: Item) -> Estimate:
    return estimate(items, environment="dev", today=DAY)


CHANGE = Comparison(priced(*BEFORE), priced(*AFTER))


def text(comparison: Comparison, width: int = 100, *, explain: bool = False) -> str:
    return "\n".join(line.plain for line in cost.render(comparison, width=width, explain=explain))


@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_report_fits_its_terminal(width: int, explain: bool) -> None:
    assert [line for line in text(CHANGE, width, explain=explain).splitlines() if cells(line) > width] == []


def test_a_report_says_who_what_and_how_much() -> None:
    # web: 3 × 0.096 × 730 + 3 × 20 × 0.08 = 215.04, before 143.36; train: 0.8048 × 0.51 × 730 + 1.6 = 301.23
    drawn = text(CHANGE)
    assert ["web", "$143", "$215", "+$71.68", "$0", "$287"] in [line.split() for line in drawn.splitlines()]
    assert ["train", "1", "g6.xlarge", "spot", "0.4104", "0.4104", "$300", "$1,199"] in [
        line.split() for line in drawn.splitlines()
    ]
    assert "not priced, and in no figure\n  - kafka: no price is known for aws:msk/cluster:Cluster" in drawn
    assert "rests on what is assumed of use: standard storage (500 GB)" in drawn
    assert "spot for train" in drawn.split("saves a month already")[1]
    assert "a schedule for web" in drawn.split("would save a month")[1].split("saves a month already")[0]


def test_every_figure_can_name_its_working_its_source_and_its_date() -> None:
    drawn = " ".join(text(CHANGE, 120, explain=True).split())
    assert (
        "$210 m5.large on-demand = 3 nodes × 730 h × $0.096, at most $280 web; "
        "AWS price list through Karpenter, 2026-07-20" in drawn
    )
    assert "spot at 0.51: AWS Spot Instance Advisor, us-east-1, 2025-07-28" in drawn
    assert "standard storage = 500 GB (assumed) × $0.023 data; infracost golden files 2026-08-21" in drawn


def test_a_figure_that_sources_disagree_on_is_shown_as_such() -> None:
    database = {"engine": "postgres", "instanceClass": "db.t4g.medium", "allocatedStorage": 20, "storageType": "gp3"}
    found = priced(item("aws:rds/instance:Instance", "db", database))
    drawn = text(Comparison(found, found), explain=True)
    assert "public tables (9 of 10 agree), undated; public sources disagree" in drawn


def test_thousands_of_unknowns_are_said_once() -> None:
    volumes = [item("aws:ebs/volume:Volume", f"volume-{n}", {"size": UNKNOWN, "type": "gp3"}) for n in range(5000)]
    found = priced(*volumes)
    drawn = text(Comparison(found, found))
    assert drawn.count("size is unknown until it is applied") == 1
    assert "and 4996 more: size is unknown until it is applied" in " ".join(drawn.split())
    assert len(cost_markdown.render(Comparison(found, found))) < 2000


def test_no_figure_at_all_is_shown_as_none() -> None:
    found = priced(item("aws:msk/cluster:Cluster", "kafka", {}))
    comparison = Comparison(found, found)
    assert "not known   none of 1 has a price" in text(comparison)
    assert "$0" not in text(comparison)
    drawn = " ".join(ElementTree.fromstring(cost_picture.draw(comparison)).itertext())
    assert "not known" in drawn
    assert "idle floor $0" not in drawn
    assert cost_document.document(comparison)["summary"]["complete"] is False


def test_nothing_declared_is_no_table() -> None:
    empty = priced()
    assert "nothing here has a price" in text(Comparison(empty, empty))
    assert "nothing here costs anything" in cost_markdown.render(Comparison(empty, empty))
    assert "Nothing here has a price." in cost_picture.draw(Comparison(empty, empty))


# Markdown


def test_markdown_has_the_sum_first_and_the_rest_folded() -> None:
    drawn = cost_markdown.render(CHANGE)
    assert drawn.splitlines()[2].startswith(r"**cost** \$143 → **\$")
    assert drawn.count("<details>") == drawn.count("</details>") == 4
    assert r"| web | \$143 | \$215 | +\$71.68 | \$287 |" in drawn


def test_a_name_cannot_become_markup() -> None:
    evil = priced(item("aws:ec2/eip:Eip", "a", {}, "x|<img src=y>`@team`"))
    drawn = cost_markdown.render(Comparison(evil, evil))
    assert r"x\|\<img src=y\>\`\@team\`" in drawn
    assert "<img" not in drawn.replace(r"\<img", "")


# JSON


def test_each_charge_is_a_row_of_a_focus_dataset() -> None:
    document = json.loads(json.dumps(cost_document.document(CHANGE, DAY)))
    assert (document["focusVersion"], document["command"], document["stack"]) == ("1.2", "cost", "dev")
    for charge in document["charges"]:
        assert set(charge) >= MANDATORY
        assert (charge["BillingPeriodStart"], charge["BillingPeriodEnd"]) == (
            "2026-12-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        )
        assert json.loads(charge["Tags"]) is not None
        assert charge["ListCost"] == pytest.approx(charge["ListUnitPrice"] * charge["PricingQuantity"], abs=1e-5)
        assert charge["BilledCost"] == pytest.approx(
            charge["ContractedUnitPrice"] * charge["PricingQuantity"], abs=1e-5
        )
    billed = sum(charge["BilledCost"] for charge in document["charges"])
    assert billed == pytest.approx(document["summary"]["after"]["desired"], abs=1e-3)


def test_charges_say_how_they_are_bought() -> None:
    charges = cost_document.document(CHANGE, DAY)["charges"]
    (spot,) = [one for one in charges if one["x_Pool"] == "train"]
    assert (spot["PricingCategory"], spot["PricingUnit"], spot["x_Team"]) == ("Dynamic", "Hours", "train")
    assert spot["BilledCost"] == pytest.approx(0.51 * spot["ListCost"])
    (held,) = [one for one in charges if one["CapacityReservationStatus"]]
    assert (held["CapacityReservationStatus"], held["ConsumedQuantity"]) == ("Unused", None)
    assert held["CapacityReservationId"].endswith("::held")


def test_a_report_is_as_old_as_the_oldest_of_what_it_rests_on() -> None:
    assert cost.dates(priced(pool("web", "m5.large", 1))) == "prices of 2026-07-20 to 2026-08-21"
    assert cost.dates(priced(pool("web", "m5.large", 1, capacityType="SPOT"))) == "prices of 2025-07-28 to 2026-08-21"


def test_nodes_in_a_reservation_are_said_to_be_reserved() -> None:
    target = {"capacityReservationTarget": {"capacityReservationId": "cr-1"}}
    reserved = priced(
        item("aws:ec2/capacityReservation:CapacityReservation", "cr", {
            "id": "cr-1", "instanceType": "m5.xlarge", "instanceCount": 1, "instanceMatchCriteria": "targeted",
        }),
        item("aws:ec2/launchTemplate:LaunchTemplate", "lt", {
            "name": "lt", "capacityReservationSpecification": target,
        }),
        pool("inside", "m5.xlarge", 1, launchTemplate={"name": "lt"}),
    )  # fmt: skip
    comparison = Comparison(reserved, reserved)
    assert ["inside", "1", "m5.xlarge", "reserved"] in [line.split()[:4] for line in text(comparison).splitlines()]
    charges = cost_document.document(comparison, DAY)["charges"]
    (runs,) = [one for one in charges if one["CapacityReservationStatus"] == "Used"]
    assert (runs["x_Pool"], runs["ConsumedQuantity"], runs["ConsumedUnit"]) == ("inside", 730, "Hours")
    assert runs["CapacityReservationId"].endswith("::cr")
    (left,) = [one for one in charges if one["CapacityReservationStatus"] == "Unused"]
    assert (left["BilledCost"], left["ConsumedQuantity"]) == (0, None)


@pytest.mark.parametrize(
    ("ours", "focus"),
    [("hour", "Hours"), ("GB-month", "GB-Months"), ("1000 requests", "1000 Requests"), ("GB", "GB")],
)
def test_units_are_written_as_focus_has_them(ours: str, focus: str) -> None:
    assert cost_document.unit(ours) == focus


def test_pools_and_savings_have_their_part_of_the_document() -> None:
    document = cost_document.document(CHANGE, DAY)
    train = next(one for one in document["pools"] if one["name"] == "train")
    assert train["usdPerGpuHour"] == pytest.approx(0.8048 * 0.51)
    assert train["nodes"] == {"min": 0, "desired": 1, "max": 4}
    assert {(one["pool"], one["kind"], one["done"]) for one in document["savings"]} >= {
        ("web", "spot", False), ("web", "schedule", False), ("train", "spot", True),
    }  # fmt: skip


# The picture


def boxes(drawn: str) -> list[Any]:
    return list(ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}rect"))


def test_the_picture_is_well_formed_and_stays_within_its_frame() -> None:
    root = ElementTree.fromstring(cost_picture.draw(CHANGE))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, y = float(box.attrib.get("x", 0)), float(box.attrib.get("y", 0))
        assert 0 <= x <= x + float(box.attrib["width"]) <= width + 0.1
        assert 0 <= y <= y + float(box.attrib["height"]) <= height
    said = " ".join(root.itertext())
    assert "What dev costs" in said
    assert "idle floor" in said


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    drawn = boxes(cost_picture.draw(CHANGE))
    lengths = {(box.findtext("{http://www.w3.org/2000/svg}title") or ""): float(box.attrib["width"]) for box in drawn}
    nodes = {title: length for title, length in lengths.items() if title.startswith(("web, CPU", "train, GPU"))}
    (web,) = [length for title, length in nodes.items() if title.startswith("web")]
    (train,) = [length for title, length in nodes.items() if title.startswith("train")]
    assert web / train == pytest.approx((3 * 0.096) / (0.8048 * 0.51), rel=0.01)


def test_a_name_cannot_become_a_part_of_the_picture() -> None:
    evil = priced(item("aws:ec2/eip:Eip", "a", {}, "</text><script>alert(1)</script>\x07"))
    drawn = cost_picture.draw(Comparison(evil, evil))
    assert "<script>" not in drawn
    ElementTree.fromstring(drawn)


def test_many_components_are_drawn_as_the_largest_and_the_rest() -> None:
    many = priced(*(item("aws:ec2/eip:Eip", f"a{n}", {}, f"part-{n:02}") for n in range(40)))
    said = " ".join(ElementTree.fromstring(cost_picture.draw(Comparison(many, many))).itertext())
    assert "27 more" in said


@pytest.mark.parametrize(
    ("amount", "shown", "change"),
    [
        (0.0, "$0", "±$0"), (0.001, "<$0.01", "+<$0.01"), (3.65, "$3.65", "+$3.65"), (99.999, "$100", "+$100"),
        (41260.4, "$41,260", "+$41,260"), (-12.5, "-$12.50", "-$12.50"), (-0.001, "-$0.00", "±$0"),
    ],
)  # fmt: skip
def test_money_is_as_exact_as_it_says_something(amount: float, shown: str, change: str) -> None:
    assert (usd(amount), signed(amount)) == (shown, change)
