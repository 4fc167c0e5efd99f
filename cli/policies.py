"""What the ``policy`` commands do: ask packs what they are, test them, and have things judged that no run declares."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from cli.exits import UsageError
from cli.packs import standing
from cli.views.cases import TestedCase
from engine.analyzer import cases
from engine.analyzer.case_files import CaseError, case_files, load
from engine.analyzer.client import start, started
from engine.analyzer.environment import StackFacts
from engine.analyzer.findings import PackInfo, PolicyInfo
from engine.analyzer.pack import PackFolder
from engine.analyzer.packs import ChosenPack, own_packs
from engine.analyzer.processes import Processes
from engine.project import Project
from engine.state.secrets import Keyring, passphrase_from

NOWHERE: Final = "none"  # the stack that packs are told of where no environment is meant
NOBODY: Final = (
    "nothing judges {}: there is no policy pack, or the settings say enabled: false; name one with --policy-pack FOLDER"
)


def root_of(cwd: Path) -> Path:
    return Project.load(cwd).root


async def described(cwd: Path, further: Iterable[Path], stack: str | None) -> list[PackInfo]:
    """What the packs say of themselves, configured for ``stack`` if there is one. Raises PolicyError."""
    facts, chosen = asked_about(Project.load(cwd), stack, further)
    processes = Processes()
    async with AsyncExitStack() as stack_of_packs:
        stack_of_packs.push_async_callback(processes.close)
        starting = [start(one.folder, facts, one.config, processes) for one in chosen]
        analyzers = await asyncio.gather(*starting)
        for analyzer in analyzers:
            stack_of_packs.push_async_callback(analyzer.close)
        return [analyzer.info for analyzer in analyzers]


def asked_about(project: Project, stack: str | None, further: Iterable[Path]) -> tuple[StackFacts, list[ChosenPack]]:
    """What packs are told, of ``stack`` if there is one, and which they are. Raises UsageError where there is none."""
    facts = _facts_of(project, stack) if stack else StackFacts(project.name, NOWHERE)
    chosen = [*standing(project, facts.config), *(ChosenPack(PackFolder.load(one)) for one in further)]
    if not chosen:
        raise UsageError(NOBODY.format(stack or project.root))
    return facts, chosen


def _facts_of(project: Project, stack: str) -> StackFacts:
    """What packs are told of an environment. Raises as ``Project.config`` does."""
    project.require(stack)
    keyring = Keyring(stack, passphrase_from(os.environ), project.salt(stack))
    config = project.config(stack, keyring, may_stay_sealed=True)
    return StackFacts(project.name, stack, config=config.texts, secret_keys=config.secret_keys)


def rule_named(name: str, packs: Sequence[PackInfo]) -> tuple[PackInfo, PolicyInfo]:
    """The rule of that name. Raises UsageError with the nearest names."""
    for pack in packs:
        policy = pack.policy(name.removeprefix(f"{pack.name}/"))
        if policy is not None:
            return pack, policy
    names = [policy.name for pack in packs for policy in pack.policies]
    near = difflib.get_close_matches(name, names, 3)
    advice = f"did you mean {' or '.join(near)}?" if near else "`bedplate policy list` shows all"
    raise UsageError(f"there is no rule {name!r}; {advice}")


def page_of(policy: PolicyInfo, root: Path) -> str:
    """The part of a documentation page that is about a rule, "" where it lies elsewhere."""
    path, _, anchor = policy.url.partition("#")
    page = root / path
    if not path.endswith(".md") or not page.is_file():
        return ""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith("## ") and _anchor(line) == anchor), None)
    if start is None:
        return ""
    end = next((at for at in range(start + 1, len(lines)) if lines[at].startswith("## ")), len(lines))
    return "\n".join(lines[start + 1 : end]).strip()


def _anchor(heading: str) -> str:
    """What a heading of Markdown is called in a link, as code hosts have it."""
    return "".join(sign for sign in heading.lstrip("# ").lower().replace(" ", "-") if sign.isalnum() or sign in "-_")


def folders_to_test(cwd: Path, given: Iterable[Path]) -> list[Path]:
    """The packs whose cases are asked about. Raises UsageError where there is none."""
    folders = list(given) or own_packs(root_of(cwd))
    if not folders:
        raise UsageError("there is no policy pack here; name a folder that holds a PulumiPolicy.yaml")
    return folders


async def tested(folders: Sequence[Path]) -> list[TestedCase]:
    """What comes of the cases of the packs. Raises PolicyError where one can't be started."""
    processes = Processes()
    try:
        return [one for folder in folders for one in await _tested(folder, processes)]
    finally:
        await processes.close()


async def _tested(folder: Path, processes: Processes) -> list[TestedCase]:
    paths = case_files(folder)
    if not paths:
        raise UsageError(f"{folder / 'cases'}: there are no cases; expected files such as RULE.yaml")
    facts = StackFacts(cases.PROJECT, cases.STACK)
    found: list[TestedCase] = []
    async with started(folder, facts, processes=processes) as pack:
        for path in paths:
            try:
                outcomes = await cases.outcomes(load(path), pack)
            except CaseError as error:
                raise UsageError(str(error)) from error
            found += (TestedCase(pack.name, one.path, one.rule, one.case, one.wrong) for one in outcomes)
    return found
