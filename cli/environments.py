"""Which environments there are, and which one is meant. Imports nothing heavy: shell completion asks here."""

from __future__ import annotations

from pathlib import Path

from cli.exits import UsageError


def known(start: Path) -> list[str]:
    """The environments of the project around ``start``, by the names of their settings files."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / "Pulumi.yaml").is_file() or (folder / "Pulumi.yml").is_file():
            found = [*folder.glob("Pulumi.*.yaml"), *folder.glob("*/Pulumi.*.yaml")]
            return sorted({path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in found})
    return []


def complete(incomplete: str) -> list[str]:
    """The environments that a word can be completed to."""
    return [name for name in known(Path()) if name.startswith(incomplete)]


def meant(environment: str | None, stack: str | None, there: list[str]) -> str:
    """The environment that ENV or --stack names; raises UsageError where neither does or both do."""
    if environment and stack and environment != stack:
        raise UsageError(f"ENV says '{environment}' and --stack says '{stack}'; give one of them")
    name = environment or stack
    if not name:
        listed = f"one of {', '.join(there)}" if there else "its name"
        raise UsageError(
            f"no environment was given; expected {listed}, as in `bedplate preview {there[0] if there else 'dev'}`"
        )
    return name
