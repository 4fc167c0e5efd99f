"""Plans as files, in the form of Pulumi's (``apitype.DeploymentPlanV1``, 3.260), with secrets encrypted.

What Pulumi's form has no place for stands under ``bedplate``, which its CLI passes over: for what the plan was made,
the outputs, and a digest by which a file that was edited is told.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.plan import Op
from engine.saved_plan import Change, Circumstances, PlannedGoal, PlannedResource, SavedPlan
from engine.state import files, properties
from engine.state.errors import FormatError, StateError
from engine.state.format import decode_provider, encode_provider, magic
from engine.state.model import CustomTimeouts
from engine.state.secrets import SecretCodec

VERSION: Final = 1
_OURS: Final = "bedplate"
Json = Mapping[str, Any]


class BadPlan(Exception):
    """A file is no plan that can be used; the message says what is wrong with it and what to do."""


def encode(plan: SavedPlan, codec: SecretCodec) -> str:
    """The text of a plan's file. Raises StateError where a secret can't be encrypted."""
    made_for = plan.made_for
    assert made_for is not None, "only our own plans are written"
    content: dict[str, Any] = {
        "manifest": {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "magic": magic(_OURS), "version": _OURS,
        },
        "resourcePlans": {urn: _encode_resource(urn, one, codec) for urn, one in sorted(plan.resources.items())},
    }  # fmt: skip
    codec.enter("outputs")
    ours: dict[str, Any] = {
        "version": VERSION, "project": made_for.project, "stack": made_for.stack, "state": made_for.state,
        "settings": made_for.settings, "flags": dict(made_for.flags),
        "outputs": properties.encode(plan.outputs or {}, codec),
    }  # fmt: skip
    if codec.provider is not None:
        ours["secrets"] = encode_provider(codec.provider)
    content[_OURS] = ours
    ours["digest"] = _digest(content)
    return json.dumps(content, indent=4, ensure_ascii=False) + "\n"


def _encode_resource(urn: str, planned: PlannedResource, codec: SecretCodec) -> dict[str, Any]:
    codec.enter(urn)
    encoded: dict[str, Any] = {}
    if planned.goal is not None:
        encoded["goal"] = _encode_goal(urn, planned.goal, codec)
    encoded |= {"steps": [str(op) for op in planned.ops], "state": None}
    if planned.seed:
        encoded["seed"] = base64.b64encode(bytes.fromhex(planned.seed)).decode()
    return encoded


def _encode_goal(urn: str, goal: PlannedGoal, codec: SecretCodec) -> dict[str, Any]:
    change = {
        "adds": properties.encode(goal.inputs.adds, codec),
        "updates": properties.encode(goal.inputs.updates, codec),
        "deletes": list(goal.inputs.removes),
    }
    timeouts = goal.custom_timeouts
    optional: dict[str, Any] = {
        "parent": goal.parent, "dependencies": sorted(goal.dependencies),
        "provider": goal.provider and f"{goal.provider}::{properties.UNKNOWN_TEXT}",
        "ignoreChanges": sorted(goal.ignore_changes),
        "additionalSecretOutputs": sorted(goal.additional_secret_outputs), "id": goal.import_id,
    }  # fmt: skip
    return {
        "type": goal.type,
        "name": urn.rpartition("::")[2],
        "custom": goal.custom,
        "inputDiff": {key: value for key, value in change.items() if value},
        "outputDiff": {},
        "protect": goal.protect,
        **{key: value for key, value in optional.items() if value},
        "customTimeouts": {key: value for key in _TIMES if (value := getattr(timeouts, key))},
    }


_TIMES: Final = ("create", "update", "delete", "read")


def read(path: Path, codec: SecretCodec) -> SavedPlan:
    """The plan in the file at ``path``. Raises BadPlan, and StateError where its secrets can't be opened."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadPlan(f"the plan {path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise BadPlan(f"the plan {path} can't be used: it is no text; {_ANEW}") from None
    try:
        return decode(text, codec)
    except BadPlan as error:
        raise BadPlan(f"the plan {path} can't be used: {error}") from error
    except FormatError as error:
        raise BadPlan(f"the plan {path} can't be used: {error}; {_ANEW}") from error


def write(path: Path, text: str) -> None:
    """Put a plan's text at ``path``, whole or not at all, readable by its owner alone. Raises OSError."""
    files.give(path, text.encode())


def decode(text: str, codec: SecretCodec) -> SavedPlan:
    """The plan in a file. Raises BadPlan, and StateError where its secrets can't be opened."""
    content = _parsed(text)
    ours = content.get(_OURS)
    if ours is not None:
        _check(content, ours)
        if ours.get("secrets") is not None:
            codec.use(decode_provider(ours["secrets"], f"{_OURS}.secrets"))
    try:
        resources = {urn: _decode_resource(one, codec) for urn, one in content["resourcePlans"].items()}
        if ours is None:
            return SavedPlan(resources)
        project, stack, state, settings = (str(ours[key]) for key in ("project", "stack", "state", "settings"))
        made_for = Circumstances(project, stack, state, settings, dict(ours["flags"]))
        return SavedPlan(resources, made_for, properties.decode(ours["outputs"], codec))
    except StateError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise BadPlan(f"it is no whole plan ({type(error).__name__}: {error}); {_ANEW}") from error


_KNOWN: Final = {str(op): op for op in Op}
_ANEW: Final = "make it anew with `bedplate preview ENV --save-plan FILE`"


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BadPlan(f"it is not JSON, or was cut off: {error}; {_ANEW}") from None
    if isinstance(content, dict) and isinstance(content.get("plan"), dict):
        if content.get("version") != 1:
            raise BadPlan(f"it is a plan of version {content.get('version')!r}, and 1 is known here; {_ANEW}")
        content = content["plan"]
    if not isinstance(content, dict) or not isinstance(content.get("resourcePlans"), dict):
        raise BadPlan(f"it has no resourcePlans, so it is no plan; {_ANEW}")
    return content


def _check(content: dict[str, Any], ours: Any) -> None:
    version = ours.get("version") if isinstance(ours, dict) else None
    if version != VERSION:
        raise BadPlan(f"it is a plan of version {version!r}, and {VERSION} is known here; {_ANEW}")
    if ours.get("digest") != _digest(content):
        raise BadPlan(f"it was changed since it was written: it is not what was reviewed; {_ANEW}")


def _digest(content: Mapping[str, Any]) -> str:
    """Of all that the file says, itself left out."""
    bare = {**content, _OURS: {key: value for key, value in content[_OURS].items() if key != "digest"}}
    return hashlib.sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _decode_resource(encoded: Json, codec: SecretCodec) -> PlannedResource:
    goal, seed = encoded.get("goal"), encoded.get("seed") or ""
    ops = [_KNOWN[step] for step in encoded.get("steps") or ()]
    return PlannedResource(ops, goal and _decode_goal(goal, codec), base64.b64decode(seed, validate=True).hex())


def _decode_goal(encoded: Json, codec: SecretCodec) -> PlannedGoal:
    change = encoded.get("inputDiff") or {}
    adds, updates = (properties.decode(change.get(key) or {}, codec) for key in ("adds", "updates"))
    times = encoded.get("customTimeouts") or {}
    return PlannedGoal(
        str(encoded["type"]),
        encoded["custom"] is True,
        Change(adds, updates, tuple(change.get("deletes") or ())),
        str(encoded.get("parent") or ""),
        str(encoded.get("provider") or "").rpartition("::")[0],
        frozenset(encoded.get("dependencies") or ()),
        encoded.get("protect") is True,
        frozenset(encoded.get("ignoreChanges") or ()),
        frozenset(encoded.get("additionalSecretOutputs") or ()),
        str(encoded.get("id") or ""),
        CustomTimeouts(**{key: times.get(key) or 0 for key in _TIMES}),
    )
