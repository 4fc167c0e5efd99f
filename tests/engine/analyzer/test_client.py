"""Policy packs as the engine asks them: real packs of the SDK, in real processes."""

from __future__ import annotations

import json
import os
import sys
import time
import venv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.analyzer.client import Analyzer, Limits
from engine.analyzer.environment import StackFacts
from engine.analyzer.errors import BadConfig, BadPack, PackFailed, PackGone, PolicyError
from engine.analyzer.findings import Analysis, AnalyzedProvider, Level, PackInfo, PolicyConfig, PolicyKind, Remediation
from engine.analyzer.pack import PackFolder
from engine.values import UNKNOWN, Asset, Secret
from tests.engine.analyzer.packs import SMALL, Asking, ask, thing, write

QUICK = Limits(start=30, call=0.5, stack=0.5)


async def info(analyzer: Analyzer) -> PackInfo:
    return analyzer.info


def test_a_pack_tells_its_policies(asking: Asking) -> None:
    told = asking(SMALL, info)
    assert (told.name, told.version) == ("sizes", "1.2.3")
    small, named = told.policies
    assert (small.name, small.level, small.severity, small.kind) == (
        "small", Level.MANDATORY, "high", PolicyKind.RESOURCE,
    )  # fmt: skip
    assert (named.level, named.kind) == (Level.ADVISORY, PolicyKind.STACK)


def test_a_resource_and_a_stack_are_judged(asking: Asking) -> None:
    async def question(analyzer: Analyzer) -> tuple[Analysis, Analysis, Analysis]:
        bad = thing("bad", size=5)
        return (
            await analyzer.analyze(bad),
            await analyzer.analyze(thing(size=2)),
            await analyzer.analyze_stack([bad]),
        )

    big, fine, stack = asking(SMALL, question)
    [finding] = big.findings
    assert (finding.pack, finding.pack_version, finding.policy) == ("sizes", "1.2.3", "small")
    assert (finding.level, finding.severity, finding.message) == (Level.MANDATORY, "high", "5 is too big")
    assert finding.description == "Things are small" and finding.urn == thing("bad").urn
    assert not fine.findings
    assert [(each.urn, each.message) for each in stack.findings] == [(thing("bad").urn, "its name is bad")]


SEEN = """\
import json, os, sys
import pulumi
from pulumi_policy import *
from pulumi_policy.proxy import UnknownValueError

WHERE = os.getcwd()
AT_IMPORT = pulumi.Config("shop").get("color")

def tell(args, report):
    options, provider = args.opts, args.provider
    told = {
        "type": args.resource_type, "name": args.name, "keys": sorted(args.props.keys()), "secret": args.props["token"],
        "protect": options.protect, "ignore": list(options.ignore_changes), "parent": options.parent,
        "before": options.delete_before_replace, "timeout": options.custom_timeouts.create_seconds,
        "provider": [provider.resource_type, provider.props["region"], provider.name],
        "where": WHERE, "config": AT_IMPORT, "stack": pulumi.get_stack(), "preview": pulumi.runtime.is_dry_run(),
        "passphrase": os.environ.get("PULUMI_CONFIG_PASSPHRASE"), "tags": dict(args.stack_tags), "argv": len(sys.argv),
    }
    report(json.dumps(told))

def unknown(args, report):
    args.props["later"]

def stack(args, report):
    one, two = args.resources
    report(json.dumps([two.parent.name, [each.name for each in two.dependencies],
        {key: [each.name for each in value] for key, value in two.property_dependencies.items()}]))

PolicyPack("seen", [
    ResourceValidationPolicy("tell", "Tells", tell),
    ResourceValidationPolicy("unknown", "Unknown", unknown, enforcement_level=EnforcementLevel.MANDATORY),
    StackValidationPolicy("stack", "Stack", stack),
])
"""


def test_a_pack_is_told_what_pulumi_tells_it(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "not for packs")
    provider = AnalyzedProvider("urn:pulumi:dev::shop::pulumi:providers:aws::main", "pulumi:providers:aws",
                                {"region": "eu-west-1"})  # fmt: skip
    one = thing("one", token=Secret("hush"), later=UNKNOWN, __internal=1)
    one = replace(one, provider=provider, protect=True, ignore_changes=("size",), parent="urn:parent",
                  delete_before_replace=False, timeouts={"create": 90.0})  # fmt: skip
    two = replace(thing("two"), parent=one.urn, dependencies=(one.urn,), property_dependencies={"size": (one.urn,)})

    async def question(analyzer: Analyzer) -> tuple[Analysis, Analysis]:
        return await analyzer.analyze(one), await analyzer.analyze_stack([one, two])

    stack = StackFacts("shop", "dev", config={"shop:color": "red"}, tags={"team": "ml"})
    judged, together = asking(SEEN, question, stack=stack)
    told, unknown = judged.findings
    assert json.loads(told.message) == {
        "type": "test:index:Thing", "name": "one", "keys": ["later", "token"], "secret": "hush",
        "protect": True, "ignore": ["size"], "parent": "urn:parent", "before": False, "timeout": 90.0,
        "provider": ["pulumi:providers:aws", "eu-west-1", "main"],
        "where": str(asking.pack), "config": "red", "stack": "dev", "preview": True,
        "passphrase": None, "tags": {"team": "ml"}, "argv": 2,
    }  # fmt: skip
    assert unknown.level is Level.ADVISORY and "can't be known during preview" in unknown.message
    assert json.loads(together.findings[0].message) == ["one", ["one"], {"size": ["one"]}]


MENDS = """\
from pulumi_policy import *
from pulumi_policy.proxy import UnknownValueError

def mend(args):
    return {**{key: args.props[key] for key in args.props.keys()}, "size": 3}

def stuck(args):
    raise UnknownValueError(args.props["later"], ["later"])

def again(args, report):
    report("still big")

R = EnforcementLevel.REMEDIATE
PolicyPack("mends", [
    ResourceValidationPolicy("mend", "Three is enough", remediate=mend, enforcement_level=R),
    ResourceValidationPolicy("stuck", "Is stuck", remediate=stuck, enforcement_level=R),
    ResourceValidationPolicy("again", "Complains", again, enforcement_level=R),
])
"""


def test_a_remediation_keeps_secrets_and_what_it_did_not_change(asking: Asking) -> None:
    one = thing(
        "one", size=5, token=Secret("hush"), later=UNKNOWN, tags=["a", Secret("b")], __kept=1,
        file=Asset(path="a.txt", hash="abc"), nested={"token": Secret("hush"), "n": 1},
    )  # fmt: skip

    async def question(analyzer: Analyzer) -> tuple[Remediation, Analysis]:
        return await analyzer.remediate(one), await analyzer.analyze(one)

    remediation, analysis = asking(MENDS, question)
    [mended] = remediation.remediated
    assert (mended.policy, mended.description, mended.urn) == ("mend", "Three is enough", one.urn)
    assert mended.before == one.properties and mended.after == {**one.properties, "size": 3}
    [stuck] = remediation.findings
    assert (stuck.policy, stuck.level) == ("stuck", Level.ADVISORY) and "can't be known" in stuck.message
    # What is left after a remediation is a violation that counts.
    assert [(each.policy, each.level) for each in analysis.findings] == [("again", Level.MANDATORY)]


# Configuration


def test_a_policy_is_configured_over_its_defaults(asking: Asking) -> None:
    async def question(analyzer: Analyzer) -> tuple[Analysis, Level]:
        return await analyzer.analyze(thing(size=5)), analyzer.info.policies[0].level

    assert asking(SMALL, question, config={"small": PolicyConfig(None, {"limit": 9})})[0] == Analysis()
    assert asking(SMALL, question, config={"all": PolicyConfig(Level.DISABLED)}) == (Analysis(), Level.DISABLED)
    advisory, level = asking(SMALL, question, config={"small": PolicyConfig(Level.ADVISORY)})
    assert advisory.findings[0].level is level is Level.ADVISORY


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"smal": PolicyConfig(Level.ADVISORY)}, "no policy 'smal'"),
        ({"small": PolicyConfig(None, {"limit": "many"})}, "small.limit: 'many' is not of type 'number'"),
        ({"small": PolicyConfig(None, {"limit": 0})}, "small.limit: 0 is less than the minimum of 1"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    asking: Asking, config: dict[str, PolicyConfig], said: str
) -> None:
    with pytest.raises(BadConfig, match=said):
        asking(SMALL, info, config=config)


# What is no pack


def test_what_is_no_pack_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(BadPack, match="does not exist"):
        PackFolder.load(tmp_path / "nowhere")
    with pytest.raises(BadPack, match=r"no PulumiPolicy\.yaml"):
        PackFolder.load(tmp_path)
    for project, said in (
        ("runtime: nodejs", "runtime is 'nodejs'.*in Python only"),
        ("runtime: {name: opa}", "runtime is 'opa'"),
        ("version: 1", "'runtime' is missing"),
        ("- 1", "expected a mapping"),
        ("{", "cannot be read"),
        ("runtime: {name: python, options: 3}", "'runtime.options' has to be a mapping"),
        ("runtime: {name: python, options: {virtualenv: venv}}", "virtual environment has no .*venv/bin/python"),
        ("runtime: python\nmain: elsewhere", "expected the pack's program in .*elsewhere"),
    ):
        with pytest.raises(BadPack, match=said):
            PackFolder.load(write(tmp_path / "pack", project=project))


def test_a_file_is_no_pack(tmp_path: Path) -> None:
    file = tmp_path / "pack.py"
    file.touch()
    with pytest.raises(BadPack, match="is a file"):
        PackFolder.load(file)


# Packs that break


@pytest.mark.parametrize(
    ("program", "limits", "said"),
    [
        ("raise ValueError('no database')", QUICK, r"exited with code 1.*\n.*ValueError: no database"),
        ("import no_such_module", QUICK, "No module named 'no_such_module'"),
        ("import sys; sys.exit('giving up')", QUICK, r"code 1\n  giving up"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", QUICK, "ended by signal 9"),
        ("pass", QUICK, "exited with code 0"),
        ("import sys, time; print('waiting', file=sys.stderr); time.sleep(60)", Limits(start=1), "within 1 s.*waiting"),
        ("print('hello'); import time; time.sleep(60)", QUICK, "printed 'hello' where the number of its port"),
        ("print(70000); import time; time.sleep(60)", QUICK, "printed '70000' where"),
        ("print(1); import time; time.sleep(60)", QUICK, "broke off in Handshake: it does not answer any more"),
    ],
)  # fmt: skip
def test_a_pack_that_does_not_start_says_why(asking: Asking, program: str, limits: Limits, said: str) -> None:
    with pytest.raises(PackFailed, match=f"(?s){said}"):
        asking(program, info, limits=limits)


BREAKS = """\
import os, sys, time
from pulumi_policy import *

def judge(args, report):
    what = args.props["what"]
    if what == "raise":
        raise ValueError("cannot judge")
    if what == "hang":
        print("thinking", file=sys.stderr)
        time.sleep(60)
    if what == "exit":
        print("had enough", file=sys.stderr)
        os._exit(7)
    report("judged")

PolicyPack("breaks", [ResourceValidationPolicy("judge", "Judges", judge)])
"""


async def _failures(analyzer: Analyzer, *what: str) -> list[PackFailed | str]:
    seen: list[PackFailed | str] = []
    for each in what:
        try:
            seen.append((await analyzer.analyze(thing(what=each))).findings[0].message)
        except PackFailed as error:
            seen.append(error)
    return seen


def test_a_policy_that_raises_leaves_its_pack_to_judge_the_rest(asking: Asking) -> None:
    raised, judged = asking(BREAKS, lambda analyzer: _failures(analyzer, "raise", "fine"))
    assert str(raised) == f"raised in Analyze of {thing().urn}: cannot judge" and not isinstance(raised, PackGone)
    assert judged == "judged"


def test_a_pack_that_hangs_is_ended_at_its_limit(asking: Asking) -> None:
    began = time.monotonic()
    hung, after = asking(BREAKS, lambda analyzer: _failures(analyzer, "hang", "fine"), limits=QUICK)
    assert time.monotonic() - began < 30
    assert isinstance(hung, PackGone) and after is hung
    assert f"did not answer Analyze of {thing().urn} within 0.5 s and was ended" in str(hung)
    assert "\n  thinking" in str(hung)


def test_a_pack_that_exits_in_the_middle_is_reported_with_what_it_said(asking: Asking) -> None:
    gone, after = asking(BREAKS, lambda analyzer: _failures(analyzer, "exit", "fine"))
    assert isinstance(gone, PackGone) and after is gone
    assert "it exited with code 7" in str(gone) and "\n  had enough" in str(gone)


def test_what_a_pack_prints_is_passed_on(asking: Asking) -> None:
    asking("import sys\nprint('reading rules', file=sys.stderr)\n" + BREAKS, info)
    assert asking.lines == ["reading rules"]


# Processes

LEAVES = """\
import os, subprocess, sys
subprocess.Popen(["sleep", "600"])
open("pids", "w").write(f"{os.getpid()} {os.getppid()}")
"""


@pytest.mark.parametrize("own_environment", [False, True])
def test_nothing_is_left_of_a_pack(tmp_path: Path, own_environment: bool) -> None:
    project = "runtime: python\n"
    if own_environment:
        venv.create(tmp_path / "pack" / "venv", symlinks=True)
        [packages] = (tmp_path / "pack" / "venv" / "lib").glob("python3*/site-packages")
        ours = next(path for path in sys.path if path.endswith("site-packages"))
        (packages / "ours.pth").write_text(f"{ours}\n")
        project = "runtime: {name: python, options: {virtualenv: venv}}\n"
    pack = write(tmp_path / "pack", LEAVES + BREAKS, project)
    if own_environment:
        assert not PackFolder.load(pack).shares_our_python
    [judged] = ask(pack, lambda analyzer: _failures(analyzer, "fine"))
    assert judged == "judged"
    pid, parent = map(int, (pack / "pids").read_text().split())
    _wait_for(lambda: _gone(pid))
    assert own_environment == (parent == os.getpid()), "a pack in our Python is forked from the host"
    _wait_for(lambda: not [path for path in Path("/proc").glob("[0-9]*/cwd") if _points_to(path, pack)])


def _wait_for(condition: Callable[[], bool]) -> None:
    """A killed process is gone a moment after it was killed."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _points_to(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:
        return False


def test_every_failure_of_a_pack_is_one_that_a_caller_can_catch() -> None:
    assert issubclass(PackGone, PackFailed) and issubclass(PackFailed, PolicyError)
