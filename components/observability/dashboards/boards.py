"""Which dashboards there are: one for each area, and one for each model whose metrics are somewhere.

The signals' queries are about everything at once. On a dashboard each is narrowed to what whoever looks has chosen, by
the labels that its metrics have: so a variable is offered exactly where it changes something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from components.observability import series
from components.observability.dashboards.areas import AREAS
from components.observability.dashboards.board import Board, Folder, Link, Section, Variable, stable_uid, url_of
from components.observability.dashboards.promises import promises
from components.observability.labels import LabelsOf, metrics, narrowed
from components.observability.models import ServedModel, Watched
from components.observability.signals import signals as signals_of
from components.observability.values import Panel, Signal

# What a model's dashboard is narrowed to, beside the model itself.
_OF_A_MODEL: Final = (Variable("version", "Version"), Variable("feature", "Feature"))
# Signals of this area are of servers of language models alone.
LLM: Final = "llm"
LLM_SERVERS: Final = frozenset({"vllm"})


def declared_boards(watched: Watched) -> list[Board]:
    """Every dashboard of an environment, with all signals that there are."""
    return boards(watched, signals_of(watched), series.labels_of(watched))


def boards(watched: Watched, signals: Sequence[Signal], labels_of: LabelsOf) -> list[Board]:
    """Every dashboard of an environment: those of areas in the order of ``AREAS``, then the models' by name."""
    by_area = {key: [signal for signal in signals if signal.area == key] for key in AREAS}
    areas = [_of_area(key, found, watched, labels_of) for key, found in by_area.items() if found]
    about_models = [signal for key, found in by_area.items() if AREAS[key].about_models for signal in found]
    models = [model for _, model in sorted(watched.models.items()) if model.telemetry is not None]
    return [*areas, *_of_models(models, about_models, watched, labels_of)]


def uid_of_area(key: str) -> str:
    return stable_uid("area", key)


def uid_of_model(name: str) -> str:
    return stable_uid("model", name)


def team_folder(team: str) -> Folder:
    """Where the dashboards of a team's models lie."""
    return Folder(stable_uid("team", team), f"Team {team}")


def _of_area(key: str, signals: Sequence[Signal], watched: Watched, labels_of: LabelsOf) -> Board:
    area = AREAS[key]
    sections, variables = _narrowed(_sections(signals, watched), area.variables, labels_of)
    chosen = [f'{each.label}=~"${each.label}"' for each in variables if each.label == "team"]
    names = [alert.name for signal in signals for alert in signal.alerts]
    fires = [f'alertname=~"{"|".join(names) or "none"}"', *chosen]
    return Board(
        uid=uid_of_area(key),
        title=area.title,
        description=area.description,
        folder=area.folder,
        sections=sections,
        variables=variables,
        links=_runbook(watched, key),
        tags=[key],
        fires=",".join(fires),
    )


def _of_models(
    models: Sequence[ServedModel], signals: Sequence[Signal], watched: Watched, labels_of: LabelsOf
) -> Iterable[Board]:
    """All models have the same panels, narrowed to the constant ``$model``: they are made once."""
    made: dict[bool, tuple[Sequence[Section], Sequence[Variable]]] = {}
    for model in models:
        assert model.telemetry is not None
        llm = model.telemetry.server in LLM_SERVERS
        if llm not in made:
            wanted = [signal for signal in signals if llm or signal.area != LLM]
            constant = Variable("model", "Model", value="")
            made[llm] = _narrowed(_sections(wanted, watched), (constant, *_OF_A_MODEL), labels_of)
        sections, variables = made[llm]
        own = promises(model)
        yield Board(
            uid=uid_of_model(model.name),
            title=model.name,
            description=f"The model {model.name} of team {model.team}: what it promises, and what it does.",
            folder=team_folder(model.team),
            sections=[own, *sections] if own else sections,
            variables=[replace(each, value=model.name) if each.label == "model" else each for each in variables],
            links=[Link(AREAS[key].title, url_of(uid_of_area(key))) for key in _areas_of(signals, llm=llm)],
            tags=["model", model.team],
            fires='model="$model"',
        )


def _areas_of(signals: Iterable[Signal], *, llm: bool) -> list[str]:
    found = dict.fromkeys(signal.area for signal in signals)
    return [key for key in found if llm or key != LLM]


def _sections(signals: Iterable[Signal], watched: Watched) -> list[Section]:
    return [Section(signal.title, signal.panels, _runbooks(watched, signal)) for signal in signals]


def _runbook(watched: Watched, area: str) -> list[Link]:
    return [Link("Runbook", f"{watched.runbooks}{area}.md")] if _is_address(watched.runbooks) else []


def _runbooks(watched: Watched, signal: Signal) -> list[Link]:
    """What to do about each of the signal's alerts, where that can be read."""
    if not _is_address(watched.runbooks):
        return []
    page = f"{watched.runbooks}{signal.area}.md"
    return [Link(f"Runbook: {alert.name}", f"{page}#{alert.name.lower()}") for alert in signal.alerts]


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _narrowed(
    sections: Sequence[Section], offered: Sequence[Variable], labels_of: LabelsOf
) -> tuple[list[Section], list[Variable]]:
    """``sections`` narrowed to what is chosen of ``offered``, and those of it that any query has as a label."""
    sources = _sources(sections, offered, labels_of)
    chosen = [each for each in offered if each.label in sources]
    matchers = {each.label: _matcher(each) for each in chosen}
    known = {each.label for each in chosen}
    variables = [_placed_within(each, sources[each.label], known, matchers, labels_of) for each in chosen]
    return [
        replace(section, panels=[_narrowed_panel(panel, matchers, labels_of) for panel in section.panels])
        for section in sections
    ], variables


def _matcher(variable: Variable) -> str:
    return f'=~"${variable.label}"' if variable.value is None else f'="${variable.label}"'


def _sources(sections: Iterable[Section], offered: Sequence[Variable], labels_of: LabelsOf) -> dict[str, str]:
    """A metric that has the label, for each of ``offered`` that any query has."""
    found: dict[str, str] = {}
    wanted = {each.label for each in offered}
    for section in sections:
        for panel in section.panels:
            for query in panel.queries:
                for metric in metrics(query.expr, labels_of):
                    for label in wanted.intersection(labels_of(metric) or ()):
                        found.setdefault(label, metric)
    return found


def _placed_within(
    variable: Variable, metric: str, known: set[str], matchers: Mapping[str, str], labels_of: LabelsOf
) -> Variable:
    """``variable`` with the metric whose label has its values, narrowed by the variables before it."""
    if variable.value is not None:
        return variable
    metric = variable.metric or metric
    before = [label for label in known if label != variable.label and label in _BEFORE.get(variable.label, ())]
    having = labels_of(metric) or ()
    within = ",".join(f"{label}{matchers[label]}" for label in sorted(before) if label in having)
    return replace(variable, metric=metric, within=within)


# By what the values of a variable are narrowed; nothing narrows what comes before it.
_BEFORE: Final[Mapping[str, Sequence[str]]] = {
    "model": ("team",),
    "namespace": ("team",),
    "version": ("model",),
    "feature": ("model", "version"),
}


def _narrowed_panel(panel: Panel, matchers: Mapping[str, str], labels_of: LabelsOf) -> Panel:
    queries = [replace(query, expr=narrowed(query.expr, matchers, labels_of)) for query in panel.queries]
    return replace(panel, queries=queries)
