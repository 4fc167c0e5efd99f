"""The resource monitor and the engine's log, as gRPC services that a Pulumi program talks to.

Only translation happens here: messages into goals, answers into messages, refusals into statuses. Protocol: the protos
that ship in the ``pulumi`` package.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf import empty_pb2

from engine import urn as urns
from engine import wire
from engine.assets import located
from engine.callbacks import Transforms
from engine.deployment import Deployment
from engine.direct_line import within
from engine.events import Diagnostic, Severity
from engine.execute import PlanViolated, RunCancelled
from engine.goal_messages import goal_of, method_of, plugin_of, read_goal_of
from engine.goals import Goal, Method, ReadGoal
from engine.inheritance import Inheritance
from engine.log_levels import severity_of
from engine.packages import Plugin, plugin_inputs
from engine.protocol import MESSAGE_SIZES, engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc
from engine.providers.base import Caller, ProviderError
from engine.rendezvous import LOOPBACK
from engine.run_state import Registered, RegistrationRefused

# What the SDK may use.
FEATURES: Final = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_SENDS_OPTIONS_TO_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_DEPENDS_ON,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_PARENT,
)
_OLD_FEATURE_NAMES: Final = frozenset(
    {
        "secrets", "resourceReferences", "outputValues", "aliasSpecs", "replacementTrigger", "deletedWith",
        "replaceWith", "transforms", "invokeTransforms", "parameterization", "resourceHooks", "errorHooks",
        "sendsOptionsToHooks",
    }
)  # fmt: skip
_RESULTS: Final = {
    "success": resource_pb2.Result.SUCCESS,
    "fail": resource_pb2.Result.FAIL,
    "skip": resource_pb2.Result.FAIL,  # to the program it is the same: its outputs will not be known
}
T = TypeVar("T")
A = TypeVar("A", Goal, ReadGoal, Method)


class Monitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Serves one deployment to one program. ``last_request`` is when the program last asked for something."""

    def __init__(self, deployment: Deployment, config: Mapping[str, str], secret_keys: list[str], folder: Path) -> None:
        """``folder`` is where the program runs: its relative paths start there."""
        self.failed_log = False  # the program has logged an error
        self.last_request = time.monotonic()
        self.fatal: BaseException | None = None
        self.broken = asyncio.Event()  # set with ``fatal``
        self.waits = asyncio.Event()  # the program has said all, and waits for ``over``
        self.over = asyncio.Event()
        self._deployment = deployment
        self._transforms = Transforms()
        self._inheritance = Inheritance()
        self._config = config
        self._secret_keys = secret_keys
        self._program_folder = folder
        self._tasks: set[asyncio.Task[Any]] = set()
        self._plugins: dict[str, Plugin] = {}
        self._served = contextlib.AsyncExitStack()
        self._loopback: asyncio.Task[str] | None = None

    async def _answer(self, context: Any, work: Coroutine[Any, Any, T]) -> T:
        """Do the work of one request; what goes wrong reaches the program as the status of its call.

        The work is a task of its own: a program that dies cancels its calls, and what was sent to the cloud on their
        behalf must be recorded all the same.
        """
        self.last_request = time.monotonic()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except (RegistrationRefused, ProviderError, ValueError) as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except (RunCancelled, PlanViolated):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the run is being stopped")
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details())
        except Exception as error:  # noqa: BLE001 - a bug of ours must end the run, not leave the program waiting
            await context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")
        return _unreachable()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self.last_request = time.monotonic()
        error = None if task.cancelled() else task.exception()
        expected = (RegistrationRefused, ProviderError, ValueError, grpc.aio.AioRpcError)
        if error is not None and not isinstance(error, expected):
            self.fatal = self.fatal or error
            self.broken.set()

    @property
    def in_flight(self) -> int:
        """How many requests are being worked on, whether or not the program still waits for them.

        Those that wait for a provider's program do not count: that one asks in its turn, or is silent.
        """
        return len(self._tasks) - self._deployment.apart

    async def settled(self) -> None:
        """Wait until nothing is in flight any more."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await self._served.aclose()

    # The resource monitor

    async def GetDeploymentInfo(self, request: empty_pb2.Empty, context: Any) -> resource_pb2.DeploymentInfo:
        return resource_pb2.DeploymentInfo(
            project=self._deployment.project,
            stack=self._deployment.stack,
            organization="organization",
            config=dict(self._config),
            configSecretKeys=self._secret_keys,
            dryRun=self._deployment.preview,
            parallel=self._deployment.executor.parallel,
            supportedFeatures=FEATURES,
        )

    async def SupportsFeature(
        self,
        request: resource_pb2.SupportsFeatureRequest,
        context: Any,
    ) -> resource_pb2.SupportsFeatureResponse:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _OLD_FEATURE_NAMES)

    async def RegisterResource(
        self, request: resource_pb2.RegisterResourceRequest, context: Any
    ) -> resource_pb2.RegisterResourceResponse:
        return await self._answer(context, self._register(request))

    async def _register(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        if request.envVarMappings and not urns.is_provider_type(request.type):
            raise RegistrationRefused(
                f"{request.type} {request.name!r} has env_var_mappings: only a provider has an environment; "
                "give them to the provider that the resource uses"
            )
        goal = self._inheritance.take(goal_of(request))
        own = self._transforms.own(goal, list(request.transforms))
        goal = self._inheritance.take(await self._transforms.apply(goal, request, own))
        goal = replace(goal, inputs=located(goal.inputs, self._program_folder))
        goal = self._of_package(goal, request.packageRef)
        if goal.remote:
            return await self._construct(goal, own)
        if urns.is_provider_type(goal.type):
            goal = replace(goal, inputs={**goal.inputs, **plugin_inputs(goal.plugin, goal.env_var_mappings)})
        answer = await self._deployment.register(goal)
        self._transforms.remember(answer.urn, goal.parent, own)
        state = self._deployment.news.get(answer.urn)
        if state is not None and state.provider != goal.provider:
            goal = replace(goal, provider=state.provider)
        self._inheritance.remember(answer.urn, goal)
        return resource_pb2.RegisterResourceResponse(
            urn=answer.urn,
            id=answer.id,
            object=wire.encode(answer.outputs),
            stables=list(answer.stables),
            result=_RESULTS[answer.result],
            unknown=answer.unknown,
        )

    async def _construct(self, goal: Goal, transforms: list[Any]) -> resource_pb2.RegisterResourceResponse:
        answer = await self._deployment.construct(goal, await self._caller())
        self._transforms.remember(answer.urn, goal.parent, transforms)
        self._inheritance.remember_providers(answer.urn, goal.providers)
        of_property = resource_pb2.RegisterResourceResponse.PropertyDependencies
        return resource_pb2.RegisterResourceResponse(
            urn=answer.urn,
            object=wire.encode(answer.outputs),
            propertyDependencies={key: of_property(urns=urns) for key, urns in answer.dependencies.items()},
            result=_RESULTS[answer.result],
        )

    async def _caller(self) -> Caller:
        """What providers' programs are told of this run; the first of them has this monitor served on loopback.

        The program's own socket is for no one else, and not each language's gRPC can use one of its kind.
        """
        if self._loopback is None:
            self._loopback = asyncio.create_task(self._served.enter_async_context(serving(self, LOOPBACK)))
        deployment = self._deployment
        return Caller(
            deployment.project, deployment.stack, self._config, self._secret_keys, deployment.preview,
            deployment.executor.parallel, await self._loopback, within(self), self._program_folder,
        )  # fmt: skip

    async def RegisterResourceOutputs(
        self, request: resource_pb2.RegisterResourceOutputsRequest, context: Any
    ) -> empty_pb2.Empty:
        return await self._answer(context, self._register_outputs(request))

    async def _register_outputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:
        outputs = wire.decode(request.outputs)
        self._deployment.learn_secret(outputs)
        await self._deployment.complete(request.urn, outputs)
        return empty_pb2.Empty()

    async def ReadResource(
        self, request: resource_pb2.ReadResourceRequest, context: Any
    ) -> resource_pb2.ReadResourceResponse:
        return await self._answer(context, self._read(request))

    async def _read(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        goal = self._of_package(read_goal_of(request), request.packageRef)
        answer: Registered = await self._deployment.read(self._inheritance.take_provider(goal))
        return resource_pb2.ReadResourceResponse(
            urn=answer.urn,
            id=answer.id,
            properties=wire.encode(answer.outputs),
            result=_RESULTS[answer.result],
            unknown=answer.unknown,
        )

    async def Invoke(
        self, request: resource_pb2.ResourceInvokeRequest, context: Any
    ) -> resource_pb2.ResourceInvokeResponse:
        return await self._answer(context, self._invoke(request))

    async def _invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        if not request.provider:
            request.provider = self._inheritance.provider_below(request.parent, urns.package_of(request.tok))
        args, options = await self._transforms.apply_to_invoke(request)
        if self._deployment.awaits(request.dependsOn):
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        self._deployment.learn_secret(args)
        plugin = self._plugin(request.packageRef) or Plugin(options.version, options.plugin_download_url)
        invoked = await self._deployment.invoke(request.tok, args, options.provider, plugin)
        failures = [provider_pb2.CheckFailure(property=each.property, reason=each.reason) for each in invoked.failures]
        response = resource_pb2.ResourceInvokeResponse(failures=failures, unknown=invoked.unknown)
        getattr(response, "return").CopyFrom(wire.encode(invoked.result))  # a keyword of Python, hence no attribute
        return response

    async def Call(self, request: resource_pb2.ResourceCallRequest, context: Any) -> provider_pb2.CallResponse:
        return await self._answer(context, self._call(request))

    async def _call(self, request: resource_pb2.ResourceCallRequest) -> provider_pb2.CallResponse:
        method = self._of_package(method_of(request), request.packageRef)
        answer = await self._deployment.call(method, await self._caller())
        failures = [provider_pb2.CheckFailure(property=each.property, reason=each.reason) for each in answer.failures]
        of_value = provider_pb2.CallResponse.ReturnDependencies
        response = provider_pb2.CallResponse(
            failures=failures,
            returnDependencies={key: of_value(urns=urns) for key, urns in answer.dependencies.items()},
        )
        getattr(response, "return").CopyFrom(wire.encode(answer.outputs))  # a keyword of Python, hence no attribute
        return response

    async def RegisterStackTransform(self, request: Any, context: Any) -> empty_pb2.Empty:
        self._transforms.for_stack.append(request)
        return empty_pb2.Empty()

    async def RegisterStackInvokeTransform(self, request: Any, context: Any) -> empty_pb2.Empty:
        self._transforms.for_invokes.append(request)
        return empty_pb2.Empty()

    async def RegisterPackage(
        self,
        request: resource_pb2.RegisterPackageRequest,
        context: Any,
    ) -> resource_pb2.RegisterPackageResponse:
        if request.HasField("extension"):
            named = request.extension
            message = (
                f"the embedded engine does not know the package {named.name} {named.version}, which extends "
                f"{request.name}; use the Pulumi CLI for this program"
            )
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, message)
        plugin = plugin_of(request)
        for reference, known in self._plugins.items():
            if known == plugin:
                return resource_pb2.RegisterPackageResponse(ref=reference)
        reference = f"package-{len(self._plugins)}"
        self._plugins[reference] = plugin
        return resource_pb2.RegisterPackageResponse(ref=reference)

    def _plugin(self, reference: str) -> Plugin | None:
        """The one of the package registered as ``reference``; None for "". Raises ValueError for no such thing."""
        if reference and reference not in self._plugins:
            raise ValueError(f"the package {reference!r} was not registered; is the program from another run?")
        return self._plugins.get(reference)

    def _of_package(self, asked: A, reference: str) -> A:
        """What is ``asked`` for, of the package that it names by ``reference``, where it names one."""
        plugin = self._plugin(reference)
        return asked if plugin is None else replace(asked, plugin=plugin)

    async def RegisterResourceHook(self, request: Any, context: Any) -> empty_pb2.Empty:
        return await self._answer(context, self._register_hook(self._deployment.executor.hooks.register, request))

    async def RegisterErrorHook(self, request: Any, context: Any) -> empty_pb2.Empty:
        hooks = self._deployment.executor.hooks
        return await self._answer(context, self._register_hook(hooks.register_for_errors, request))

    async def _register_hook(self, register: Callable[[Any], None], request: Any) -> empty_pb2.Empty:
        register(request)
        return empty_pb2.Empty()

    async def SignalAndWaitForShutdown(self, request: empty_pb2.Empty, context: Any) -> empty_pb2.Empty:
        """The program has said all. One that has hooks stays until they have been called for what is deleted, too."""
        if self._deployment.executor.hooks:
            self.waits.set()
            await self.over.wait()
        return empty_pb2.Empty()

    # The engine's log

    async def Log(self, request: engine_pb2.LogRequest, context: Any) -> empty_pb2.Empty:
        severity = severity_of(request.severity)
        if severity is Severity.ERROR:
            self.failed_log = True
        self._deployment.executor.emit(Diagnostic(severity, request.message, request.urn, request.ephemeral))
        return empty_pb2.Empty()

    async def GetRootResource(self, request: Any, context: Any) -> engine_pb2.GetRootResourceResponse:
        return engine_pb2.GetRootResourceResponse(urn=self._deployment.root)

    async def SetRootResource(self, request: Any, context: Any) -> engine_pb2.SetRootResourceResponse:
        return engine_pb2.SetRootResourceResponse()

    async def RequirePulumiVersion(self, request: Any, context: Any) -> engine_pb2.RequirePulumiVersionResponse:
        """The embedded engine is not a Pulumi version; what it cannot do it says where it is asked for."""
        return engine_pb2.RequirePulumiVersionResponse()


@asynccontextmanager
async def serving(monitor: Monitor, address: str) -> AsyncGenerator[str]:
    """Serve ``monitor`` at ``address`` (a gRPC target; a TCP port of 0 is chosen by the system); yields the address."""
    server = grpc.aio.server(options=MESSAGE_SIZES)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(monitor, server)
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield address if address.startswith("unix:") else f"127.0.0.1:{port}"
    finally:
        with contextlib.suppress(RuntimeError):
            await server.stop(grace=0)


def _unreachable() -> NoReturn:
    raise AssertionError("aborting a call raises")
