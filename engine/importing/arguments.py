"""One resource to import, from the arguments of a command."""

from __future__ import annotations

from engine import urn as urns
from engine.importing.wanted import BadImport, Problem, Request, Wanted


def of_arguments(
    type_: str,
    name: str,
    id_: str,
    *,
    stack: str,
    project: str,
    parent: str = "",
    provider: str = "",
    protect: bool = True,
    properties: tuple[str, ...] = (),
) -> Request:
    """The import of one resource; ``parent`` and ``provider`` are ``NAME=URN`` or a URN. Raises BadImport."""
    problems: list[Problem] = []
    parent_name, parent_urn = _named("--parent", parent, "parent", problems)
    provider_name, provider_urn = _named("--provider", provider, "provider", problems)
    problems += type_problems(type_, "TYPE")
    if urns.is_provider_type(type_):
        advice = "give its configuration in a file: --file resources.json"
        problems.append(Problem("TYPE", "a provider is made, not read, and has no id", advice))
    if parent_name and parent_name == provider_name:
        problems.append(
            Problem("--provider", f"parent and provider must have distinct names, both are {parent_name!r}")
        )
    if provider_urn and not urns.is_provider_type(urns.type_of(provider_urn)):
        problems.append(
            Problem("--provider", f"{provider_urn} is not a provider", "its type begins with pulumi:providers:")
        )
    for what, text in (("NAME", name), ("ID", id_)):
        if not text:
            problems.append(Problem(what, f"{what} is empty"))
    if problems:
        raise BadImport("", problems)
    urn = urns.make(stack, project, parent_urn, type_, name)
    names = {parent_urn: parent_name, provider_urn: provider_name}
    names.pop("", None)
    names[urn] = name
    wanted = Wanted(
        type_, name, id_, urn, parent_urn, provider_urn, protect=protect, properties=properties
    )  # fmt: skip
    return Request((wanted,), names)


def type_problems(type_: str, path: str, line: int = 0) -> list[Problem]:
    """What is wrong with the form of a type token."""
    parts = type_.split(":")
    if len(parts) == 3 and all(parts):
        return []
    advice = "such as aws:s3/bucket:Bucket or kubernetes:apps/v1:Deployment"
    return [Problem(path, f"{type_!r} is not a type token: expected PACKAGE:MODULE:TYPE", advice, line)]


def _named(flag: str, text: str, default: str, problems: list[Problem]) -> tuple[str, str]:
    """The name and the URN of ``NAME=URN``, of which the name may be left out."""
    if not text:
        return "", ""
    name, separator, urn = text.partition("=")
    if not separator or text.startswith(urns.PREFIX):
        name, urn = default, text
    try:
        urns.parse(urn)
    except ValueError as error:
        problems.append(Problem(flag, str(error), "give NAME=URN; `bedplate state list ENV` shows the URNs"))
        return name, ""
    return name, urn
