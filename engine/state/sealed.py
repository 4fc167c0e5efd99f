"""Reading a state whose secrets nobody here can open: each counts as unknown, and, for a comparison, as unchanged."""

from __future__ import annotations

import json
from dataclasses import replace

from engine.state.errors import WrongPassphrase
from engine.state.model import ResourceState
from engine.state.properties import UNKNOWN_TEXT
from engine.state.secrets import Keyring, SecretCodec
from engine.values import UNKNOWN, Properties, Secret, Value, has_secret, has_unknown

_SEALED = Secret(UNKNOWN)
_SAME = Secret("sealed")  # stands for two values of which nobody knows either


class LeftSealed(SecretCodec):
    """Opens nothing, and counts what it leaves."""

    def __init__(self) -> None:
        super().__init__(Keyring(""))

    def open(self, ciphertext: str) -> str:
        del ciphertext
        self.left_sealed += 1
        return json.dumps(UNKNOWN_TEXT)

    def seal(self, plaintext: str) -> str:
        del plaintext
        raise WrongPassphrase("a state whose secrets could not be opened is not written")


def comparable(old: ResourceState, new: ResourceState) -> tuple[ResourceState, ResourceState]:
    """Both states with each sealed secret of ``old`` the same in both, where ``new`` has a secret at its place."""
    old_inputs, new_inputs = _both(old.inputs, new.inputs)
    outputs, _ = _both(old.outputs, new_inputs)
    trigger, new_trigger = _pair(old.replacement_trigger, new.replacement_trigger)
    before = replace(old, inputs=old_inputs, outputs=outputs, replacement_trigger=trigger)
    return before, replace(new, inputs=new_inputs, replacement_trigger=new_trigger)


def comparable_outputs(old: Properties, new: Properties) -> tuple[Properties, Properties]:
    """The same for outputs."""
    return _both(old, new)


def _both(old: Properties, new: Properties) -> tuple[Properties, Properties]:
    before, after = dict(old), dict(new)
    for key in old.keys() & new.keys():
        before[key], after[key] = _pair(old[key], new[key])
    return before, after


def _pair(old: Value, new: Value) -> tuple[Value, Value]:
    if old == _SEALED and has_secret(new):
        return (_SAME, _SAME) if has_unknown(new) else (new, new)
    if isinstance(old, dict) and isinstance(new, dict):
        return _both(old, new)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [_pair(one, other) for one, other in zip(old, new, strict=True)]
        return [one for one, _ in pairs], [other for _, other in pairs]
    return old, new
