"""A stack in a backend that is only read: what the Pulumi CLI has put there is looked at in place."""

from __future__ import annotations

from engine.state import format as form
from engine.state.buckets import Bucket, check_layout, newest, plain
from engine.state.errors import FormatError, StateCorrupt, StateInvalid, StateTooNew
from engine.state.invariants import problems
from engine.state.model import Snapshot
from engine.state.sealed import LeftSealed
from engine.state.secrets import Keyring, SecretCodec
from engine.state.storage import ORGANIZATION, valid_name


class RemoteStore:
    """One stack's checkpoint in ``bucket``, read once. Raises as ``StackStore`` does, and what the bucket raises."""

    def __init__(self, bucket: Bucket, project: str, stack: str, codec: SecretCodec) -> None:
        self.bucket = bucket
        self.project = valid_name("project", project)
        self.stack = valid_name("stack", stack)
        self.qualified_name = f"{ORGANIZATION}/{project}/{stack}"
        self.codec = codec
        self._key = f".pulumi/stacks/{project}/{stack}.json"
        self._content: bytes | None = None

    def other(self, project: str, stack: str, keyring: Keyring) -> RemoteStore:
        """Another stack in the same bucket."""
        return RemoteStore(self.bucket, project, stack, SecretCodec(keyring))

    def left_sealed(self) -> RemoteStore:
        """The same stack, where nobody can open the secrets: these are unknown."""
        same = RemoteStore(self.bucket, self.project, self.stack, LeftSealed())
        same._content, same._key = self._content, self._key
        return same

    def exists(self) -> bool:
        return bool(self.content())

    def interrupted(self) -> bool:
        """Pulumi's CLI keeps no journal."""
        return False

    def content(self) -> bytes:
        """The checkpoint, not compressed; nothing where there is none."""
        if self._content is None:
            check_layout(self.bucket)
            self._key = newest(self.bucket, self._key) or self._key
            self._content = plain(self.bucket.read(self._key) or b"", self.place)
        return self._content

    @property
    def place(self) -> str:
        return self.bucket.path(self._key)

    def load(self) -> Snapshot | None:
        """The stack as it was last saved, None where there is none."""
        snapshot = self.read()
        found = problems(snapshot) if snapshot is not None else []
        if found:
            raise StateInvalid(found, f"refusing to use {self.place}", "`pulumi state repair` mends what can be mended")
        return snapshot

    def read(self) -> Snapshot | None:
        """The same, whatever the invariants say of it."""
        content = self.content()
        if not content:
            return None
        try:
            return form.read_checkpoint(content, self.codec)
        except FormatError as error:
            raise StateCorrupt(
                self.place, str(error), "it was written so; `pulumi stack export` may know more"
            ) from error
        except StateTooNew as error:
            raise StateTooNew(f"{self.place}: {error}\n  it stays as it is; update bedplate to read it") from error
