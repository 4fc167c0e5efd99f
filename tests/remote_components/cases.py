"""Programs with components of others, each with what it is edited to; every engine is to come to the same with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

HEAD: Final = """
import pulumi

class Pair(pulumi.ComponentResource):
    path: pulumi.Output[str]
    word: pulumi.Output[str]
    label: pulumi.Output[str]

    def __init__(self, name, opts=None, **inputs):
        outputs = {"path": None, "word": None, "label": None}
        super().__init__("parts:index:Pair", name, {**outputs, **inputs}, opts, remote=True)

    def greet(self, who):
        return pulumi.runtime.call("parts:index:Pair/greet", {"__self__": self, "who": who}, self)

class Box(pulumi.ComponentResource):
    inner: pulumi.Output[str]
    sizes: pulumi.Output[list]

    def __init__(self, name, opts=None, **inputs):
        super().__init__("parts:index:Box", name, {"inner": None, "sizes": None, **inputs}, opts, remote=True)

def file(name, opts=None, **inputs):
    return pulumi.CustomResource("toy:index:File", name, {"name": name, "path": None, **inputs}, opts)

Options = pulumi.ResourceOptions
"""
MADE: Final = """
import base64

async def shapes():
    value = base64.b64encode(b"{value}").decode()
    return await pulumi.runtime.register_package("toy", "1.0.0", "", "shapes", "{version}", value)

def shape(name, opts=None, **inputs):
    made = {{"name": name, "path": None, **inputs}}
    return pulumi.CustomResource("shapes:index:File", name, made, opts, False, shapes())
"""


@dataclass(frozen=True)
class Case:
    """Programs that are brought up one after the other; at the end all is destroyed."""

    name: str
    programs: tuple[str, ...]
    always: bool = False  # not only where much time is given
    attached: bool = True  # to a provider that runs already; else by its executable

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr((HEAD, self.programs)).encode()).hexdigest()[:16]


CASES: Final = (
    Case(
        "made_changed_and_gone",
        (
            """
a = file("a", text="one")
p = Pair("p", text=a.path, word=pulumi.Output.secret("hunter2"))
b = file("b", of=p.path, label=p.label, opts=Options(depends_on=[p]))
pulumi.export("path", p.path)
pulumi.export("word", p.word)
pulumi.export("label", p.label)
pulumi.export("greeting", p.greet(a.path))
""",
            """
a = file("a", text="two")
p = Pair("p", text="three", word=pulumi.Output.secret(a.path))
q = Pair("q", text=p.path)
pulumi.export("word", p.word)
""",
        ),
        always=True,
        attached=False,
    ),
    Case(
        "one_in_another_renamed_and_moved",
        (
            """
a = file("a", text="one")
box = Box("box", sizes=[1, 2], named={"first": a.path, "second": "x"})
pulumi.export("inner", box.inner)
pulumi.export("sizes", box.sizes)
""",
            """
a = file("a", text="one")
group = pulumi.ComponentResource("shop:index:Group", "group")
case = Box("case", sizes=[3], named={"first": a.path}, opts=Options(
    parent=group, aliases=[pulumi.Alias(name="box", parent=pulumi.ROOT_STACK_RESOURCE)]))
pulumi.export("inner", case.inner)
""",
        ),
    ),
    Case(
        "options_reach_what_it_is_made_of",
        (
            """
east = pulumi.ProviderResource("toy", "east", {"prefix": "east-"})
mine = pulumi.ProviderResource("parts", "mine", {"of": "me"})
a = file("a", text="one")
p = Pair("p", text="one", opts=Options(
    provider=mine, providers=[east], protect=True, depends_on=[a], retain_on_delete=True, deleted_with=a))
q = Pair("q", text="one", opts=Options(providers=[east, mine], additional_secret_outputs=["path"],
    ignore_changes=["text"], replace_on_changes=["text"], custom_timeouts=pulumi.CustomTimeouts(create="5m")))
""",
            """
east = pulumi.ProviderResource("toy", "east", {"prefix": "east-"})
mine = pulumi.ProviderResource("parts", "mine", {"of": "me"})
a = file("a", text="one")
p = Pair("p", text="one", opts=Options(provider=mine, providers=[east], protect=False, retain_on_delete=False))
""",
        ),
        always=True,
    ),
    Case(
        "transformed",
        (
            """
def louder(args):
    if "text" in args.props:
        return pulumi.ResourceTransformResult({**args.props, "text": f"{args.props['text']}!"}, args.opts)

def whose(args):
    if args.type_ == "toy:index:File":
        return pulumi.ResourceTransformResult({**args.props, "whose": args.name}, args.opts)

pulumi.runtime.register_resource_transform(whose)
p = Pair("p", text="one", opts=Options(transforms=[louder]))
""",
        ),
    ),
    Case(
        "configured_by_another",
        (
            """
a = file("a", text="one")
mine = pulumi.ProviderResource("parts", "mine", {"of": a.path})
p = Pair("p", text="one", opts=Options(provider=mine))
b = file("b", of=p.path, greeting=p.greet("you").apply(lambda said: (said or {}).get("greeting")))
""",
        ),
    ),
    Case(
        "of_a_package_made_by_parameters",
        tuple(
            MADE.format(version=version, value=value)
            + """
mine = pulumi.ProviderResource("shapes", "mine", {"prefix": "my-"}, None, False, shapes())
a = shape("a")
b = shape("b", Options(provider=mine), of=a.path)
pulumi.export("served", pulumi.runtime.invoke("shapes:index:what", {}, package_ref=shapes()).value)
"""
            for version, value in (("2.0.0", "round-"), ("2.0.0", "square-"), ("2.1.0", "square-"))
        ),
    ),
)
