"""policy list, explain, test, run: the rules that environments are judged by, and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.declare import command
from cli.environments import known, meant
from cli.exits import ExitCode
from cli.requests.manner import Output
from cli.requests.packs import ExplainingRule, JudgingFiles, OfPacks, TestingPacks

if TYPE_CHECKING:
    from cli.screen import Screen


def register(policy: typer.Typer) -> None:
    """Add the commands to the group ``policy``."""

    @command(policy, "list", OfPacks)
    def list_rules(request: OfPacks) -> int:
        """List the rules of the policy packs, with their levels in ENV where one is given."""
        import asyncio

        from cli import policies
        from cli.findings.document import of_policy
        from cli.screen import VERSION, Screen
        from cli.views.rules import all_rules

        screen = Screen(request)
        stack = request.environment or request.stack
        if stack:
            stack = meant(request.environment, request.stack, known(request.cwd))
        packs = asyncio.run(policies.described(request.cwd, request.policy_pack, stack))
        if request.output is Output.JSON:
            rules = [of_policy(pack, rule) for pack in packs for rule in pack.policies]
            screen.document({"version": VERSION, "rules": rules})
        else:
            screen.show(all_rules(packs, width=screen.width))
        return ExitCode.OK

    @command(policy, "explain", ExplainingRule)
    def explain(request: ExplainingRule) -> int:
        """Explain a rule: what it judges, why, what to do, its parameters, examples."""
        import asyncio

        from cli import policies
        from cli.findings.document import of_policy
        from cli.screen import VERSION, Screen
        from cli.views.rules import one_rule

        screen = Screen(request)
        packs = asyncio.run(policies.described(request.cwd, request.policy_pack, request.stack))
        pack, rule = policies.rule_named(request.rule, packs)
        page = policies.page_of(rule, policies.root_of(request.cwd))
        if request.output is Output.JSON:
            screen.document({"version": VERSION, **of_policy(pack, rule), "page": page})
        else:
            screen.show(one_rule(pack, rule, page, width=screen.width))
        return ExitCode.OK

    @command(policy, "test", TestingPacks)
    def test(request: TestingPacks) -> int:
        """Ask packs about the cases that lie beside them (PACK/cases/*.yaml): does each rule say what they expect?"""
        from cli import policies
        from cli.screen import Screen

        return _tested(request, Screen(request), policies.folders_to_test(request.cwd, request.pack))

    @command(policy, "run", JudgingFiles)
    def run(request: JudgingFiles) -> int:
        """Have an environment's preview, a state, a plan or manifests judged; exit with 5 where a rule refuses."""
        from cli import judging

        return judging.run(request)

    _ = (list_rules, explain, test, run)  # registered above


def _tested(request: TestingPacks, screen: Screen, folders: list[Path]) -> int:
    import asyncio

    from cli import policies
    from cli.screen import VERSION
    from cli.views.cases import of_packs

    tested = asyncio.run(policies.tested(folders))
    failed = sum(not one.passed for one in tested)
    if request.output is Output.JSON:
        cases = [
            {"pack": one.pack, "file": str(one.path), "rule": one.rule, "case": one.case, "wrong": list(one.wrong)}
            for one in tested
        ]
        screen.document({"version": VERSION, "cases": len(tested), "failed": failed, "results": cases})
    else:
        screen.show(of_packs(tested, width=screen.width))
    return ExitCode.FAILED if failed else ExitCode.OK
