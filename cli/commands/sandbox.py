"""sandbox up, down, status: the local AWS emulator and Kubernetes API."""

from __future__ import annotations

import importlib
import shlex
import threading
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.declare import command
from cli.exits import ExitCode, UsageError
from cli.requests.machine import BuildingNative, OfSandbox, StartingSandbox
from cli.requests.manner import Manner, Output
from cli.signals import ended_by_sigterm

if TYPE_CHECKING:
    from cli.screen import Screen
    from cli.views.lines import Line
    from engine.project import Project
    from engine.sandbox import KubernetesApi, PartStatus, Sandbox
    from engine.sandbox.native.building import Built


def register(sandbox: typer.Typer) -> None:
    """Add the commands to the group ``sandbox``."""

    @command(sandbox, "up", StartingSandbox)
    def up(request: StartingSandbox) -> int:
        """Start the sandbox: an AWS emulator and a Kubernetes API; or find the one that runs."""
        from cli.screen import Screen
        from engine import sandbox as sandboxes
        from engine.project import Project

        screen, project = Screen(request), Project.load(request.cwd)
        root = project.root
        if request.environment:
            _get_ready(request, project, request.environment)
        flavor = _flavor(request, root, screen)
        try:
            with ended_by_sigterm():
                started = sandboxes.up(
                    root, request.name, port=request.port, endpoint=request.endpoint, region=request.region,
                    allowed_hosts=request.allowed_host, kubernetes=flavor,
                    kubernetes_port=request.kubernetes_port,
                )  # fmt: skip
        except KeyboardInterrupt:
            screen.tell("interrupted; what had been started for it is ended")
            raise
        if request.output is Output.JSON:
            screen.document(described("running", started))
        else:
            _say(screen, f"sandbox {started.name} runs at {started.endpoint}", started)
        for lack in (lack_of(started), services_lacking(started)):
            if lack:
                screen.tell(lack)
        return _bring_up(request, request.environment) if request.environment else ExitCode.OK

    @command(sandbox, "down", OfSandbox)
    def down(request: OfSandbox) -> int:
        """End the sandbox and forget all that it held."""
        from cli.screen import Screen
        from cli.views.lines import Line
        from engine import sandbox as sandboxes

        ended = sandboxes.down(root_of(request.cwd), request.name)
        screen = Screen(request)
        if request.output is Output.JSON:
            screen.document(described("absent", ended))
        else:
            text = f"sandbox {request.name} is down" if ended else f"sandbox {request.name} was not up"
            screen.show([Line().add(text)])
        return ExitCode.OK

    @command(sandbox, "status", OfSandbox)
    def status(request: OfSandbox) -> int:
        """Say how the sandbox is; exits with 1 unless it runs."""
        from cli.screen import Screen
        from engine import sandbox as sandboxes

        found = sandboxes.status(root_of(request.cwd), request.name)
        screen = Screen(request)
        if request.output is Output.JSON:
            parts = {part.name: {"state": part.state.value, "detail": part.detail} for part in found.parts}
            screen.document(described(found.state.value, found.sandbox) | {"detail": found.detail, "parts": parts})
        else:
            _say(screen, f"{found.state}: {found.detail}", found.sandbox, found.parts)
        return ExitCode.OK if found.state is sandboxes.SandboxState.RUNNING else ExitCode.FAILED

    @command(sandbox, "build", BuildingNative)
    def build(request: BuildingNative) -> int:
        """Build the native Kubernetes control plane from the Go modules of tools/, unless it is built already."""
        from cli.screen import Screen
        from cli.views.building import Building
        from cli.views.lines import Line
        from cli.views.report import duration
        from engine.sandbox import native

        screen = Screen(request)
        cache = native.cache_of(root_of(request.cwd))
        with Building(screen.err, lambda: screen.width, color=screen.error_color, live=screen.terminal.live) as shown:
            built = native.build(cache, report=shown)
        if request.output is Output.JSON:
            screen.document(_described_build(built))
        else:
            took = f"built in {duration(built.seconds)}" if built.fresh else "nothing to build"
            version = built.binaries.version
            screen.show([Line().add(f"{took}: Kubernetes {version} is in {built.binaries.directory}")])
        return ExitCode.OK

    _ = (up, down, status, build)  # registered above


def _get_ready(request: StartingSandbox, project: Project, environment: str) -> None:
    """Begin with what it takes to bring ``environment`` up, while the sandbox starts: that is half of a core's work."""
    from cli.early import start_program

    if request.output is Output.JSON:
        raise UsageError(
            f"a document tells of one thing: leave {environment} out, then run `bedplate up {environment}`"
        )
    project.require(environment)
    start_program(project.root)
    threading.Thread(target=importlib.import_module, args=["cli.runs"], daemon=True).start()


def _bring_up(request: StartingSandbox, environment: str) -> int:
    from cli.requests.runs import BringingUp
    from cli.runs import bring_up

    manner = {field.name: getattr(request, field.name) for field in fields(Manner)}
    return bring_up(BringingUp(environment=environment, sandbox=request.name, skip_preview=True, **manner))


def lack_of(sandbox: Sandbox) -> str | None:
    """What the two halves of ``sandbox`` do not know of each other, if anything: only our emulator can be told."""
    if sandbox.kubernetes is None or sandbox.can_be_told:
        return None
    from engine.sandbox.localstack import TOKEN
    from engine.sandbox.model import is_our_localstack

    ours = f"without {TOKEN}" if is_our_localstack(sandbox) else "without --endpoint"
    return (
        f"the emulator at {sandbox.endpoint} can't be told of this Kubernetes API: its EKS clusters lead elsewhere and "
        "their node groups make no nodes here\n"
        f"  say cluster.existing.kubeconfig: {sandbox.kubernetes.kubeconfig} in the settings, which then declare no "
        f"node_pools, or start the sandbox {ours}: Bedplate's own emulator"
    )


def services_lacking(sandbox: Sandbox) -> str | None:
    """Which services a LocalStack does not have under its licence, of those that an environment may declare."""
    from engine.sandbox import localstack
    from engine.sandbox.model import LOCALSTACK

    found = localstack.at(sandbox.endpoint) if sandbox.emulator == LOCALSTACK else None
    lacking = found.lacks(localstack.needed()) if found else []
    if found is None or not lacking:
        return None
    return (
        f"LocalStack {found.version} has no {', '.join(lacking)} here: what an environment declares of them will fail\n"
        "  a licence that includes them has them, and so has the emulator that Bedplate starts without --endpoint and "
        f"without {localstack.TOKEN}"
    )


def root_of(start: Path) -> Path:
    """The folder whose ``.bedplate`` holds the sandbox: the project's around ``start``. Raises ProjectError."""
    from engine.project import Project

    return Project.load(start).root


def _flavor(request: StartingSandbox, root: Path, screen: Screen) -> str | None:
    """Which Kubernetes half to ask for; says in a line which and why. None: the one that a running sandbox has."""
    from engine.sandbox import Flavor, find
    from engine.sandbox.choice import best
    from engine.sandbox.docker import has_token
    from engine.sandbox.localstack import TOKEN
    from engine.sandbox.native import cache_of

    if request.kubernetes is None and find(root, request.name):
        return None
    if request.kubernetes is not None:
        flavor, reason = Flavor(request.kubernetes.value), "as asked"
    else:
        choice = best(cache_of(root), request.endpoint)
        flavor, reason = choice.flavor, choice.reason
    screen.tell(f"Kubernetes: {flavor or 'none'} ({reason})")
    if flavor is Flavor.KIND and request.endpoint is None:
        aws = f"localstack ({TOKEN} is set)" if has_token() else f"moto (LocalStack needs a token in {TOKEN})"
        screen.tell(f"AWS: {aws}")
        screen.tell("making the cluster takes half a minute, and more where images have to be pulled first")
    return flavor.value if flavor else None


def described(state: str, sandbox: Sandbox | None) -> dict[str, Any]:
    """A sandbox as a JSON document."""
    from cli.screen import VERSION

    document: dict[str, Any] = {"version": VERSION, "state": state}
    if sandbox is not None:
        document |= {
            "name": sandbox.name, "endpoint": sandbox.endpoint, "emulator": sandbox.emulator, "pid": sandbox.pid,
            "region": sandbox.region, "accountId": sandbox.account_id, "started": sandbox.started,
            "instanceId": sandbox.instance_id, "log": str(sandbox.log_file),
            "kubernetes": _described_api(sandbox.kubernetes),
        }  # fmt: skip
    return document


def _described_build(built: Built) -> dict[str, Any]:
    from cli.screen import VERSION

    return {
        "version": VERSION, "built": built.fresh, "seconds": round(built.seconds, 1),
        "kubernetes": built.binaries.version, "directory": str(built.binaries.directory),
    }  # fmt: skip


def _described_api(api: KubernetesApi | None) -> dict[str, Any] | None:
    if api is None:
        return None
    return {
        "flavor": api.flavor.value, "server": api.server, "version": api.version, "kubeconfig": str(api.kubeconfig),
        "processes": {one.name: one.pid for one in api.processes},
    }  # fmt: skip


def _say(screen: Any, text: str, sandbox: Sandbox | None, parts: Iterable[PartStatus] = ()) -> None:
    from cli.views.lines import Line, Style

    lines = [Line().add(text)]
    lines += [Line().add(f"  {part.name:<12}", Style.CYAN).add(f"{part.state}: {part.detail}") for part in parts]
    if sandbox is not None:
        facts = [
            ("emulator", sandbox.emulator), ("region", sandbox.region), ("account", sandbox.account_id or "unknown"),
            *_places(sandbox),
        ]  # fmt: skip
        lines += [Line().add(f"  {name:<12}", Style.CYAN).add(value) for name, value in facts]
        if sandbox.kubernetes:
            lines += _kubernetes_lines(sandbox.kubernetes)
    screen.show(lines)


def _places(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Where it runs and says what happens; of an emulator that somebody else has started nobody knows."""
    if sandbox.pid is not None:
        return [("process", str(sandbox.pid)), ("log", str(sandbox.log_file))]
    from engine.sandbox.model import is_our_localstack

    if not is_our_localstack(sandbox):
        return [("process", "not ours")]
    from engine.sandbox.docker import logs_of_localstack

    return [("log", logs_of_localstack(sandbox))]


def _kubernetes_lines(api: KubernetesApi) -> list[Line]:
    from cli.views.lines import Line, Style

    facts = Line().add("  kubernetes  ", Style.CYAN).add(f"{api.flavor} {api.version} at {api.server}")
    # For kubectl, k9s and every other client: the line is made to be pasted.
    return [facts, Line().add(f"  export KUBECONFIG={shlex.quote(str(api.kubeconfig))}")]
