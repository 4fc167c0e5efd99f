"""Policy packs over whole runs: what they refuse, what they change, what becomes of a run when they break."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.analyzer.client import Limits
from engine.analyzer.environment import StackFacts
from engine.analyzer.findings import Level, Verdict
from engine.analyzer.judgement import Judgement
from engine.analyzer.pack import PackFolder
from engine.events import Diagnostic, PoliciesLoading, PoliciesSummed, PolicyRemediated, PolicyViolated, RunEnded
from engine.run import Result
from engine.values import Secret
from tests.engine.analyzer.packs import SMALL, Asking, write
from tests.engine.lifecycle.harness import ROOT, Engine, Out, Report, component, thing, urn

QUICK = Limits(start=30, call=1, stack=1)


@pytest.fixture
def engine(asking: Asking) -> Engine:
    """A stack whose runs are judged by the packs that ``judged_by`` sets."""
    made = Engine(asking.folder / "state")
    made.runner = asking.runner
    return made


@pytest.fixture
def judged_by(engine: Engine, asking: Asking) -> Callable[..., None]:
    def choose(*programs: str, limits: Limits | None = None) -> None:
        folders = [write(asking.folder / f"pack{at}", program) for at, program in enumerate(programs)]
        packs = [(PackFolder.load(folder), {}) for folder in folders]
        engine.judging = lambda preview: (
            lambda emit, redact: Judgement(
                packs, StackFacts("shop", "dev", preview), asking.processes, limits or Limits(), emit, redact
            )
        )

    return choose


def verdict(report: Report) -> Verdict:
    assert report.plan.policy is not None
    return report.plan.policy


def said(report: Report) -> list[tuple[str, str, str]]:
    """The findings of a report: by which policy, about which resource, what."""
    return [(one.policy, one.urn.rpartition("::")[2], one.message) for one in verdict(report).findings]


JudgedBy = Callable[..., None]


def test_a_preview_tells_all_violations_and_is_refused(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(SMALL)
    report = engine.preview(thing("a", size=5), thing("bad", size=2), thing("c", size=9))
    assert report.result is Result.REFUSED
    assert said(report) == [
        ("small", "a", "5 is too big"), ("small", "c", "9 is too big"), ("named", "bad", "its name is bad"),
    ]  # fmt: skip
    assert [one.level for one in verdict(report).findings] == [Level.MANDATORY, Level.MANDATORY, Level.ADVISORY]
    assert verdict(report).rules == 2 and not verdict(report).broken
    assert report.operations == ["+ a", "+ bad", "+ c"]


def test_nothing_is_created_where_a_preview_is_refused(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(SMALL)
    engine.up(thing("a", size=1), thing("b", size=5), expect=Result.REFUSED)
    assert engine.cloud.names() == []


def test_advice_does_not_stand_in_the_way(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(SMALL)
    report = engine.up(thing("bad", size=1))
    assert engine.cloud.names() == ["bad"] and said(report) == [("named", "bad", "its name is bad")]


def test_an_unchanged_resource_is_judged_too(engine: Engine, judged_by: JudgedBy) -> None:
    engine.up(thing("a", size=5))
    judged_by(SMALL)
    report = engine.preview(thing("a", size=5))
    assert report.result is Result.REFUSED and report.operations == []


@pytest.mark.parametrize(("types", "refused"), [("other:*", False), ("other:*,test:index:*", True), ("", False)])
def test_a_pack_that_says_which_types_it_judges_is_asked_about_those(
    engine: Engine, judged_by: JudgedBy, types: str, refused: bool
) -> None:
    judged_by(SMALL.replace('PolicyPack("sizes", [', f'PolicyPack("sizes", tags=["judges:{types}"], policies=['))
    report = engine.preview(thing("a", size=5), thing("bad", size=1))
    named = ("named", "bad", "its name is bad")  # the stack as a whole is always judged
    assert said(report) == ([("small", "a", "5 is too big"), named] if refused else [named])
    assert [policy.tags for pack in verdict(report).packs for policy in pack.policies] == [(), ()]


def test_what_is_deleted_or_only_left_alone_is_not_judged_as_new(engine: Engine, judged_by: JudgedBy) -> None:
    engine.up(thing("a", size=5), thing("b", size=1))
    judged_by(SMALL)
    assert engine.up(thing("b", size=1)).operations == ["- a"]


def test_a_resource_that_an_apply_refuses_is_not_made_nor_what_needs_it(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(SMALL)
    report = engine.up(
        thing("a", size=5), thing("needs", size=1, of=Out("a")), thing("c", size=1), planned=False,
        expect=Result.REFUSED,
    )  # fmt: skip
    assert engine.cloud.names() == ["c"] and report.names == ["c"]
    assert report.skipped == ["needs"] and report.failed == []
    assert "refused by policy: nothing was done to it" in report.errors


def test_an_apply_that_refuses_deletes_nothing(engine: Engine, judged_by: JudgedBy) -> None:
    engine.up(thing("old", size=1))
    judged_by(SMALL)
    engine.up(thing("a", size=5), planned=False, expect=Result.REFUSED)
    assert engine.cloud.names() == ["old"]


TELLING = """\
from pulumi_policy import *

def told(args, report):
    keys = ",".join(sorted(args.props.keys()))
    provider = args.provider.name if args.provider else "-"
    report(f"{args.resource_type} {keys} {provider} {args.opts.parent}")

def stack(args, report):
    for each in args.resources:
        needs = {key: [one.name for one in value] for key, value in each.property_dependencies.items() if value}
        parent = each.parent.name if each.parent else "-"
        report(f"{each.name} {','.join(sorted(each.props.keys()))} {parent} {needs}", each.urn)
    report("about nobody", "urn:pulumi:dev::shop::no::such")

PolicyPack("telling", [ResourceValidationPolicy("told", "Told", told), StackValidationPolicy("stack", "Stack", stack)])
"""


def test_packs_see_checked_inputs_and_then_outputs_of_everything(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(TELLING)
    report = engine.up(component("group"), thing("a", autoname=True, parent="group"), thing("b", of=Out("a")))
    found = sorted(said(report))
    told = [message for policy, _, message in found if policy == "told"]
    assert told == [
        f"test:index:Thing autoname,name default {urn('group', 'shop:index:Part')}",  # the name is the provider's
        f"test:index:Thing of default {ROOT}",
        "pulumi:providers:test  - None",
        f"shop:index:Part  - {ROOT}",
        "pulumi:pulumi:Stack  - None",
    ]
    stack = {(name, message) for policy, name, message in found if policy == "stack"}
    assert ("a", "a arn,autoname,name,version group {}") in stack
    assert ("b", "b arn,of,version shop-dev {'of': ['a']}") in stack
    assert ("shop-dev", "about nobody") in stack
    assert len(stack) == 6


# Remediation

MENDING = """\
from pulumi_policy import *

def tagged(args):
    if "tag" not in args.props:
        return {**{key: args.props[key] for key in args.props.keys()}, "tag": "ml"}

def halved(args):
    if args.resource_type == "test:index:Thing" and args.props["size"] > 3:
        args.props["size"] = args.props["size"] / 2
        return args.props

def small(args, report):
    if args.resource_type == "test:index:Thing" and args.props["size"] > 3:
        report(f"{args.props['size']:g} is still too big")

R = EnforcementLevel.REMEDIATE
PolicyPack("mending", [
    ResourceValidationPolicy("halved", "Half is enough", validate=small, remediate=halved, enforcement_level=R),
])
"""
TAGGING = MENDING.replace(
    'ResourceValidationPolicy("halved", "Half is enough", validate=small, remediate=halved, enforcement_level=R)',
    'ResourceValidationPolicy("tagged", "Things have tags", remediate=tagged, enforcement_level=R)',
).replace('"mending"', '"tagging"')


def test_a_remediation_changes_what_is_made_and_is_told(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(MENDING)
    report = engine.up(thing("a", size=6, token=Secret("hush")), thing("b", size=2))
    assert report.state("a").inputs == {"size": 3, "token": Secret("hush")}
    [live] = [live for live in engine.cloud.live.values() if live.name == "a"]
    assert live.inputs == {"size": 3, "token": "hush"}
    [done] = verdict(report).remediated
    assert (done.pack, done.policy, done.urn) == ("mending", "halved", urn("a"))
    assert (done.before["size"], done.after["size"]) == (6, 3)
    assert [event.remediated for event in report.events if isinstance(event, PolicyRemediated)] == [done]
    # The program says what it said, and the resource is as the pack wants it: nothing changes.
    assert engine.preview(thing("a", size=6, token=Secret("hush")), thing("b", size=2)).operations == []


def test_a_remediation_that_is_not_enough_refuses(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(MENDING)
    report = engine.up(thing("a", size=9), expect=Result.REFUSED)
    assert said(report) == [("halved", "a", "4.5 is still too big")]
    assert verdict(report).findings[0].level is Level.MANDATORY


def test_each_pack_mends_what_the_one_before_has_made(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(MENDING, TAGGING)
    report = engine.up(thing("a", size=6))
    assert report.state("a").inputs == {"size": 3, "tag": "ml"}
    assert [one.policy for one in verdict(report).remediated if one.urn == urn("a")] == ["halved", "tagged"]


def test_a_replacement_is_mended_like_its_first(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(MENDING)
    engine.up(thing("a", size=6, key=1), thing("n", size=6, key=1, type="Named"))
    report = engine.up(thing("a", size=6, key=2), thing("n", size=6, key=2, type="Named"))
    assert report.operations == ["++ a", "± a", "-- n", "± n", "++ n", "-- a"]
    assert report.state("a").inputs == {"size": 3, "key": 2}
    assert {one.urn for one in verdict(report).remediated} == {urn("a")}


# Packs that break

RAISES = """\
from pulumi_policy import *

def judge(args, report):
    if args.name != "fine":
        raise ValueError(f"cannot judge {args.name}, whose token is hush-hush")

PolicyPack("raises", [ResourceValidationPolicy("judge", "Judges", judge)])
"""


def test_a_pack_that_raises_is_told_a_few_times_and_nothing_is_made(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(RAISES, SMALL)
    declared = [thing(name, size=5, token=Secret("hush-hush")) for name in ("a", "b", "c", "d", "e")]
    report = engine.up(*declared, expect=Result.REFUSED)
    assert len([one for one in said(report) if one[0] == "small"]) == 5, "the other pack has judged everything"
    assert verdict(report).broken == ("raises",)
    told = [error for error in report.errors if "policy pack raises" in error]
    assert len(told) == 3 and told[2].endswith("whatever else goes wrong in raises is not shown")
    assert "whose token is [secret]" in "".join(told) and "hush" not in "".join(told)
    assert engine.cloud.names() == []


def test_what_a_pack_could_not_judge_is_not_made(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(RAISES)
    assert engine.preview(thing("a"), thing("fine")).result is Result.UNJUDGED
    report = engine.up(thing("a"), thing("fine"), planned=False, expect=Result.REFUSED)
    assert report.result is Result.REFUSED and engine.cloud.names() == []  # not even its default provider was judged


HANGS = """\
import time
from pulumi_policy import *

def judge(args, report):
    if args.name == "a":
        time.sleep(60)

PolicyPack("hangs", [ResourceValidationPolicy("judge", "Judges", judge)])
"""


def test_a_pack_that_hangs_is_ended_and_the_others_go_on(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(HANGS, SMALL, limits=QUICK)
    began = time.monotonic()
    report = engine.preview(thing("a", size=5), thing("b", size=6))
    assert time.monotonic() - began < 30
    assert report.result is Result.REFUSED and len(said(report)) == 2
    assert [error for error in report.errors if "hangs" in error and "within 1 s and was ended" in error]
    assert len(report.errors) == 1, "told once, not for each resource that was waiting behind it"


EXITS = HANGS.replace("time.sleep(60)", "import os; os._exit(3)").replace('"hangs"', '"exits"')


def test_a_pack_that_exits_in_the_middle_leaves_nothing_unjudged(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(EXITS)
    report = engine.up(thing("a", size=1), thing("b", size=1), expect=Result.UNJUDGED)
    assert len(report.errors) == 1 and "it exited with code 3" in report.errors[0]
    assert engine.cloud.names() == []


def test_a_pack_that_cannot_be_imported_stops_an_apply_before_it_starts(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by("import no_such_module", SMALL)
    report = engine.preview(thing("a", size=5))
    assert said(report) == [("small", "a", "5 is too big")] and verdict(report).broken == ("pack0",)
    assert "No module named 'no_such_module'" in report.errors[0]
    engine.up(thing("a", size=1), expect=Result.UNJUDGED)
    engine.up(thing("a", size=1), planned=False, expect=Result.REFUSED)
    assert engine.cloud.names() == []


def test_a_cancelled_run_waits_for_no_pack(engine: Engine, judged_by: JudgedBy, asking: Asking) -> None:
    judged_by(HANGS)

    def cancel() -> None:
        assert engine.running is not None
        engine.running.cancel()

    asking.runner.get_loop().call_later(1.0, cancel)
    began = time.monotonic()
    assert engine.preview(thing("a")).result is Result.CANCELLED
    assert time.monotonic() - began < 20


# Events


def test_the_events_tell_what_the_verdict_tells(engine: Engine, judged_by: JudgedBy) -> None:
    judged_by(SMALL, TAGGING)
    report = engine.preview(thing("a", size=5))
    loading = [event for event in report.events if isinstance(event, PoliciesLoading)]
    assert len(loading) == 2
    violated = {event.finding for event in report.events if isinstance(event, PolicyViolated)}
    assert violated == set(verdict(report).findings)
    summed = [event for event in report.events if isinstance(event, PoliciesSummed)]
    about = [(event.kind, event.pack, event.passed, event.failed) for event in summed if event.urn == urn("a")]
    assert sorted(about) == [
        ("analyze", "sizes", (), ("small",)),
        ("analyze", "tagging", (), ()),  # it has nothing but a remediation, which says that it does not apply
        ("remediate", "tagging", (), ("tagged",)),
    ]
    assert [(event.pack, event.passed) for event in summed if event.kind == "stack"] == [("sizes", ("named",))]
    [end] = [event for event in report.events if isinstance(event, RunEnded)]
    assert {name.split("|")[0]: version for name, version in end.packs.items()} == {
        "sizes": "1.2.3", "tagging": "1.2.3",
    }  # fmt: skip
    assert end.result == "failed"


def test_secrets_that_a_pack_repeats_are_masked(engine: Engine, judged_by: JudgedBy, tmp_path: Path) -> None:
    judged_by(SMALL.replace("report(f\"{args.props['size']:g} is too big\")", "report(args.props['token'])"))
    report = engine.preview(thing("a", size=5, token=Secret("hush-hush")))
    assert said(report) == [("small", "a", "[secret]")]
    assert not [
        event for event in report.events if isinstance(event, PolicyViolated | Diagnostic) and "hush" in str(event)
    ]
