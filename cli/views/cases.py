"""What came of the cases of policy packs: a line for each pack, and everything about the cases that failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.views.lines import Line, Style


@dataclass(frozen=True)
class TestedCase:
    """One case, and what its rule answered otherwise than the case says."""

    pack: str
    path: Path
    rule: str
    case: str
    wrong: Sequence[str]

    @property
    def passed(self) -> bool:
        return not self.wrong


def of_packs(tested: Sequence[TestedCase], *, width: int) -> Iterable[Line]:
    """What failed, then the numbers."""
    for one in tested:
        if not one.passed:
            yield Line().add("  ✗ ", Style.ERROR).add(f"{one.rule}", Style.STRONG).add(f"  {one.case}").cut(width)
            yield Line().add(f"    {one.path}", Style.DIM)
            yield from (Line().add(f"    {line}") for wrong in one.wrong for line in wrong.splitlines())
            yield Line()
    for pack in dict.fromkeys(one.pack for one in tested):
        own = [one for one in tested if one.pack == pack]
        failed = sum(not one.passed for one in own)
        rules = len({one.rule for one in own})
        line = Line().add("  ✗ " if failed else "  ✓ ", Style.ERROR if failed else Style.GREEN).add(f"{pack:<12}")
        yield line.add(f"  {len(own)} cases of {rules} rules").add(f", {failed} failed" if failed else "", Style.ERROR)
