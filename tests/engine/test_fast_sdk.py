"""The replacements in the program's process are only as good as their knowledge of the SDK that they replace."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi._types as sdk_types
import pulumi_aws.ecr as aws_ecr
import pulumi_kubernetes.networking.v1 as kubernetes_networking
import pytest
from pulumi import Output
from pulumi.output import UNKNOWN
from pulumi.runtime import rpc
from pulumi.runtime.resource import create_urn

import engine.host

sys.path.insert(0, str(Path(engine.host.__file__).parent))
import fast_classes  # pyright: ignore[reportMissingImports]
import fast_outputs  # pyright: ignore[reportMissingImports] - a script's sibling, not a module of a package
import fast_sdk  # pyright: ignore[reportMissingImports]
import fast_types  # pyright: ignore[reportMissingImports]

GROUPS: list[Any] = list(fast_sdk.groups())
REPLACEMENTS: list[tuple[Any, str, Any]] = [each for group, _ in GROUPS for each in group]
KNOWN: list[Any] = [
    *(getattr(place, name) for place, name, _ in REPLACEMENTS),
    *(each for _, on in GROUPS for each in on),
]


def _named(value: Any) -> str:
    """A value in a test's name, which has to be the same in each worker."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


VALUES: list[Any] = [
    None, "", "text", 3, 2.5, True, [], {}, (), (1, "a"), [1, [2, {"a": []}]], {"a": {"b": [None]}}, {1: "number"},
    {"in": [{"deep": (1, {2})}]}, UNKNOWN, [UNKNOWN], {"a": UNKNOWN}, b"bytes",
]  # fmt: skip


@pulumi.input_type
class _Rule:
    def __init__(self, port: Any = None) -> None:
        pulumi.set(self, "port", port)

    @property
    @pulumi.getter
    def port(self) -> Any: ...


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK as a program finds it."""
    for place, name, replacement in REPLACEMENTS:
        monkeypatch.setattr(place, name, replacement)


@pytest.mark.parametrize("function", KNOWN, ids=lambda each: each.__name__)
def test_the_locked_sdk_has_the_shape_that_the_replacements_were_written_against(function: Any) -> None:
    assert fast_sdk.known(function), (
        f"the SDK's {function} has changed (shape {fast_sdk.shape(function)}): "
        "read it, adapt what replaces it in engine/host, then add the shape to KNOWN_SHAPES"
    )


_OLDER = """
import pulumi, pulumi.output, sys
del pulumi.output._OutputData
sys.path.insert(0, sys.argv[1])
import fast_sdk
before = pulumi.Output.all
print(fast_sdk.install(debug=True), before is pulumi.Output.all)
"""


def test_an_older_sdk_keeps_what_the_replacements_do_not_know() -> None:
    said = subprocess.check_output([sys.executable, "-c", _OLDER, str(Path(engine.host.__file__).parent)], text=True)

    assert "resource_types" in said
    assert "transfer_properties" not in said
    assert said.endswith(" True\n")


def test_a_function_of_another_shape_is_left_alone() -> None:
    def wait_for_rpcs() -> None:
        """Another body than the SDK's."""

    assert not fast_sdk.known(wait_for_rpcs)


def test_something_without_a_source_is_left_alone() -> None:
    assert not fast_sdk.known(len)


def test_a_change_within_a_functions_inner_function_is_noticed() -> None:
    def one() -> Callable[[], int]:
        def inner() -> int:
            return 1

        return inner

    def two() -> Callable[[], int]:
        def inner() -> int:
            return 2

        return inner

    assert fast_sdk.shape(one) != fast_sdk.shape(two)


def _all_known(make: Callable[[], Output[Any]]) -> tuple[Any, ...]:
    """What an output holds, or what is wrong with it."""

    async def run() -> tuple[Any, ...]:
        output = make()
        try:
            data = await output._data  # pyright: ignore[reportPrivateUsage] - all of it is compared
        except TypeError as error:
            return (str(error),)
        value = "unknown" if data.value is UNKNOWN else data.value
        return repr(value), type(data.value), data.is_known, data.is_secret, data.resources

    return asyncio.run(run())


def _made(value: Any) -> list[Callable[[], Output[Any]]]:
    return [
        lambda: Output.from_input(value),
        lambda: Output.from_input([value, Output.from_input(value)]),
        lambda: Output.from_input({"a": value, "b": {"c": Output.secret(value)}}),
        lambda: Output.from_input((value, Output.from_input(value).apply(lambda each: each))),
        lambda: Output.all(value, "b", Output.from_input(value)),
        lambda: Output.all(first=Output.from_input(value), second=value, third=3),
        lambda: Output.all(Output.from_input([Output.secret(value)])).apply(lambda each: each[0]),
        lambda: Output.from_input(_Rule(value)).apply(vars),
    ]


@pytest.mark.parametrize("value", VALUES, ids=_named)
def test_an_output_holds_what_it_holds_in_the_sdk(value: Any, request: pytest.FixtureRequest) -> None:
    expected = [_all_known(make) for make in _made(value)]

    request.getfixturevalue("replaced")

    assert [_all_known(make) for make in _made(value)] == expected


def test_a_list_that_becomes_an_output_is_another_list(replaced: None) -> None:
    given = [[1], {"a": 2}]

    async def held() -> Any:
        return await Output.from_input(given).future()

    found = asyncio.run(held())
    given[0] = [5]

    assert found == [[1], {"a": 2}]


def test_named_and_unnamed_inputs_are_refused_together(replaced: None) -> None:
    with pytest.raises(ValueError, match="mix of named and unnamed"):
        Output.all(1, a=2)  # pyright: ignore[reportCallIssue] - what is tried


def test_what_fails_within_an_output_fails_the_output(replaced: None) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a value that can't be made")

    async def run() -> Any:
        return await Output.all(1, Output.from_input([2]).apply(fail)).future()

    with pytest.raises(RuntimeError, match="can't be made"):
        asyncio.run(run())


@pytest.mark.parametrize("parent", ["urn:pulumi:s::p::a:b:C::parent", "without colons"])
@pytest.mark.parametrize("name", ["child", Output.from_input], ids=["text", "output"])
def test_a_urn_is_that_of_the_sdk(parent: str, name: Any, request: pytest.FixtureRequest) -> None:
    def make(create: Callable[..., Output[str]]) -> tuple[Any, ...]:
        return _all_known(lambda: create(name if isinstance(name, str) else name("child"), "x:y:Z", parent))

    assert make(fast_outputs.create_urn) == make(create_urn)


@pytest.mark.parametrize("value", VALUES, ids=_named)
def test_what_is_unknown_is_found_where_the_sdk_finds_it(value: Any) -> None:
    assert fast_outputs.contains_unknowns([{"a": value}]) == rpc.contains_unknowns([{"a": value}])


def test_what_holds_itself_has_an_end() -> None:
    endless: list[Any] = [1]
    endless.append(endless)

    assert not fast_outputs.contains_unknowns(endless)


@pytest.mark.parametrize(
    "cls",
    [
        aws_ecr.Repository, aws_ecr.RepositoryEncryptionConfigurationArgs,
        aws_ecr.outputs.RepositoryEncryptionConfiguration, kubernetes_networking.Ingress,
        kubernetes_networking.IngressSpecArgs, kubernetes_networking.outputs.IngressSpec,
    ],
)  # fmt: skip
def test_the_types_of_properties_are_those_of_the_sdk(cls: type) -> None:
    expected = sdk_types._types_from_py_properties(cls)  # pyright: ignore[reportPrivateUsage] - what is replaced

    found = fast_types.types_from_py_properties(cls)

    assert isinstance(found, fast_types.Types)
    assert dict(found) == expected
    assert {name: found.get(name) for name in [*expected, "none of its"]} == {**expected, "none of its": None}
    assert fast_types.raw_return_hints(cls) == sdk_types._raw_return_hints(cls)  # pyright: ignore[reportPrivateUsage]


@pulumi.input_type
class _Misspelled:
    @property
    @pulumi.getter
    def size(self) -> NoSuchType:  # noqa: F821 # pyright: ignore  # a program's mistake
        ...

    @property
    @pulumi.getter
    def color(self) -> str: ...


def test_a_wrong_annotation_in_a_program_is_told_as_by_the_sdk() -> None:
    with pytest.raises(NameError, match="NoSuchType"):
        fast_types.types_from_py_properties(_Misspelled)


def _classes(input_type: Any, output_type: Any) -> list[tuple[Any, ...]]:
    """Objects of one class of each kind that programs and generated SDKs have, and whether they are equal."""

    @input_type
    class Annotated:
        size: int = pulumi.property("sizeInBytes")

    class Sized:
        def __init__(self, size: int) -> None:
            pulumi.set(self, "size", size)

        @property
        @pulumi.getter(name="sizeInBytes")
        def size(self) -> int: ...

        @size.setter
        def size(self, value: int) -> None: ...

    @input_type
    class Inheriting(Sized):
        def __init__(self, size: int) -> None:
            super().__init__(size)

    @input_type
    class Written:
        __init__ = Sized.__init__  # pyright: ignore[reportAssignmentType] - its self is another
        size = Sized.size

    @output_type
    class Answer(dict[str, int]):
        def __init__(self, size: int) -> None:
            pulumi.set(self, "size", size)

        @property
        @pulumi.getter(name="sizeInBytes")
        def size(self) -> int:
            return pulumi.get(self, "size")

    told: list[tuple[Any, ...]] = []
    for cls in (Annotated, Inheriting, Written, Answer):
        one, other = cls(size=1), cls(size=1)
        if cls is not Answer:
            other.size = 2
        names = [name for name, _, _ in sdk_types._py_properties(cls)]  # pyright: ignore[reportPrivateUsage]
        kinds = sdk_types.is_input_type(cls), sdk_types.is_output_type(cls)
        told.append((names, kinds, one == cls(size=1), one == other, one.size, other.size, one == 1, hash(cls) != 0))
    return told


def test_classes_are_marked_as_by_the_sdk(request: pytest.FixtureRequest) -> None:
    expected = _classes(pulumi.input_type, pulumi.output_type)

    request.getfixturevalue("replaced")

    assert pulumi.input_type is fast_classes.input_type
    assert _classes(pulumi.input_type, pulumi.output_type) == expected


def test_a_class_is_not_marked_twice(replaced: None) -> None:
    with pytest.raises(AssertionError, match="more than once"):
        pulumi.input_type(_Rule)


class _Annotated(pulumi.ComponentResource):
    address: Output[str]
    ports: Output[Mapping[str, int]]


def test_the_types_of_a_programs_own_component_are_those_of_the_sdk() -> None:
    assert dict(fast_types.resource_types(_Annotated)) == sdk_types.resource_types(_Annotated)
