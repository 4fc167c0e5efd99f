"""``pulumi.dynamic``: providers that are part of the program, run by its own Python."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.events import Diagnostic, Event
from engine.project import Project
from engine.run import Options, Outcome, Result
from engine.session import Session
from engine.state.model import ResourceState
from engine.values import Secret

PROGRAM = """
import json, os
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

SIZE = {size}

class Files(ResourceProvider):
    def configure(self, request):
        self.suffix = request.config.require("suffix")

    def diff(self, id_, olds, news):
        return DiffResult(changes=olds["size"] != news["size"])

    def create(self, props):
        print("creating", props["name"])
        if props["size"] == 13:
            raise ValueError("thirteen is too many")
        id_ = props["name"] + self.suffix
        with open(id_, "w") as file:
            json.dump(int(props["size"]), file)
        return CreateResult(id_, {{**props, "where": os.path.abspath(id_)}})

    def read(self, id_, props):
        with open(id_) as file:
            return ReadResult(id_, {{**props, "size": json.load(file)}})

    def update(self, id_, olds, news):
        with open(id_, "w") as file:
            json.dump(int(news["size"]), file)
        return UpdateResult({{**news, "where": olds["where"]}})

    def delete(self, id_, props):
        os.unlink(id_)

class File(Resource):
    where: pulumi.Output[str]

    def __init__(self, name, size, opts=None):
        super().__init__(Files(), name, {{"name": name, "size": size, "where": None}}, opts)

a = File("a", SIZE)
pulumi.export("where", a.where)
"""


class Stack:
    """A project whose program brings its provider along."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[Diagnostic] = []
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text('config:\n  shop:suffix: ".json"\n')

    def write(self, size: int) -> None:
        (self.folder / "__main__.py").write_text(PROGRAM.format(size=size))

    def session(self) -> Session:
        return Session.open(Project.load(self.folder), "dev", {})

    def emit(self, event: Event) -> None:
        if isinstance(event, Diagnostic):
            self.said.append(event)

    def up(self) -> Outcome:
        return asyncio.run(self.session().up(self.emit, Options(), lambda _preview: True))

    def state(self) -> ResourceState:
        (found,) = [one for one in self.session().snapshot().resources if one.type.startswith("pulumi-python:")]
        return found


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


@pytest.mark.slow
def test_a_resource_of_the_program_lives_and_dies(stack: Stack) -> None:
    file = stack.folder / "a.json"
    stack.write(1)
    preview = asyncio.run(stack.session().preview(stack.emit, Options()))
    assert preview.result is Result.SUCCEEDED, stack.said
    assert not file.exists()
    assert stack.up().result is Result.SUCCEEDED
    assert (file.read_text(), stack.session().outputs()["where"]) == ("1", str(file))
    assert "creating a" in [one.message for one in stack.said], "it is heard as the program is"
    assert isinstance(stack.state().inputs["__provider"], Secret)
    stack.write(2)
    assert stack.up().result is Result.SUCCEEDED
    assert (file.read_text(), stack.state().outputs["size"]) == ("2", 2)
    file.write_text("3")
    refreshed = asyncio.run(stack.session().refresh(stack.emit, Options(), lambda _found: True))
    assert (refreshed.result, stack.state().outputs["size"]) == (Result.SUCCEEDED, 3)
    assert asyncio.run(stack.session().destroy(stack.emit, Options(), lambda _plan: True)).result is Result.SUCCEEDED
    assert not file.exists()


def test_what_goes_wrong_in_the_program_s_provider_is_told_with_its_place(stack: Stack) -> None:
    stack.write(13)
    assert stack.up().result is Result.RESOURCE_FAILED
    (error,) = [one for one in stack.said if "thirteen is too many" in one.message]
    assert error.urn.endswith("::a")
    assert "__main__.py" in error.message
