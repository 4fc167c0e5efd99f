"""A small stack to test with, and where the state files lie that Pulumi's CLI wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from engine import urn
from engine.state.model import ResourceState, Snapshot
from engine.state.secrets import Keyring, SecretCodec
from engine.state.storage import StackStore, open_stack

CASES: Final = Path(__file__).parents[2] / "cases" / "state" / "cli"
PASSPHRASE: Final = "correct horse"
STACK_URN: Final = urn.make("dev", "shop", None, urn.STACK_TYPE, "shop-dev")
PROVIDER_URN: Final = urn.make("dev", "shop", None, "pulumi:providers:aws", "default")
PROVIDER: Final = f"{PROVIDER_URN}::8e4c"


def keyring(passphrase: str | None = PASSPHRASE) -> Keyring:
    return Keyring("dev", passphrase)


def codec(passphrase: str | None = PASSPHRASE) -> SecretCodec:
    return SecretCodec(keyring(passphrase))


def store(root: Path) -> StackStore:
    return open_stack(root, "shop", "dev", keyring())


def root_state(**fields: Any) -> ResourceState:
    return ResourceState(STACK_URN, urn.STACK_TYPE, **fields)


def provider_state() -> ResourceState:
    return ResourceState(PROVIDER_URN, "pulumi:providers:aws", custom=True, id="8e4c", parent=STACK_URN)


def component(name: str, **fields: Any) -> ResourceState:
    of = urn.make("dev", "shop", STACK_URN, "shop:index:Part", name)
    given: dict[str, Any] = {"parent": STACK_URN, **fields}
    return ResourceState(of, "shop:index:Part", **given)


def bucket(name: str, **fields: Any) -> ResourceState:
    of = urn.make("dev", "shop", STACK_URN, "aws:s3/bucket:Bucket", name)
    given: dict[str, Any] = {"custom": True, "id": f"{name}-1", "parent": STACK_URN, "provider": PROVIDER, **fields}
    return ResourceState(of, "aws:s3/bucket:Bucket", **given)


def small_stack() -> Snapshot:
    """A stack, its provider, a bucket and one that depends on it."""
    first = bucket("first", inputs={"tags": {"team": "ml"}}, outputs={"arn": "arn:aws:s3:::first-1"})
    return Snapshot((root_state(), provider_state(), first, bucket("second", dependencies=(first.urn,))))
