"""A plan as a value and as a file: what differs from it, what it keeps hidden, and which files are none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.plan import Constraint, Op, Plan, Reason, Step
from engine.saved_plan import Circumstances, SavedPlan
from engine.saved_plan_file import BadPlan, decode, encode, read
from engine.state.errors import WrongPassphrase
from engine.state.model import CustomTimeouts, ResourceState
from engine.state.secrets import Keyring, SecretCodec
from engine.values import UNKNOWN, Properties, Secret

URN = "urn:pulumi:dev::shop::test:index:Thing::a"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:test::default"
MADE_FOR = Circumstances("shop", "dev", "1", "2", {"target": ["a"], "refresh": True})
WORD = "hunter2-hunter2"
FILES = Path(__file__).parents[1] / "cases" / "plans"


def codec(passphrase: str | None = "correct horse") -> SecretCodec:
    return SecretCodec(Keyring("dev", passphrase))


def step(new: Properties, old: Properties | None = None, op: Op = Op.UPDATE, **options: Any) -> Step:
    state = ResourceState(URN, "test:index:Thing", True, inputs=new, provider=f"{PROVIDER}::1", **options)
    before = None if old is None else replace(state, inputs=old)
    return Step(op, URN, state.type, Reason.CHANGED, before, state)


def saved(*steps: Step, outputs: Properties | None = None) -> SavedPlan:
    return SavedPlan.of(Plan(steps, outputs_after=outputs or {}), {URN: "0123456789abcdef"}, MADE_FOR)


def differences(planned: Step, due: Step) -> list[str]:
    return [text for _, text in saved(planned).differences(Plan([due]))]


OLD: Properties = {"size": 1, "gone": True, "kept": "k"}


@pytest.mark.parametrize(
    ("planned", "due", "said"),
    [
        ({"size": 2, "kept": "k"}, {"size": 2, "kept": "k"}, []),
        ({"size": 2, "kept": "k"}, {"size": 3, "kept": "k"}, ["size: 2 was planned, 3 is due"]),
        ({"size": 2, "kept": "k"}, OLD, ["gone: nothing was planned, true is due", "size: 2 was planned, 1 is due"]),
        ({"size": 2}, {"size": 2, "kept": "k"}, ['kept: nothing was planned, "k" is due']),
        ({"new": 1}, {}, ["new: 1 was planned, nothing is due"]),
        ({"new": UNKNOWN}, {"new": "anything"}, []),
        ({"new": UNKNOWN}, {}, []),
        ({"new": [1, {"x": UNKNOWN}]}, {"new": [1, {"x": 5}]}, []),
        ({"new": [1, 2]}, {"new": [1, 3]}, ["new[1]: 2 was planned, 3 is due"]),
        ({"new": [1]}, {"new": [1, 2]}, ["new: [1] was planned, [1, 2] is due"]),
        ({"new": 1}, {"new": UNKNOWN}, ["new: 1 was planned, something unknown is due"]),
        ({"new": True}, {"new": 1}, ["new: true was planned, 1 is due"]),
        ({"new": Secret(WORD)}, {"new": Secret("other")}, ["new: another secret value is due than was planned"]),
        ({"new": Secret(UNKNOWN)}, {"new": Secret(WORD)}, []),
        ({"new": {"a": 1}}, {"new": {"a": Secret(WORD)}}, ["new.a: another secret value is due than was planned"]),
        ({"new": "x"}, {"new": {"a": Secret(WORD)}}, ['new: "x" was planned, [secret] is due']),
    ],
)
def test_properties_that_differ(planned: Properties, due: Properties, said: list[str]) -> None:
    assert differences(step(planned, OLD), step(due, OLD)) == said
    objection = Constraint(Plan([step(due, OLD)]), saved(step(planned, OLD))).objection(step(due, OLD))
    assert objection == ("; ".join(said) or None)


@pytest.mark.parametrize(
    ("option", "planned", "due"),
    [
        ("protect", True, False),
        ("parent", "", URN),
        ("dependencies", (), (URN,)),
        ("ignore_changes", ("size",), ()),
        ("additional_secret_outputs", (), ("word",)),
        ("import_id", "", "i-1"),
        ("custom_timeouts", CustomTimeouts(), CustomTimeouts(create=5)),
    ],
)
def test_options_that_differ(option: str, planned: Any, due: Any) -> None:
    (said,) = differences(step({}, {}, **{option: planned}), step({}, {}, **{option: due}))
    assert "was planned" in said
    assert differences(step({}, {}, **{option: due}), step({}, {}, **{option: due})) == []


def test_operations_that_differ() -> None:
    assert differences(step({}, {}), step({}, {}, Op.SAME)) == ["update was planned, same is due"]
    halves = [step({}, {}, op) for op in (Op.CREATE_REPLACEMENT, Op.REPLACE, Op.DELETE_REPLACED)]
    assert saved(step({}, {})).differences(Plan(halves)) == [(URN, "update was planned, replace is due")]
    assert saved(*halves).differences(Plan(halves)) == []
    assert saved(step({}, {})).differences(Plan([])) == [(URN, "update was planned, nothing is due")]
    assert saved().differences(Plan([step({})])) == [(URN, "nothing was planned, update is due")]
    assert saved(step({}, {}, Op.SAME)).differences(Plan([])) == []


def test_outputs_of_the_stack_that_differ() -> None:
    planned = saved(outputs={"url": "a", "id": UNKNOWN, "word": Secret(WORD)})
    assert planned.differences(Plan([], outputs_after={"url": "a", "id": 5, "word": Secret(WORD)})) == []
    found = planned.differences(Plan([], outputs_after={"url": "b", "id": 5, "word": Secret("w")}))
    assert found == [
        ("", 'outputs.url: "a" was planned, "b" is due'),
        ("", "outputs.word: another secret value is due than was planned"),
    ]


PLAN = saved(
    step({"size": 1.5, "word": Secret({"deep": WORD}), "name": "ü", "later": UNKNOWN, "more": [1, None]}, {"gone": 1}),
    outputs={"word": Secret(WORD), "later": UNKNOWN},
)


def test_a_plan_goes_through_its_file() -> None:
    text = encode(PLAN, codec())
    assert WORD not in text
    assert decode(text, codec()) == PLAN
    with pytest.raises(WrongPassphrase):
        decode(text, codec("battery staple"))
    with pytest.raises(WrongPassphrase):
        encode(PLAN, codec(None))


def test_a_file_that_is_cut_off_anywhere_is_no_plan() -> None:
    text = encode(PLAN, codec())
    for end in range(0, len(text.rstrip()), 7):
        with pytest.raises(BadPlan, match="make it anew"):
            decode(text[:end], codec())


def edited(change: dict[str, Any]) -> str:
    content = json.loads(encode(PLAN, codec()))
    content["bedplate"] |= change
    return json.dumps(content)


def test_a_file_that_was_edited_is_refused() -> None:
    text = encode(PLAN, codec())
    for old, new in (("update", "delete"), ('"size": 1.5', '"size": 2.5'), ('"dev"', '"prod"'), ("true", "false")):
        assert old in text
        with pytest.raises(BadPlan, match="changed since it was written"):
            decode(text.replace(old, new, 1), codec())
    assert decode(json.dumps(json.loads(text), indent=1), codec()) == PLAN  # only set out in another way


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON, or was cut off"),
        ("[]", "no resourcePlans"),
        ('{"resources": []}', "no resourcePlans"),
        ('{"resourcePlans": []}', "no resourcePlans"),
        ('{"version": 9, "plan": {"resourcePlans": {}}}', "version 9, and 1 is known"),
        (edited({"version": 2}), "version 2, and 1 is known"),
        (edited({"version": None}), "version None, and 1 is known"),
        ('{"resourcePlans": {"a": 1}}', "no whole plan"),
        ('{"resourcePlans": {"a": {"steps": ["explode"]}}}', "no whole plan"),
        ('{"resourcePlans": {"a": {"steps": [], "goal": {"type": "t"}}}}', "no whole plan"),
        ('{"resourcePlans": {"a": {"steps": [], "seed": "?"}}}', "no whole plan"),
        ('{"resourcePlans": {}, "bedplate": 1}', "version None"),
    ],
)
def test_what_is_no_plan(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(BadPlan, match=f"the plan {path} can't be used: .*{message}"):
        read(path, codec())


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="nosuch can't be read: No such file"):
        read(tmp_path / "nosuch", codec())
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadPlan, match="it is no text"):
        read(tmp_path / "picture", codec())


def test_a_plan_of_pulumis_own() -> None:
    """Written by `pulumi preview --save-plan` 3.260.0."""
    plan = read(FILES / "pulumi_changes.json", codec())
    assert plan.made_for is None
    part = "urn:pulumi:dev::shop::shop:index:Part$test:index:Thing::a"
    goal = plan.resources[part].goal
    assert goal is not None
    assert goal.inputs.updates == {"key": 2, "size": 2}
    assert list(plan.resources[part].ops) == [Op.CREATE_REPLACEMENT, Op.REPLACE, Op.DELETE_REPLACED]
    assert len(bytes.fromhex(plan.seeds[part])) == 32
