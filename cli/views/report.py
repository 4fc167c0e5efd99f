"""Reports in text: what a preview found, what an apply came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from cli.transcript import Transcript
from cli.views import diff, drift, markers, policy, tree
from cli.views.lines import Line, Style, wrapped
from cli.views.values import block, brief, masked, shortened
from engine import urn as urns
from engine.events import Diagnostic, Severity
from engine.plan import Plan
from engine.run import Outcome, Result
from engine.values import Properties
from engine.values import reveal as revealed

Detail: TypeAlias = Literal["none", "brief", "full"]

_SEVERITIES: Final[Mapping[Severity, Style]] = {
    Severity.ERROR: Style.ERROR,
    Severity.WARNING: Style.YELLOW,
    Severity.INFO: Style.PLAIN,
    Severity.DEBUG: Style.DIM,
}
_ENDS: Final[Mapping[Result, str]] = {
    Result.RESOURCE_FAILED: "failed: not every resource could be dealt with",
    Result.PROGRAM_FAILED: "failed: the program did not end well",
    Result.PLAN_VIOLATED: "stopped: what was to be done is not what was planned",
    Result.CANCELLED: "cancelled",
    Result.STATE_FAILED: "stopped: the state could not be written",
    Result.TIMED_OUT: "timed out",
    Result.BROKEN: "broken: a bug of ours",
    Result.REFUSED: "refused by policy",
    Result.UNJUDGED: "refused: a policy pack failed, and nothing passes unjudged",
}


@dataclass(frozen=True)
class Heading:
    """What a report is about: ``preview prod``, and how (the engine, where the state is)."""

    verb: str
    stack: str
    how: str = ""


def preview(heading: Heading, outcome: Outcome, transcript: Transcript, *, width: int, detail: Detail) -> list[Line]:
    """The report of a preview, or of what was found before an apply."""
    plan = outcome.plan
    lines = [*_head(heading, width), *drift.lines(plan, heading.stack, width=width)]
    lines += [*tree.render(plan, heading.stack, width=width), Line()]
    if detail != "none":
        lines += diff.render(plan, full=detail == "full")
    lines += _outputs(plan, detail)
    lines += _notes(plan, width, refused=outcome.result is Result.UNSUPPORTED)
    lines += _unfinished(transcript, width)
    lines += diagnostics(transcript.diagnostics)
    if plan.policy is not None:
        lines += policy.remediations(plan.policy.remediated)
        lines += policy.findings(plan.policy, width=width, full=detail != "none")
    lines += _end(markers.counts_lines(markers.counts(plan.steps), width - 10), outcome, width)
    return lines


def result(outcome: Outcome, transcript: Transcript, outputs: Properties, *, width: int) -> list[Line]:
    """The report of an apply: what failed and why, the outputs, what was done."""
    lines = _unfinished(transcript, width)
    lines += diagnostics(transcript.untold)
    if outcome.plan.policy is not None and outcome.result is Result.REFUSED:
        lines += policy.findings(outcome.plan.policy, width=width, full=False)
    if outputs and outcome.result is Result.SUCCEEDED:
        lines += [Line().add("  outputs", Style.STRONG), *table(outputs, width=width, full=False), Line()]
    lines += _end(markers.counts_lines(transcript.done, width - 10, past=True), outcome, width)
    return lines


def details(plan: Plan) -> list[Line]:
    """The property diffs of a plan, for whoever asks before agreeing."""
    return diff.render(plan)


def _head(heading: Heading, width: int) -> list[Line]:
    title = f"bedplate {heading.verb} {heading.stack}"
    line = Line().add(title, Style.STRONG)
    gap = width - line.width - len(heading.how)
    return [line.add(" " * max(gap, 3)).add(heading.how, Style.DIM).cut(width), Line()]


def _unfinished(transcript: Transcript, width: int) -> list[Line]:
    """Where an apply has failed: the resources that failed, and those that were left alone because of them."""
    lines: list[Line] = []
    for failure in transcript.failed:
        look = markers.LOOKS[failure.step.op]
        text = f"{look.doing} {urns.name_of(failure.step.urn)} failed"
        line = Line().add("  ").add(text, Style.ERROR)
        lines.append(line.add(f"  {markers.short_type(failure.step.type)}, {duration(failure.seconds)}", Style.DIM))
    for skipped in transcript.skipped:
        because = urns.name_of(skipped.because)
        why = f"{because} still needs" if skipped.still_needed else f"needs {because}"
        text = f"  left alone: {urns.name_of(skipped.urn)}, which {why}"
        lines.append(Line().add(text, Style.DIM).cut(width))
    return [*lines, Line()] if lines else []


def _outputs(plan: Plan, detail: Detail) -> list[Line]:
    changed = diff.outputs(plan.outputs_before, plan.outputs_after, full=detail == "full")
    return [Line().add("  outputs", Style.STRONG), *changed, Line()] if changed else []


def _notes(plan: Plan, width: int, *, refused: bool) -> list[Line]:
    notes = list(plan.notes)
    if plan.unknown_types and not refused:  # else an error says so
        listed = ", ".join(plan.unknown_types)
        notes.append(f"no provider here knows {listed}: shown as given, and `up` would refuse")
    if plan.state_only_changes:
        notes.append("the state alone changes: options or dependencies of unchanged resources")
    lines = [line for note in notes for line in wrapped(note, "  ", width, Style.DIM)]
    return [*lines, Line()] if lines else []


def diagnostics(found: Iterable[Diagnostic]) -> list[Line]:
    """Messages grouped by resource, those of the stack first."""
    groups: dict[str, list[Diagnostic]] = {}
    for one in found:
        groups.setdefault(one.urn, []).append(one)
    lines: list[Line] = []
    for urn in sorted(groups, key=lambda urn: urn != ""):
        title = f"{urns.name_of(urn)}  " if urn else "stack"
        head = Line().add("  ").add(title, Style.STRONG)
        lines.append(head.add(markers.short_type(urns.type_of(urn)) if urn else "", Style.DIM))
        lines += [one for diagnostic in groups[urn] for one in message(diagnostic)]
        lines.append(Line())
    return lines


def message(diagnostic: Diagnostic, indent: str = "      ") -> Sequence[Line]:
    """A diagnostic as lines, the severity before the first."""
    style = _SEVERITIES[diagnostic.severity]
    texts = diagnostic.message.rstrip().splitlines() or [""]
    first = Line().add(indent).add(f"{diagnostic.severity}: ", style).add(texts[0])
    return [first, *(Line().add(f"{indent}  {text}") for text in texts[1:])]


def _end(tally: list[Line], outcome: Outcome, width: int) -> list[Line]:
    took = duration(outcome.seconds)
    lines = [*tally[:-1], tally[-1].add(" " * max(width - tally[-1].width - len(took), 3)).add(took, Style.DIM)]
    if outcome.result is not Result.SUCCEEDED:
        end = _ENDS.get(outcome.result, f"failed: {outcome.result}")
        lines.append(Line().add(f"  {end}", Style.ERROR))
    return lines


def duration(seconds: float) -> str:
    """``0.3 s``, ``42 s``, ``3 min 5 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def table(outputs: Properties, *, width: int, reveal: bool = False, full: bool = True) -> list[Line]:
    """Outputs by name; collections below their names. Without ``full`` long texts are cut: a kubeconfig, say."""
    column = min(max((len(name) for name in outputs), default=0), width // 2) + 4
    lines: list[Line] = []
    for name, value in sorted(outputs.items()):
        value = revealed(value) if reveal else masked(value)
        line = Line().add("    ").add(name, Style.CYAN).pad(column + 2)
        below = block(value, full=full) if isinstance(value, dict | list) and value else []
        if isinstance(value, str) and not full:
            value = shortened(value)
        if isinstance(value, str) and "\n" in value:
            below = value.splitlines()
        if below:
            lines += [line, *(Line().add(f"      {one}") for one in below)]
        else:
            lines.append(line.add(value if isinstance(value, str) else brief(value, 10_000)))
    return lines


def nothing_to_do(plan: Plan) -> bool:
    """Whether a preview shows no change: what is only read again is none, a new value of an output is."""
    return not plan.has_changes and plan.outputs_before == plan.outputs_after
