"""Every specification, against botocore (operations, members, waiters) and against pulumi_aws (properties)."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import botocore.session
import botocore.waiter
import pytest

from engine.providers.aws import registry, schema
from engine.providers.aws.hooks import HOOKS
from engine.providers.aws.parse import SpecInvalid, parse
from engine.providers.aws.schema import Field, ListOf, MapOf, Object, PropertyType, Scalar
from engine.providers.aws.spec import Operation, Spec
from engine.providers.base import ProviderError
from tests.engine.aws import sdk_types
from tests.engine.aws.sdk_types import Declared

TYPES = registry.types()
LIKE_TEXT = {"str", "json", "ref", "url"}
NUMBERS = {"int", "float"}


@functools.cache
def session() -> Any:
    return botocore.session.Session()


@functools.cache
def service_model(service: str) -> Any:
    return session().get_service_model(service)


def spec_of(type_: str) -> Spec:
    spec = registry.load(type_)
    assert spec is not None
    return spec


def operations(spec: Spec) -> Iterator[tuple[str, Operation]]:
    for verb in ("create", "read", "update", "delete"):
        for index, operation in enumerate(getattr(spec, verb)):
            yield f"{verb}[{index}]", operation
    if spec.find.operation:
        yield "find", Operation(operation=spec.find.operation, params=spec.find.params)
    if spec.find.tags:
        yield "find.tags", spec.find.tags


def test_there_are_types() -> None:
    assert len(TYPES) > 20


@pytest.mark.parametrize("type_", TYPES)
def test_operations_and_their_members_exist(type_: str) -> None:
    spec = spec_of(type_)
    faults: list[str] = []
    for place, operation in operations(spec):
        service = operation.service or spec.service
        if operation.hook:
            faults += [] if operation.hook in HOOKS else [f"{place}: no hook {operation.hook}"]
            continue
        faults += _faults(service, str(operation.operation), operation.params, place)
        if operation.wait and operation.wait.operation:
            faults += _faults(service, operation.wait.operation, operation.wait.params, f"{place}.wait")
        if operation.wait and operation.wait.waiter:
            faults += _waiter_faults(service, operation.wait.waiter, place)
    assert not faults, "\n".join(faults)


def _faults(service: str, operation: str, params: Mapping[str, Any], place: str) -> list[str]:
    model = service_model(service)
    if operation not in model.operation_names:
        return [f"{place}: {service} has no operation {operation}"]
    return list(_unknown_members(params, model.operation_model(operation).input_shape, f"{place}: {operation}"))


def _unknown_members(params: Any, shape: Any, place: str) -> Iterator[str]:
    if isinstance(params, list) and shape is not None and shape.type_name == "list":
        for item in cast("list[Any]", params):
            yield from _unknown_members(item, shape.member, f"{place}[]")
    if not isinstance(params, dict):
        return
    mapping = cast("dict[str, Any]", params)
    if mapping.keys() == {"each", "value"}:
        yield from _unknown_members(mapping["value"], getattr(shape, "member", None), f"{place}[]")
        return
    for key, value in mapping.items():
        if shape is None or (shape.type_name == "structure" and key not in shape.members):
            yield f"{place}: no member {key}"
        else:
            yield from _unknown_members(
                value, shape.members[key] if shape.type_name == "structure" else shape.value, f"{place}.{key}"
            )


def _waiter_faults(service: str, waiter: str, place: str) -> list[str]:
    loader = session().get_component("data_loader")
    model = botocore.waiter.WaiterModel(loader.load_service_model(service, "waiters-2"))
    known = {botocore.xform_name(name) for name in model.waiter_names}
    return [] if waiter in known else [f"{place}: no waiter {waiter} (there are {', '.join(sorted(known))})"]


@pytest.mark.parametrize("type_", TYPES)
def test_properties_are_those_of_the_sdk(type_: str) -> None:
    spec = spec_of(type_)
    declared = sdk_types.inputs(type_)
    faults = [f"{key}: pulumi_aws has no such argument" for key in spec.inputs.keys() - declared.keys()]
    missing = declared.keys() - spec.inputs.keys() - spec.unsupported.keys()
    faults += [f"{key}: an argument of pulumi_aws that is neither an input nor unsupported" for key in missing]
    outputs = sdk_types.properties(type_)
    faults += [f"{key}: pulumi_aws has no such output" for key in spec.outputs.keys() - outputs]
    for key in spec.inputs.keys() & declared.keys():
        faults += _unlike(spec.inputs[key], declared[key], key)
    assert not faults, "\n".join(sorted(faults))


def _unlike(field: Field, declared: Declared, place: str) -> Iterator[str]:
    if field.required != declared.required:
        yield f"{place}: {'' if declared.required else 'not '}required in pulumi_aws"
    yield from _unlike_type(field.type, declared, place)


def _unlike_type(type_: PropertyType, declared: Declared, place: str) -> Iterator[str]:
    match type_:
        case Scalar(kind):
            alike = kind in ("any", "asset") or declared.kind == kind or (kind in LIKE_TEXT and declared.kind == "str")
            if not alike and not (kind in NUMBERS and declared.kind in NUMBERS):
                yield f"{place}: is {kind} here and {declared.kind} in pulumi_aws"
        case ListOf(item) if declared.kind == "list" and declared.item:
            yield from _unlike_type(item, declared.item, place + "[*]")
        case MapOf(item) if declared.kind == "map" and declared.item:
            yield from _unlike_type(item, declared.item, place + ".*")
        case Object(fields) if declared.kind == "object" and declared.fields is not None:
            for key in fields.keys() ^ declared.fields.keys():
                yield f"{place}.{key}: only {'here' if key in fields else 'in pulumi_aws'}"
            for key in fields.keys() & declared.fields.keys():
                yield from _unlike(fields[key], declared.fields[key], f"{place}.{key}")
        case _:
            yield f"{place}: is {type(type_).__name__} here and {declared.kind} in pulumi_aws"


@pytest.mark.parametrize("type_", TYPES)
def test_an_input_reaches_the_api_or_is_local(type_: str) -> None:
    """Every input is a parameter of some operation, unless the specification says that AWS never sees it."""
    spec = spec_of(type_)
    written = " ".join(
        f"{operation.params} {operation.each} {operation.conditions} {operation.wait}"
        for _, operation in operations(spec)
    )
    silent = [
        key
        for key in spec.inputs
        if key not in spec.local and key not in {"region", "tags"} and key not in written and key not in spec.id
    ]
    assert not silent, f"no operation is given {silent}"


@pytest.mark.parametrize("type_", TYPES)
def test_a_change_is_carried_out_or_replaces(type_: str) -> None:
    """No change may be accepted and then do nothing."""
    spec = spec_of(type_)
    handled = {name for operation in spec.update for name in operation.when}
    replacing = {pattern.split(".")[0].split("[")[0] for pattern in spec.replace_on}
    written = " ".join(str(operation.params) + str(operation.conditions) for operation in spec.update + spec.delete)
    idle = {
        key
        for key in spec.inputs
        if key not in handled | replacing | spec.local | {"tags", "region"} and key not in written
    }
    assert not idle, f"neither update nor replace_on has {sorted(idle)}"
    if spec.taggable:
        assert "tagsAll" in handled, "no update of tags"
    if spec.regional:
        assert "region" in replacing, "another region is another resource"


def test_all_faults_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(
        "type: aws:x/y:Y\nservice: x\nid: name\ninputs: {name: text}\ncreate: [{operation: A, hook: b}]\n"
        "read: []\ndelete: []\nfind: luck\nreplace_on: [colour]\nsize: 3\n"
    )
    with pytest.raises(SpecInvalid) as caught:
        parse(file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert all(line.startswith(f"{file}: ") for line in lines)
    for fault in (
        "size: unknown key",
        "inputs.name: expected one of",
        "create[0]: expected either",
        "find: ",
        "replace_on.colour",
    ):
        assert any(fault in line for line in lines), (fault, lines)


MISTAKES = {
    "type: [": "line 2, column 1: expected YAML",
    "just a text": "file: expected a mapping, got str",
    "replace_on: 5": "replace_on.5: no such property",
    "conflicts: [name]": "conflicts[0]: expected a list of inputs, got 'name'",
    "exactly_one: [[name, colour]]": "exactly_one[0]: no input 'colour'",
    "exactly_one: [[name, rule.port]]": "exactly_one[0]: no input 'rule.port'",
    "kinds: [[name, rule.port]]": "kinds[0]: no input 'rule.port'",
    "changes_with: [name]": "changes_with: expected a mapping, got list",
    "update: [{when: colour, operation: A}]": "update[0].when: no such property 'colour'",
    "update: [{when: name, operation: A, params: {B: {C: colour}}}]": "update[0].params.B.C: no such property 'colour'",
    "update: [{when: name, operation: A, params: {B: '=x/{colour}'}}]": "update[0].params.B: no such property 'colour'",
    "update: [{when: name, operation: A, params: {B: name | upper}}]": "no such transform 'upper' (one of added,",
    "update: [{when: name, operation: A, if: {colour: true}}]": "update[0].if[0]: no such property 'colour'",
    "properties: {name: \"$.X[?Y=='{colour}']\"}": "properties.name: no such property 'colour'",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_the_file_and_the_path(tmp_path: Path, mistake: str) -> None:
    whole = "type: aws:x/y:Y\nservice: x\nid: name\ninputs: {name: str, rule: {port: int}}\n"
    whole += "create: []\nread: []\ndelete: []\nfind: id\n"
    file = tmp_path / "mistaken.yaml"
    file.write_text(mistake if mistake in ("type: [", "just a text") else f"{whole}{mistake}\n")
    with pytest.raises(ProviderError) as caught:
        parse(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert MISTAKES[mistake] in str(caught.value)


def test_paths_of_nested_properties() -> None:
    fields = schema.parse_fields({"rules!": [{"tags": {"*": "str"}}], "name?": "str"}, "inputs", [])
    assert [path for path, _ in schema.paths(fields)] == ["rules", "rules[*].tags", "name"]
    assert fields["rules"].required
    assert fields["name"].computed
