"""One object of a program: what the engine does with it, step by step, in the engine's order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.providers.base import Diff
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.providers.kubernetes.tokens import ObjectType, token
from engine.values import Properties, Value, reveal


@dataclass
class Declared:
    """A resource with its state; ``up`` is what one run of the engine does."""

    provider: KubernetesProvider
    api_version: str
    kind: str
    name: str = "it"
    patch: bool = False
    timeout: float = 10
    id: str = ""
    inputs: Properties = field(default_factory=dict[str, Value])
    outputs: Properties = field(default_factory=dict[str, Value])

    @property
    def type(self) -> str:
        group, _, version = self.api_version.rpartition("/")
        return token(ObjectType(group, version, self.kind, self.patch))

    @property
    def urn(self) -> str:
        return f"urn:pulumi:dev::p::{self.type}::{self.name}"

    def check(self, *, seed: str = "seed", olds: Properties | None = None, **news: Any) -> Properties:
        checked = self.provider.check(self.urn, self.type, olds or self.inputs or None, news, seed=seed)
        assert not checked.failures, checked.failures
        return reveal(checked.inputs)

    def failures(self, **news: Any) -> dict[str, str]:
        checked = self.provider.check(self.urn, self.type, None, news, seed="seed")
        return {failure.property: failure.reason for failure in checked.failures}

    def create(self, *, token: str = "bedplate-1", **news: Any) -> Properties:
        inputs = self.check(**news)
        created = self.provider.create(self.urn, self.type, inputs, timeout=self.timeout, preview=False, token=token)
        self.id, self.inputs, self.outputs = created.id, inputs, reveal(created.outputs)
        return self.outputs

    def diff(self, **news: Any) -> Diff:
        return self.provider.diff(self.urn, self.type, self.id, self.inputs, self.outputs, self.check(**news))

    def update(self, **news: Any) -> Properties:
        inputs = self.check(**news)
        outputs = self.provider.update(
            self.urn, self.type, self.id, self.inputs, self.outputs, inputs, timeout=self.timeout, preview=False
        )
        self.inputs, self.outputs = inputs, reveal(outputs)
        return self.outputs

    def delete(self) -> None:
        self.provider.delete(self.urn, self.type, self.id, self.inputs, self.outputs, timeout=self.timeout)

    def refresh(self) -> bool:
        """Read the object; whether it is there. Its state follows."""
        found = self.provider.read(self.urn, self.type, self.id, self.inputs, self.outputs)
        if found is not None:
            self.inputs, self.outputs = reveal(found.inputs), reveal(found.outputs)
        return found is not None
