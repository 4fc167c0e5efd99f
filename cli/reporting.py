"""How a run is told: its preview, its end, the document, the files that were asked for, the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli import packs
from cli.exits import DETAILED_CHANGES, CommandError, ExitCode, of_result
from cli.findings.report import FindingsReport
from cli.findings.written import ReportFile
from cli.requests.importing import Importing
from cli.requests.manner import Output
from cli.requests.runs import Destroying, Judged, Previewing, Refreshing, Running
from cli.screen import Screen
from cli.transcript import Transcript
from cli.views import documents, drift, policy, report
from cli.views.lines import Line
from engine.run import Options, Outcome, Result
from engine.stack_session import StackSession

if TYPE_CHECKING:
    from cli.costs import Costs


def only_previews(verb: str, request: Running) -> bool:
    """Whether nothing is going to be changed, whatever the preview shows."""
    return verb == "preview" or (isinstance(request, Destroying | Refreshing | Importing) and request.preview_only)


@dataclass
class Reporting:
    """What is told of one run of ``verb``. ``files`` are what is written of what policy packs found."""

    verb: str
    request: Running
    screen: Screen
    session: StackSession
    transcript: Transcript
    files: Sequence[ReportFile] = ()
    code: ExitCode | None = None  # set where more is known than the outcome tells
    previewed: bool = False

    def get_ready(self) -> None:
        """Import what costs are told with, while there is nothing else to do."""
        import cli.costs  # noqa: F401  # pyright: ignore[reportUnusedImport] - used at the end, by ``_costs``

    def preview(self, outcome: Outcome) -> None:
        """Show what would be done, once."""
        if self.request.output is Output.TEXT and not self.previewed:
            self.previewed = True
            detail = self.request.diff.value
            self.screen.show(
                report.preview(self._heading(), outcome, self.transcript, width=self.screen.width, detail=detail)
            )
            self.transcript.untold.clear()
            self.screen.show(self._costs(outcome).lines())
            self.screen.show(self._policy_lines(outcome))

    def end(self, outcome: Outcome, options: Options, further: dict[str, Any]) -> int:
        """Show how it ended, and write what was asked for; returns the exit code.

        ``further`` is what the document has besides the run itself and its costs.
        """
        code = self.exit_code(outcome)
        self._write_files(outcome)
        self._save_plan(outcome, options)
        if self.request.output is Output.MARKDOWN:
            self.screen.write(drift.markdown(self.session.stack, outcome))
        elif self.request.output is Output.JSON:
            document = documents.run(
                self.verb, self.session.stack, outcome, self.transcript, code=code, engine=self.session.engine
            )
            self.screen.document(document | self._costs(outcome).section() | further)
        elif self.transcript.applying or (self.previewed and self.verb == "refresh"):
            self._show_applied(outcome)
        elif self.verb == "up" and outcome.result is Result.SUCCEEDED and report.nothing_to_do(outcome.plan):
            self.screen.show(self._result(outcome))
        else:
            self.preview(outcome)
        if code == ExitCode.CANCELLED and self.previewed and not self.transcript.applying:
            self.screen.tell("nothing was changed")
        if code == ExitCode.CHANGES:
            self.screen.error("changes, where --expect-no-changes said that there are none")
        return code

    def _show_applied(self, outcome: Outcome) -> None:
        """What was done, with what the preview would have told before, where there was none."""
        self.screen.show([Line(), *self._result(outcome)])
        if not self.previewed:
            self.screen.show([*self._costs(outcome).lines(), *self._policy_lines(outcome)])

    def findings(self, outcome: Outcome) -> FindingsReport | None:
        """What the policy packs found, with the places to show it at; None where none was asked."""
        from cli.findings.places import Places, settings_place

        if outcome.plan.policy is None:
            return None
        project, stack = self.session.project, self.session.stack
        positions = [(step.urn, step.new.source_position) for step in outcome.plan.steps if step.new is not None]
        settings = settings_place(project, stack, project.root)
        places = Places.among(positions, project.root, settings.path, settings)
        rules_url = self.request.rules_url if isinstance(self.request, Judged) else ""
        return FindingsReport.of(outcome.plan.policy, places, stack, rules_url)

    def exit_code(self, outcome: Outcome) -> int:
        """The exit code of a run that ended so."""
        if self.code is not None:
            return self.code
        code = of_result(outcome.result)
        if outcome.result is Result.PROGRAM_FAILED and self._settings_are_wrong():
            return ExitCode.USAGE
        detailed = isinstance(self.request, Previewing) and self.request.detailed_exitcode
        if code is not ExitCode.OK:
            return ExitCode.FAILED if detailed else code
        if not only_previews(self.verb, self.request) or report.nothing_to_do(outcome.plan):
            return code
        if self.request.expect_no_changes:
            return ExitCode.CHANGES
        return DETAILED_CHANGES if detailed else code

    def _settings_are_wrong(self) -> bool:
        """Whether the program is the platform's own and has failed for its settings. Asked late: it takes 0.3 s."""
        from stacks.settings import SettingsError, UnknownEnvironment, load
        from stacks.settings.files import PROJECT

        project = self.session.project
        if project.name != PROJECT:
            return False
        try:
            load(self.session.stack, project.config_folder)
        except (SettingsError, UnknownEnvironment):
            return True
        return False

    def _heading(self) -> report.Heading:
        return report.Heading(self.verb, self.session.stack, self.session.where)

    def _costs(self, outcome: Outcome) -> Costs:
        from cli.costs import of_run

        given = self.request.usage if isinstance(self.request, Judged) else None
        return of_run(self.verb, outcome, self.session, given)

    def _policy_lines(self, outcome: Outcome) -> list[Line]:
        if outcome.plan.policy is not None:
            return [policy.summary(outcome.plan.policy, self.screen.width)]
        judged = isinstance(self.request, Judged) and packs.left_out(self.session)
        return [policy.left_out(packs.KEY)] if judged else []

    def _result(self, outcome: Outcome) -> list[Line]:
        outputs = outcome.plan.outputs_after if self.verb == "up" else {}
        lines = report.result(outcome, self.transcript, outputs, width=self.screen.width)
        self.transcript.untold.clear()
        return lines

    def rest(self) -> None:
        """Tell what no report has told, where there was none or it is another command's."""
        untold = [*self.transcript.untold]
        self.transcript.untold.clear()
        if self.request.output is Output.TEXT:
            self.screen.notes(report.diagnostics(untold))

    def _write_files(self, outcome: Outcome) -> None:
        found = self.findings(outcome) if self.files else None
        if found is not None:
            for one in self.files:
                one.write(found)

    def _save_plan(self, outcome: Outcome, options: Options) -> None:
        path = self.request.save_plan if isinstance(self.request, Previewing) else None
        if path is None:
            return
        if outcome.result is not Result.SUCCEEDED:
            self.screen.tell(f"no plan was kept in {path}: the preview did not succeed")
            return
        from engine import saved_plan_file

        try:
            saved_plan_file.write(path, self.session.plan_text(outcome, options))
        except OSError as error:
            raise CommandError(f"the plan can't be kept in {path}: {error.strerror}", ExitCode.FAILED) from error
        self.screen.tell(f"the plan is in {path}; `bedplate up {self.session.stack} --plan {path}` applies it as it is")
