"""Settings files: ``Pulumi.<environment>.yaml``, in the form that the Pulumi CLI reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import yaml

from stacks.settings.base import EncryptedValue
from stacks.settings.check import settings_from
from stacks.settings.platform import AWS_SECTION, PlatformSettings
from stacks.settings.problems import Problem, SettingsError, UnknownEnvironment, did_you_mean

PROJECT = "bedplate"
# Where an environment's file is, and what Pulumi itself keeps in it beside the configuration.
DIRECTORY = Path(__file__).parent.parent
_PULUMIS_OWN_KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider", "environment")
_PREFIX, _SUFFIX = "Pulumi.", ".yaml"


def environments(directory: Path = DIRECTORY) -> list[str]:
    """The environments that have a settings file, by name."""
    return sorted(path.name[len(_PREFIX) : -len(_SUFFIX)] for path in directory.glob(f"{_PREFIX}?*{_SUFFIX}"))


def load(environment: str, directory: Path = DIRECTORY) -> PlatformSettings:
    """The settings of an environment. Raises UnknownEnvironment, or SettingsError with everything that's wrong."""
    known = environments(directory)
    if environment not in known:
        raise UnknownEnvironment(environment, known)
    return load_file(directory / f"{_PREFIX}{environment}{_SUFFIX}")


def load_file(path: Path) -> PlatformSettings:
    """The settings in one file. Raises SettingsError; its problems name the lines."""
    source = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text) or {}
        lines = dict(_lines(tree)) if tree is not None else {}
    except UnicodeDecodeError as error:
        advice = "save the file as UTF-8"
        raise SettingsError(source, [Problem("YAML", f"byte {error.start + 1} is not UTF-8 text", advice)]) from None
    except yaml.YAMLError as error:
        raise SettingsError(source, [_syntax_problem(error)]) from None
    except ValueError as error:  # what looks like a date and is none
        raise SettingsError(source, [Problem("YAML", str(error), "quote it where it is meant as text")]) from None
    except RecursionError:
        advice = "write out what the alias (*name) stands for"
        raise SettingsError(source, [Problem("YAML", "has an alias within what it stands for", advice)]) from None
    if not isinstance(document, dict):
        advice = "the file must be a mapping with the key 'config'"
        raise SettingsError(source, [Problem("config", "is missing", advice, line=1)])
    values, problems = sections(cast("dict[str, Any]", document))
    problems += _given_twice(tree)
    try:
        settings = settings_from(values, source)
    except SettingsError as error:
        problems += error.problems
    else:
        if not problems:
            return settings
    located = [_with_line(problem, lines) for problem in problems]
    raise SettingsError(source, sorted(located, key=lambda problem: problem.line or 0))


def sections(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The sections in a file's ``config``, without the project's prefix, and what is wrong around them."""
    problems = [
        Problem(
            key, "unknown setting", f"settings belong below 'config'; {did_you_mean(key, ('config',))}".rstrip("; ")
        )
        for key in map(str, document)  # YAML's keys may be numbers and dates
        if key != "config" and key not in _PULUMIS_OWN_KEYS
    ]
    config = document.get("config") or {}
    if not isinstance(config, dict):
        return {}, [*problems, Problem("config", f"must be a mapping, but is {config!r}", "see settings.schema.json")]
    values, unplaced = by_section(cast("dict[str, Any]", config))
    return {name: _encrypted_marked(value) for name, value in values.items()}, problems + unplaced


def by_section(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Configuration keys (``bedplate:network``, ``aws:region``) as sections; keys of other providers are left alone."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in ((str(key), value) for key, value in config.items()):
        namespace, colon, name = key.partition(":")
        if not colon:
            problems.append(Problem(key, "has no prefix", f"write '{PROJECT}:{key}'"))
        elif namespace == AWS_SECTION:
            values.setdefault(AWS_SECTION, {})[name] = value
        elif namespace == PROJECT and "." in name:
            advice = f"write it as a group of settings, as `bedplate config set ENV --path '{key}'` does"
            problems.append(Problem(name, "has a dot in its key", advice))
        elif namespace == PROJECT:
            values[name] = value
    return values, problems


def _encrypted_marked(value: Any) -> Any:
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if mapping.keys() == {"secure"}:
            return EncryptedValue()
        return {key: _encrypted_marked(each) for key, each in mapping.items()}
    return [_encrypted_marked(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


def _lines(node: yaml.Node, path: str = "") -> Iterator[tuple[str, int]]:
    """Each path below ``node`` as problems write it, with the line (from 1) of its key."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = _joined(path, str(key.value))
            yield below, key.start_mark.line + 1
            yield from _lines(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield f"{path}[{index}]", value.start_mark.line + 1
            yield from _lines(value, f"{path}[{index}]")


def _joined(path: str, key: str) -> str:
    if path == "config":
        namespace, _, name = key.partition(":")
        return {PROJECT: name, AWS_SECTION: f"{AWS_SECTION}.{name}"}.get(namespace, key)
    return f"{path}.{key}" if path else key


def _with_line(problem: Problem, lines: Mapping[str, int]) -> Problem:
    """``problem`` with the line of its setting, or of the nearest group around it."""
    path = problem.path
    while path and problem.line is None:
        if path in lines:
            return replace(problem, line=lines[path])
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return problem


def _given_twice(node: yaml.Node | None, path: str = "") -> list[Problem]:
    if not isinstance(node, yaml.MappingNode):
        return []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for key, value in node.value:
        name, line = _joined(path, str(key.value)), key.start_mark.line + 1
        if name in seen:
            problems.append(Problem(name, f"is given twice, first in line {seen[name]}", "keep one of them", line))
        seen[name] = line
        problems += _given_twice(value, name)
    return problems


def _syntax_problem(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    line = mark.line + 1 if isinstance(mark, yaml.Mark) else None
    return Problem("YAML", str(what), "the file is not valid YAML from here on", line)
