"""A pack: the rules of one area, registered by a decorator."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from policies.kit.resources import Resource, Stack
from policies.kit.rules import Judge, Level, Mend, Rule, Severity, Signature

_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_Judge = TypeVar("_Judge", bound=Judge)


class Pack:
    """Rules by id. ``keeps_settings`` names the one pack that reports what is wrong with the settings as a whole."""

    def __init__(self, name: str, *, title: str, description: str, keeps_settings: bool = False) -> None:
        self.name = name
        self.title = title
        self.description = description
        self.keeps_settings = keeps_settings
        self.rules: dict[str, Rule] = {}

    def rule(
        self,
        id: str,
        *,
        number: int,
        title: str,
        severity: Severity,
        fix: str,
        frameworks: Sequence[str] = (),
        tags: Sequence[str] = (),
        types: Sequence[str] = (),
        level: Level = "mandatory",
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        mend: Mend | None = None,
        mend_risk: str = "",
    ) -> Callable[[_Judge], _Judge]:
        """Register the decorated function; its first parameter's annotation says what it judges.

        ``frameworks`` are ``NAME:CONTROL`` (the first is shown as the policy's), ``tags`` other scanners' ids,
        ``types`` exact tokens or globs. ``parameters`` is the JSON schema of each. ``mend`` takes the properties as
        plain values (what is not known stays as it is), the parameters if it has a second argument, and returns the
        properties mended, or None; ``mend_risk`` says what it
        replaces or breaks, and then it is only ever applied where the settings name the rule.
        """

        def register(judge: _Judge) -> _Judge:
            signature = Signature.of(judge)
            self._add(
                Rule(
                    id=id,
                    number=number,
                    title=title,
                    severity=severity,
                    fix=fix,
                    judge=judge,
                    signature=signature,
                    frameworks=tuple(frameworks),
                    tags=tuple(tags),
                    types=tuple(types) or _types_of(signature.subject),
                    level=level,
                    parameters=dict(parameters or {}),
                    mend=mend,
                    mend_risk=mend_risk,
                )
            )
            return judge

        return register

    def url(self, rule: Rule) -> str:
        """Where the rule is explained, from the repository's root."""
        return f"policies/docs/{self.name}.md#{rule.id}"

    def serve(self) -> None:
        """Serve the pack to Pulumi's engine until it ends the process."""
        from policies.kit.serving import serve  # only the pack's own process needs a server

        serve(self)

    def _add(self, rule: Rule) -> None:
        if not _ID.fullmatch(rule.id):
            raise ValueError(f"rule {rule.id!r} of pack {self.name}: an id is words of a-z and 0-9 joined by hyphens")
        if rule.id in self.rules:
            raise ValueError(f"rule {rule.id!r} of pack {self.name} is registered twice")
        if not rule.types and rule.signature.subject is not Stack:
            raise ValueError(f"rule {rule.id!r} of pack {self.name}: say which `types` of resources it judges")
        if rule.mend is not None and rule.of_stack:
            raise ValueError(f"rule {rule.id!r} of pack {self.name}: a rule over the stack can't mend a resource")
        self.rules[rule.id] = rule


def import_modules(package: str, path: Iterable[str]) -> None:
    """Import every module of a pack's package, in the order of their names, so that their rules are registered."""
    for module in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        if module.name != "__main__":
            importlib.import_module(f"{package}.{module.name}")


def _types_of(subject: type) -> tuple[str, ...]:
    """The types that a subject may be found in, where it says so itself."""
    return () if subject in (Resource, Stack) else tuple(getattr(subject, "types", ()))
