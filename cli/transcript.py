"""What a run has said, kept for the reports at its end: diagnostics, failures, what was skipped, what took how long."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cli.views.markers import HALVES, is_default_provider
from engine.events import Diagnostic, Event, ProgramOutput, RunStarted, Severity, StepDone, StepFailed, StepSkipped
from engine.plan import Op


@dataclass
class Transcript:
    """A consumer of events. An apply starts it anew, except for what the preview had to say."""

    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    output: list[ProgramOutput] = field(default_factory=list[ProgramOutput])
    failed: list[StepFailed] = field(default_factory=list[StepFailed])
    skipped: list[StepSkipped] = field(default_factory=list[StepSkipped])
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    done: Counter[Op] = field(default_factory=Counter[Op])
    applying: bool = False
    _said: set[Diagnostic] = field(default_factory=set[Diagnostic], init=False, repr=False)

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._begin(applying=not event.preview)
        elif isinstance(event, Diagnostic):
            self._say(event)
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

    def _say(self, diagnostic: Diagnostic) -> None:
        if not diagnostic.ephemeral and diagnostic.severity is not Severity.DEBUG and diagnostic not in self._said:
            self._said.add(diagnostic)
            self.diagnostics.append(diagnostic)

    def _count(self, event: StepDone) -> None:
        step = event.step
        self.seconds[step.urn] = self.seconds.get(step.urn, 0.0) + event.seconds
        if step.op not in HALVES and not is_default_provider(step.urn):
            self.done[step.op] += 1

    @property
    def errors(self) -> list[Diagnostic]:
        return [one for one in self.diagnostics if one.severity is Severity.ERROR]
