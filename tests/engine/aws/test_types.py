"""Every type lives through its case: created, read without a difference, found again, imported, changed, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from engine import paths
from engine.importing import sdk
from engine.importing.code import Declared, program_of
from engine.importing.run import marked
from engine.importing.saying import to_say
from engine.importing.wanted import Request, Wanted
from engine.providers.aws import registry
from engine.providers.aws.difference import TAGS
from engine.providers.aws.provider import AwsProvider
from engine.providers.aws.schema import Scalar
from engine.providers.aws.spec import Spec
from engine.providers.base import CannotTell, Checked
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties, Secret, has_unknown, reveal
from tests.engine.aws import cases
from tests.engine.aws.cases import Case
from tests.engine.pasting import registered_by

REGION = "us-east-1"
TOKEN = "bedplate-0123456789abcdef"


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:case::tests::{type_}::{name}"


class Life:
    """One resource under test."""

    def __init__(self, provider: AwsProvider, type_: str, name: str) -> None:
        self.provider = provider
        self.type = type_
        self.urn = urn(type_, name)
        spec = registry.load(type_)
        assert spec is not None, f"no specification of {type_}"
        self.spec: Spec = spec
        self.id = ""
        self.inputs: Properties = {}
        self.outputs: Properties = {}

    def checked(self, news: Properties) -> Properties:
        json_inputs = {k for k, f in self.spec.inputs.items() if f.type == Scalar("json")}
        texts = cases.documents_as_text(news, frozenset(json_inputs))
        checked = self.provider.check(self.urn, self.type, self.inputs or None, texts, seed="case")
        assert not checked.failures, checked.failures
        return dict(checked.inputs)

    def create(self, news: Properties) -> None:
        self.inputs = self.checked(news)
        token = TOKEN + self.urn[-8:]
        made = self.provider.create(self.urn, self.type, self.inputs, timeout=60, preview=False, token=token)
        self.id, self.outputs = made.id, made.outputs
        assert not has_unknown(self.outputs)

    def diff(self, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Any:
        return self.provider.diff(self.urn, self.type, self.id, old_inputs, old_outputs, new_inputs)

    def delete(self) -> None:
        self.provider.delete(self.urn, self.type, self.id, self.inputs, self.outputs, timeout=60)

    def known(self) -> dict[str, Any]:
        return {**self.outputs, "id": self.id}


@pytest.mark.parametrize("case", cases.all_cases(), ids=lambda case: f"{case.path.parent.name}/{case.path.stem}")
def test_lives_through_its_case(case: Case, provider: AwsProvider, emulator: str) -> None:
    known: dict[str, Any] = {}
    before: list[Life] = []
    for name, made in case.prerequisites.items():
        life = Life(provider, made["type"], f"{case.path.stem}-{name}")
        life.create(cases.resolved(made.get("inputs", {}), known))
        known[name] = life.known()
        before.append(life)
    life = Life(provider, case.type, case.path.stem)
    inputs = cases.resolved(case.inputs, known)
    try:
        _previews(life, inputs)
        life.create(inputs)
        faults = cases.unlike(
            {k: v for k, v in cases.resolved(case.outputs, {**life.known(), **known}).items() if v is not None},
            life.outputs,
            "outputs",
        )
        assert not faults, "\n".join(faults)
        cases.assert_view(case.view, emulator, REGION, {**life.known(), **known})
        _reads_without_difference(life)
        _is_found_again(life)
        _imports(life, case)
        _pastes(life)
        if case.update is not None:
            _updates(life, cases.laid_over(inputs, cases.resolved(case.update, known)))
            cases.assert_view(case.updated_view, emulator, REGION, {**life.known(), **known})
            _reads_without_difference(life)
        _drifts(life, cases.resolved(case.drift, known))
        if case.replace is not None:
            news = life.checked(cases.laid_over(inputs, cases.resolved(case.replace, known)))
            assert life.diff(life.inputs, life.outputs, news).replaces, "this change must replace"
    finally:
        if life.id:
            life.delete()
            life.delete()  # gone already is a success
            left = provider.read(life.urn, life.type, life.id, life.inputs, life.outputs)
            assert (left is not None) == (case.after_delete == "kept")
        for other in reversed(before):
            other.delete()


def _previews(life: Life, inputs: Properties) -> None:
    """Everything declared is in the preview, and what AWS decides is unknown."""
    news = life.checked(inputs)
    outputs = life.provider.create(life.urn, life.type, news, timeout=0, preview=True, token="").outputs
    assert life.spec.outputs.keys() <= outputs.keys()
    assert all(outputs[key] is UNKNOWN for key in life.spec.outputs if key != "tagsAll")
    assert not cases.unlike(news, outputs, "preview")


def _reads_without_difference(life: Life) -> None:
    found = life.provider.read(life.urn, life.type, life.id, life.inputs, life.outputs)
    assert found is not None, "created, and not found"
    assert found.id == life.id
    assert found.inputs == life.inputs
    assert found.outputs == life.outputs
    assert not life.diff(found.inputs, found.outputs, life.inputs).changes


def _is_found_again(life: Life) -> None:
    token = TOKEN + life.urn[-8:]
    if life.spec.find.by == "nobody":
        with pytest.raises(CannotTell, match="look"):
            life.provider.find(life.urn, life.type, life.inputs, token=token, known_ids=frozenset())
        return
    found = life.provider.find(life.urn, life.type, life.inputs, token=token, known_ids=frozenset())
    assert found is not None, "a run that died after this create wouldn't find what it made"
    assert found.id == life.id
    known = frozenset({life.id})
    assert life.provider.find(life.urn, life.type, life.inputs, token=token, known_ids=known) is None
    if life.spec.find.by == "token" or (life.spec.tags_at_birth and "tagsAll" in life.spec.properties):
        other = life.provider.find(life.urn, life.type, life.inputs, token="another", known_ids=frozenset())
        assert other is None, "what another operation made is not ours"


def _imports(life: Life, case: Case) -> None:
    """An import by id alone tells the same inputs, but for those that AWS never sees, with secrets as such."""
    found = life.provider.read(life.urn, life.type, life.id, {}, {})
    assert found is not None
    secrets = {key for key, value in found.inputs.items() if isinstance(value, Secret)}
    assert secrets == sdk.secret_inputs(life.type) & found.inputs.keys()
    assert secrets <= {key for key, value in found.outputs.items() if isinstance(value, Secret)}
    untold = {*life.spec.local, *case.unimportable}
    diff = life.diff(reveal(found.inputs), reveal(found.outputs), life.inputs)
    assert not {path.split(".")[0].split("[")[0] for path in diff.detailed} - untold, diff.detailed


def _pastes(life: Life) -> None:
    """The code that an import writes declares the resource as it is: a program with it changes nothing."""
    found = life.provider.read(life.urn, life.type, life.id, {}, {})
    assert found is not None
    inputs = marked(found.inputs, life.type)
    state = ResourceState(life.urn, life.type, True, found.id, inputs, found.outputs)

    def check(given: Properties) -> Checked:
        return life.provider.check(life.urn, life.type, None, reveal(given), seed="paste")

    read = reveal(found.inputs), reveal(found.outputs)
    says = to_say(inputs, check, lambda given: life.diff(*read, given).changes)
    wanted = Wanted(life.type, "Pasted-1", found.id, life.urn)
    program = program_of(Request((wanted,), {life.urn: "Pasted-1"}), [Declared(wanted, state, says)])
    values = {key: reveal(needed.value) for key, needed in program.secrets.items()}
    assert not [value for value in values.values() if value in program.text]
    (registered,) = registered_by(program.text, secrets=values)
    assert (registered.type, registered.name, registered.protect) == (life.type, "Pasted-1", True)
    checked = check(registered.inputs)
    assert not checked.failures, f"{checked.failures}\n{program.text}"
    diff = life.diff(*read, checked.inputs)
    assert not diff.changes, f"{diff.detailed}\n{program.text}"


def _updates(life: Life, news: Properties) -> None:
    checked = life.checked(news)
    diff = life.diff(life.inputs, life.outputs, checked)
    assert diff.changes, "an update that changes nothing"
    assert not diff.replaces, f"{diff.replaces} would replace"
    arguments = (life.urn, life.type, life.id, life.inputs, life.outputs, checked)
    preview = life.provider.update(*arguments, timeout=0, preview=True)
    outputs = life.provider.update(*arguments, timeout=60, preview=False)
    known = {key: value for key, value in preview.items() if not has_unknown(value)}
    faults = cases.unlike(known, outputs, "preview")
    assert not faults, "the preview promised something else:\n" + "\n".join(faults)
    _is_seen_as_drift(life, frozenset(str(paths.parse(path)[0]) for path in diff.detailed))
    life.inputs, life.outputs = checked, outputs


def _is_seen_as_drift(life: Life, keys: frozenset[str]) -> None:
    """What was just changed at ``keys`` is found by whoever knows the resource as it was: an up would change it back.

    What a program leaves to AWS is no drift.
    """
    found = life.provider.read(life.urn, life.type, life.id, life.inputs, life.outputs)
    assert found is not None
    left_to_aws = {key for key in keys if key not in life.inputs and life.spec.inputs.get(key, TAGS).computed}
    detailed = life.diff(found.inputs, found.outputs, life.inputs).detailed
    seen = {str(paths.parse(path)[0]) for path in detailed}
    assert keys - life.spec.local - left_to_aws <= seen, f"not seen: {keys - seen}"


def _drifts(life: Life, changes: Properties) -> None:
    """Each of ``changes``, made behind our back, is seen and can be changed back."""
    for key, value in changes.items():
        theirs = life.checked(cases.laid_over(life.inputs, {key: value}))
        arguments = (life.urn, life.type, life.id)
        life.provider.update(*arguments, life.inputs, life.outputs, theirs, timeout=60, preview=False)
        _is_seen_as_drift(life, frozenset({key}))
        found = life.provider.read(*arguments, life.inputs, life.outputs)
        assert found is not None
        life.provider.update(*arguments, found.inputs, found.outputs, life.inputs, timeout=60, preview=False)
        again = life.provider.read(*arguments, life.inputs, life.outputs)
        assert again is not None
        assert not life.diff(again.inputs, again.outputs, life.inputs).changes, f"{key} can't be changed back"


def test_every_type_has_a_case() -> None:
    covered = {case.type for case in cases.all_cases()}
    assert covered == set(registry.types())
