"""What a run has said, kept for the reports at its end: diagnostics, failures, what was skipped, what took how long."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cli.views.markers import HALVES, is_default_provider
from engine.events import Diagnostic, Event, ProgramOutput, RunStarted, Severity, StepDone, StepFailed, StepSkipped
from engine.plan import Op


@dataclass
class Transcript:
    """A consumer of events. An apply starts it anew, except for what the preview had to say.

    ``untold`` are the diagnostics that no report has shown yet.
    """

    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    untold: list[Diagnostic] = field(default_factory=list[Diagnostic])
    output: list[ProgramOutput] = field(default_factory=list[ProgramOutput])
    failed: list[StepFailed] = field(default_factory=list[StepFailed])
    skipped: list[StepSkipped] = field(default_factory=list[StepSkipped])
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    done: Counter[Op] = field(default_factory=Counter[Op])
    applying: bool = False
    _said: set[Diagnostic] = field(default_factory=set[Diagnostic], init=False, repr=False)

    def __call__(self, event: Event) -> None:
        self.take(event)

    def take(self, event: Event) -> bool:
        """Keep an event; whether no report will tell of it, which is to be shown now or never."""
        if isinstance(event, Diagnostic):
            return self._say(event)
        self._keep(event)
        return True

    def _keep(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._begin(applying=not event.preview)
        elif isinstance(event, ProgramOutput):
            self.output.append(event)
        elif isinstance(event, StepFailed):
            self.failed.append(event)
        elif isinstance(event, StepSkipped):
            self.skipped.append(event)
        elif isinstance(event, StepDone):
            self._count(event)

    def _begin(self, *, applying: bool) -> None:
        self.applying = applying
        self.output, self.failed, self.skipped = [], [], []
        self.seconds, self.done = {}, Counter()

    def _say(self, diagnostic: Diagnostic) -> bool:
        if diagnostic.ephemeral or diagnostic.severity is Severity.DEBUG:
            return True
        if diagnostic not in self._said:
            self._said.add(diagnostic)
            self.diagnostics.append(diagnostic)
            self.untold.append(diagnostic)
        return False

    def _count(self, event: StepDone) -> None:
        step = event.step
        self.seconds[step.urn] = self.seconds.get(step.urn, 0.0) + event.seconds
        if step.op not in HALVES and not is_default_provider(step.urn):
            self.done[step.op] += 1

    @property
    def errors(self) -> list[Diagnostic]:
        return [one for one in self.diagnostics if one.severity is Severity.ERROR]
