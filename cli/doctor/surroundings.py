"""Credentials, and what sandboxes are made of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from cli.doctor.check import Check, Place, State, said, short

_CREDENTIALS: Final = "Credentials"
_SANDBOXES: Final = "Sandboxes"


def credentials(place: Place) -> Sequence[Check]:
    return [_aws(place), _kubeconfig(place), _passphrase(place)]


def _aws(place: Place) -> Check:
    """What AWS's SDK would find in variables and files; nobody is asked over the network without --online."""
    use, how = "--engine pulumi, `cost --actual` and `--fetch-prices`", "`aws configure`, or `aws configure sso`"
    import botocore.session
    from botocore.credentials import create_credential_resolver
    from botocore.exceptions import BotoCoreError, ClientError

    session = botocore.session.Session()
    region = session.get_config_variable("region") or "no region"
    profile = session.get_config_variable("profile")
    named = f"profile {profile}" if profile else "the default profile"
    try:
        if place.online:
            identity = session.create_client("sts", region_name=session.get_config_variable("region") or "us-east-1")
            caller = identity.get_caller_identity()
            return Check(_CREDENTIALS, "AWS", State.OK, f"{caller['Arn']}, {region}", use, how)
        resolver = create_credential_resolver(session)
        local = [one for one in resolver.providers if one.METHOD in ("env", "shared-credentials-file", "config-file")]
        found = next((one.METHOD for one in local if one.load() is not None), None)
    except (BotoCoreError, ClientError) as error:
        return Check(_CREDENTIALS, "AWS", State.BROKEN, f"{named}: {' '.join(str(error).split())}", use, how)
    if found is not None:
        where = "from variables" if found == "env" else named
        return Check(_CREDENTIALS, "AWS", State.OK, f"{where}, {region} (not tried; --online does)", use, how)
    roles = _named_roles(session, profile)
    if roles:
        return Check(
            _CREDENTIALS, "AWS", State.OK, f"{named} uses {roles}, {region} (not tried; --online does)", use, how
        )
    return Check(_CREDENTIALS, "AWS", State.MISSING, f"none in variables or files, {region}", use, how)


def _named_roles(session: Any, profile: str | None) -> str:
    """How a profile gets credentials from elsewhere: by single sign-on, a role or a command."""
    try:
        settings: Mapping[str, Any] = session.full_config["profiles"].get(profile or "default", {})
    except Exception:  # noqa: BLE001 - a file that botocore can't read; it says so when it is used
        return ""
    ways = {"sso_session": "single sign-on", "sso_start_url": "single sign-on", "role_arn": "a role"}
    ways |= {"credential_process": "a command", "login_session": "`aws login`"}
    return next((way for key, way in ways.items() if key in settings), "")


def _kubeconfig(place: Place) -> Check:
    use, how = (
        "kubectl, and programs that take the cluster from it",
        "`aws eks update-kubeconfig`; a sandbox has its own",
    )
    given = place.environment.get("KUBECONFIG", "")
    paths = [Path(one) for one in given.split(os.pathsep) if one] or [Path.home() / ".kube" / "config"]
    there = [path for path in paths if path.is_file()]
    if not there:
        return Check(_CREDENTIALS, "kubeconfig", State.MISSING, f"no {short(paths[0])}", use, how)
    try:
        content = yaml.safe_load(there[0].read_text(encoding="utf-8"))
        context = content.get("current-context") if isinstance(content, dict) else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        text = f"{short(there[0])}: {' '.join(str(error).split())}"
        return Check(_CREDENTIALS, "kubeconfig", State.BROKEN, text, use, how)
    return Check(_CREDENTIALS, "kubeconfig", State.OK, f"{short(there[0])}, context {context or 'none'}", use, how)


def _passphrase(place: Place) -> Check:
    use = "stacks whose secrets Pulumi encrypts with one; .bedplate/state has its own"
    names = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
    set_ = next((name for name in names if name in place.environment), None)
    if set_ is None:
        return Check(_CREDENTIALS, "passphrase", State.MISSING, "not set", use, f"set {names[0]}")
    file = place.environment[set_]
    if set_ == names[1] and not Path(file).is_file():
        return Check(
            _CREDENTIALS, "passphrase", State.BROKEN, f"{set_}: there is no {short(file)}", use, f"set {names[0]}"
        )
    return Check(_CREDENTIALS, "passphrase", State.OK, f"by {set_}", use)


def sandboxes(place: Place) -> Sequence[Check]:
    return [*_running(place), _native(place), *_tools(place), _docker()]


def _running(place: Place) -> Iterator[Check]:
    if place.root is None:
        return
    from engine.sandbox import SandboxState, names, status

    for name in names(place.root):
        found = status(place.root, name)
        runs = found.state is SandboxState.RUNNING
        detail = found.sandbox.endpoint if runs and found.sandbox else found.detail or str(found.state)
        how = "`bedplate sandbox up`" + ("" if name == "default" else f" --name {name}")
        state = State.OK if runs else State.BROKEN
        yield Check(_SANDBOXES, f"sandbox {name}", state, detail, "environments that are up in it", how)


def _native(place: Place) -> Check:
    from engine.sandbox.native import cache_of, find

    built = place.root is not None and find(cache_of(place.root)) is not None
    return Check(
        _SANDBOXES, "native control plane", State.OK if built else State.MISSING, "built" if built else "not built",
        "--kubernetes native, `simulate`", "`bedplate sandbox build` (needs Go)",
    )  # fmt: skip


_TOOLS: Final = (
    ("go", ("version",), "building the native control plane", "https://go.dev/dl"),
    ("helm", ("version", "--short"), "charts, in sandboxes that run them", "https://helm.sh/docs/intro/install/"),
    ("kubectl", ("version", "--client"), "looking into clusters yourself", "https://kubernetes.io/docs/tasks/tools/"),
    ("kind", ("version",), "--kubernetes kind", "https://kind.sigs.k8s.io"),
)


def _tools(place: Place) -> Iterator[Check]:
    for name, arguments, use, how in _TOOLS:
        path = shutil.which(name, path=place.environment.get("PATH"))
        if path is None:
            yield Check(_SANDBOXES, name, State.MISSING, "not on PATH", use, how)
            continue
        well, text = said([path, *arguments], place.environment)
        yield Check(_SANDBOXES, name, State.OK if well else State.BROKEN, f"{text}, {short(path)}", use, how)


def _docker() -> Check:
    from engine.sandbox.docker import engine_problem

    problem = engine_problem()
    state = State.OK if problem is None else State.MISSING
    return Check(
        _SANDBOXES,
        "Docker engine",
        state,
        problem or "it answers",
        "--kubernetes kind",
        "https://docs.docker.com/engine/",
    )
