"""Packages that a plugin serves by parameters: written down, read again, refused where something else comes of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from engine.packages import Parameters, Plugin, parameters_in, plugin_inputs
from engine.protocol import provider_pb2, resource_pb2
from engine.provider_registry import ProviderRegistry, Wanted
from engine.providers.base import ProviderError
from engine.providers.remote.plugins import Plugins
from engine.run import Result
from tests.engine.lifecycle.cloud import Cloud
from tests.engine.lifecycle.harness import ROOT, Engine
from tests.engine.remote.serving import attached, install_toy, of_cloud, plugins
from tests.engine.remote.test_faults import Odd
from tests.remote_components.test_when_it_goes_wrong import Context, Program, Refused, declared

SHAPES = Parameters("toy", "1.0.0", "shapes", "2.0.0", b"round-\xff")


@pytest.fixture
def toys(tmp_path: Path) -> Iterator[Plugins]:
    install_toy(tmp_path / "bin")
    environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "TOY_FOLDER": str(tmp_path)}
    found = plugins(tmp_path, environment)
    yield found
    found.close()


@pytest.mark.parametrize("base_version", ["1.0.0", ""])
@pytest.mark.parametrize("url", ["https://get.example/toy", ""])
def test_what_is_written_down_is_read_again(base_version: str, url: str) -> None:
    parameters = Parameters("toy", base_version, "shapes", "2.0.0", SHAPES.value)
    inputs = plugin_inputs(Plugin(url=url, parameters=parameters))
    assert inputs["version"] == "2.0.0"
    assert parameters_in("shapes", inputs) == parameters
    assert parameters_in("toy", plugin_inputs(Plugin("1.0.0", url))) is None


def test_parameters_that_are_damaged_are_told_of(toys: Plugins) -> None:
    inputs = {"version": "2.0.0", "__internal": {"name": "toy", "parameterization": "no base64!"}}
    with pytest.raises(ProviderError, match="provider of shapes are not in base64"):
        ProviderRegistry({}, toys).make("pulumi:providers:shapes", inputs)


def test_a_plugin_that_serves_something_else_is_refused(toys: Plugins) -> None:
    wanted = Wanted("toy", "urn:pulumi:dev::shop::pulumi:providers:shapes::mine", parameters=SHAPES)
    other = Wanted("toy", wanted.urn, parameters=Parameters("toy", "", "shapes", "2.0.0", b"another"))
    with pytest.raises(ProviderError, match="was to serve shapes and serves 'another'"):
        toys.provider(other).check_config({})
    with pytest.raises(ProviderError, match="can't decode byte 0xff"):  # what the plugin itself says of it
        toys.provider(wanted).check_config({})


def test_a_plugin_that_takes_no_parameters_says_so(tmp_path: Path) -> None:
    with attached(tmp_path, of_cloud(Cloud())) as found:
        wanted = Wanted("test", "urn:pulumi:dev::shop::pulumi:providers:shapes::mine", parameters=SHAPES)
        with pytest.raises(ProviderError, match="has no method Parameterize"):
            found.provider(wanted).check_config({})


def test_a_package_is_registered_once_and_only_those_are_known(tmp_path: Path) -> None:
    def package(value: bytes = b"x", **given: Any) -> Any:
        made = resource_pb2.Parameterization(name="shapes", version="2.0.0", value=value)
        return resource_pb2.RegisterPackageRequest(name="toy", version="1.0.0", parameterization=made, **given)

    async def body(program: Program) -> None:
        references = [
            (await program.monitor.RegisterPackage(each, Context())).ref
            for each in (package(), package(), package(b"y"), package(download_url="https://get.example"))
        ]
        assert references[0] == references[1]
        assert len(set(references)) == 3
        request = resource_pb2.RegisterResourceRequest(
            type="shapes:index:File", name="a", parent=ROOT, custom=True, packageRef="package-77"
        )
        with pytest.raises(Refused, match="'package-77' was not registered") as refused:
            await program.monitor.RegisterResource(request, Context())
        assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
        extension = resource_pb2.Parameterization(name="more", version="1.0.0")
        asked = resource_pb2.RegisterPackageRequest(name="toy", version="1.0.0", extension=extension)
        with pytest.raises(Refused, match="which extends toy"):
            await program.monitor.RegisterPackage(asked, Context())

    assert Engine(tmp_path).look(declared(tmp_path, body)).result is Result.SUCCEEDED


def test_a_resource_of_such_a_package_has_a_provider_that_keeps_the_parameters(tmp_path: Path) -> None:
    asked: list[Any] = []

    def parameterize(request: Any, context: Any) -> Any:
        asked.append(request.value)
        return provider_pb2.ParameterizeResponse(name=request.value.name, version=request.value.version)

    async def body(program: Program) -> None:
        made = resource_pb2.Parameterization(name="shapes", version="2.0.0", value=SHAPES.value)
        package = resource_pb2.RegisterPackageRequest(name="test", version="1.0.0", parameterization=made)
        reference = (await program.monitor.RegisterPackage(package, Context())).ref
        request = resource_pb2.RegisterResourceRequest(
            type="shapes:index:Thing", name="a", parent=ROOT, custom=True, packageRef=reference
        )
        await program.monitor.RegisterResource(request, Context())

    with attached(tmp_path, Odd(Cloud(), (), Parameterize=parameterize)) as found:
        report = Engine(tmp_path, elsewhere=found).run(declared(tmp_path, body))
    (provider,) = report.states("default_2_0_0")
    assert provider.urn == "urn:pulumi:dev::shop::pulumi:providers:shapes::default_2_0_0"
    internal = {"name": "test", "version": "1.0.0", "parameterization": base64.b64encode(SHAPES.value).decode()}
    assert provider.inputs == {"version": "2.0.0", "__internal": internal}
    assert report.state("a").provider == f"{provider.urn}::{provider.id}"
    assert {(one.name, one.version, one.value) for one in asked} == {("shapes", "2.0.0", SHAPES.value)}
