"""Which policy packs judge a command's run: the project's own (``policies/``), those of its settings, the command's.

The first two are left out only where the settings say ``bedplate:policy: enabled: false``, which each report then says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cli import prior_cost, usage_files
from cli.exits import UsageError
from cli.requests.runs import Judged
from engine.analyzer.client import Limits
from engine.analyzer.config import config_in, read_config
from engine.analyzer.errors import BadConfig
from engine.analyzer.pack import PackFolder
from engine.analyzer.packs import ChosenPack, Packs, own_packs
from engine.project import Project
from engine.stack_session import StackSession

KEY: Final = "bedplate:policy"
_FOREVER: Final = 1e9  # seconds


def chosen(session: StackSession, request: Judged) -> Packs | None:
    """The packs of ``request`` on ``session``, None where there are none. Raises BadPack, BadConfig, UsageError."""
    section = _section(session.configuration.texts)
    packs = [*_own(session.project, section), *_of_settings(session.project, section), *_of_command(request)]
    if not packs:
        return None
    file = usage_files.file_of(session.project, session.stack, request.usage)
    return Packs([_told(pack, session, file) for pack in packs], limits_of(request.policy_timeout))


def _told(pack: ChosenPack, session: StackSession, usage_file: Path | None) -> ChosenPack:
    """The pack, told of what only the command knows."""
    prior = prior_cost.config_for(pack.folder.folder, session, usage_file)
    return telling(replace(pack, config=usage_files.merged(prior, pack.config)), usage_file)


def telling(pack: ChosenPack, usage_file: Path | None) -> ChosenPack:
    """The pack, told by which usage file costs are estimated."""
    told = usage_files.config_for(pack.folder.folder, usage_file)
    return replace(pack, config=usage_files.merged(told, pack.config))


def limits_of(timeout: float) -> Limits:
    """How long packs may take by ``--policy-timeout``: the whole stack takes longer than one resource."""
    seconds = timeout or _FOREVER
    return Limits(seconds, seconds, 2 * seconds)


def left_out(session: StackSession) -> bool:
    """Whether the settings say that nothing is judged."""
    return _is_off(_section(session.configuration.texts))


def standing(project: Project, config: Mapping[str, str]) -> list[ChosenPack]:
    """The packs that judge whatever is judged with this configuration. Raises BadPack, BadConfig."""
    section = _section(config)
    return [*_own(project, section), *_of_settings(project, section)]


def _section(config: Mapping[str, str]) -> Any:
    """What a stack's configuration says of policies; None where it says nothing, or nothing that can be read."""
    text = config.get(KEY)
    if text is None:
        return None
    try:
        section = json.loads(text)
    except ValueError:
        section = None
    return section if isinstance(section, dict) else {}  # what is wrong with it, the program's settings say


def _is_off(section: Any) -> bool:
    return section is not None and section.get("enabled") is False


def _own(project: Project, section: Any) -> Iterator[ChosenPack]:
    if _is_off(section):
        return
    for folder in own_packs(project.root):
        # By this Python, whatever the file says for the Pulumi CLI: they are part of what runs here.
        yield ChosenPack(PackFolder.load(folder, python=Path(sys.executable)))


def _of_settings(project: Project, section: Any) -> Iterator[ChosenPack]:
    """Packs that the settings name; their paths start where the settings lie."""
    if section is None or _is_off(section):
        return
    folder = project.config_folder
    packs = section.get("packs") or []
    if not isinstance(packs, list):
        raise BadConfig(f"{KEY}.packs: expected a list of policy packs, got {packs!r}")
    for index, entry in enumerate(packs):
        place = f"{KEY}.packs[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            raise BadConfig(f"{place}: expected the path of a policy pack, as in 'path: ../our-pack'")
        config = entry.get("config") or {}
        if not isinstance(config, dict):
            raise BadConfig(f"{place}.config: expected levels or parameters by policy")
        yield ChosenPack(PackFolder.load(folder / entry["path"]), config_in(config, f"{place}.config"))


def _of_command(request: Judged) -> Iterator[ChosenPack]:
    configs = request.policy_pack_config
    if configs and len(configs) != len(request.policy_pack):
        raise UsageError(
            f"{len(request.policy_pack)} policy packs, but {len(configs)} configurations: --policy-pack-config, where "
            "it is given, is given once for each --policy-pack, in the same order"
        )
    for index, folder in enumerate(request.policy_pack):
        yield ChosenPack(PackFolder.load(folder), read_config(configs[index]) if configs else {})
