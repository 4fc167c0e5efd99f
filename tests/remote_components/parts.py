"""Components as others publish them: the package ``parts``, by the SDK's own host for component providers.

Not postponed: the SDK's analyzer reads the annotations as they are.
"""

import sys
from collections.abc import Mapping
from typing import Any, Optional, TypedDict

import pulumi
from pulumi.provider import CallResult, main
from pulumi.provider.experimental.component import ComponentProvider

FILE = "toy:index:File"


class PairArgs(TypedDict):
    text: pulumi.Input[str]
    word: Optional[pulumi.Input[str]]  # noqa: UP045 - the form that the analyzer knows


class Pair(pulumi.ComponentResource):
    """Two files, the second made of the first."""

    path: pulumi.Output[str]
    word: pulumi.Output[Optional[str]]  # noqa: UP045
    label: pulumi.Output[str]

    def __init__(self, name: str, args: PairArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:  # noqa: UP045
        super().__init__("parts:index:Pair", name, {}, opts)
        first = _file(f"{name}-first", self, text=args["text"])
        second = _file(f"{name}-second", self, of=first.path, word=args.get("word"))
        self.path = second.path
        self.word = pulumi.Output.from_input(args.get("word"))
        suffix = pulumi.Config("shop").require("suffix")
        self.label = pulumi.Output.from_input(args["text"]).apply(
            lambda text: f"{text} of {pulumi.get_stack()}{suffix}"
        )
        self.register_outputs({"path": self.path, "word": self.word, "label": self.label})


class BoxArgs(TypedDict):
    sizes: pulumi.Input[list[pulumi.Input[int]]]
    named: pulumi.Input[Mapping[str, pulumi.Input[str]]]


class Box(pulumi.ComponentResource):
    """A pair of the same package in a component, made by its provider again."""

    inner: pulumi.Output[str]
    sizes: pulumi.Output[list[int]]

    def __init__(self, name: str, args: BoxArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:  # noqa: UP045
        super().__init__("parts:index:Box", name, {}, opts)
        text = pulumi.Output.from_input(args["named"]).apply(lambda named: named["first"])
        pair = RemotePair(f"{name}-pair", text=text, opts=pulumi.ResourceOptions(parent=self))
        self.inner = pair.path
        self.sizes = pulumi.Output.from_input(args["sizes"]).apply(_doubled)
        self.register_outputs({"inner": self.inner, "sizes": self.sizes})


def _doubled(sizes: Any) -> list[int]:
    return [size * 2 for size in sizes]


class RemotePair(pulumi.ComponentResource):
    path: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions, **inputs: Any) -> None:
        super().__init__("parts:index:Pair", name, {"path": None, **inputs}, opts, remote=True)


def _file(name: str, parent: pulumi.Resource, **inputs: Any) -> Any:
    made = {"name": name, "path": None, **inputs}
    return pulumi.CustomResource(FILE, name, made, pulumi.ResourceOptions(parent=parent))


class Parts(ComponentProvider):
    """Answers methods, too."""

    def call(self, token: str, args: Mapping[str, Any]) -> CallResult:
        if token == "parts:index:Pair/greet":
            words = pulumi.Output.all(args["who"], args["__self__"])
            return CallResult({"greeting": words.apply(lambda all_: f"hello {all_[0]}, says {all_[1]}")})
        raise ValueError(f"there is no method {token}")


if __name__ == "__main__":
    main(Parts([Pair, Box], "parts", None, "1.0.0"), sys.argv[1:])
