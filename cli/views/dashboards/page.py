"""One page with every dashboard of an environment: no network, no scripts, light or dark as whoever looks has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files

from cli.views.dashboards.plots import body
from stacks.dashboards import Board, Link, PicturedBoard, PicturedPanel, PicturedSection, Query, Trouble, Variable

_INVENTED = "Drawn from invented data"
_MEANT = (
    "Nothing here was measured. Queries, units and thresholds are those that Grafana gets; the lines only show what "
    "they would look like."
)
_MODEL = "model"


def page(boards: Sequence[PicturedBoard], environment: str) -> str:
    """The document."""
    title = f"Dashboards of {environment}"
    style = files("cli.views.dashboards").joinpath("page.css").read_text(encoding="utf-8")
    panels = sum(len(section.panels) for each in boards for section in each.sections)
    models = sum(each.board.tags[:1] == [_MODEL] for each in boards)
    kinds = [f"{len(boards)} dashboard{'s' if len(boards) != 1 else ''}", f"{panels} panels"]
    counts = ", ".join([kinds[0], f"{models} of them of one model each", kinds[1]] if models else kinds)
    known = {each.board.uid: each.board.title for each in boards}
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>",
        f'<header class="top"><div><h1>{escape(title)}</h1><p>{escape(counts)}</p></div>',
        f'<p class="invented"><strong>{_INVENTED}.</strong> {_MEANT}</p></header>',
        f'<div class="frame">{_contents([each.board for each in boards])}<main>',
        *(_board(each, known) for each in boards),
        "</main></div>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _contents(boards: Iterable[Board]) -> str:
    by_folder: dict[str, list[Board]] = {}
    for board in boards:
        by_folder.setdefault(board.folder.title, []).append(board)
    lists = (
        f"<h2>{escape(folder)}</h2><ul>"
        + "".join(f'<li><a href="#{escape(board.uid)}">{escape(board.title)}</a></li>' for board in found)
        + "</ul>"
        for folder, found in by_folder.items()
    )
    return f'<nav aria-label="Dashboards">{"".join(lists)}</nav>'


# A dashboard


def _board(pictured: PicturedBoard, known: Mapping[str, str]) -> str:
    board = pictured.board
    chips = "".join(f"<li>{_variable(each)}</li>" for each in board.variables)
    links = "".join(f"<li>{_link(each, known)}</li>" for each in board.links)
    fires = '<li class="fires">an alert fires</li>' if pictured.trouble else ""
    head = (
        f'<header><p class="folder">{escape(board.folder.title)}</p><h2>{escape(board.title)}</h2>'
        f'<p>{escape(board.description)}</p><ul class="chips">{chips}{fires}{links}'
        f'<li class="mark">{_INVENTED.lower()}</li></ul></header>'
    )
    sections = "".join(_section(each, pictured.trouble) for each in pictured.sections)
    return f'<section class="board" id="{escape(board.uid)}">{head}{sections}</section>'


def _variable(variable: Variable) -> str:
    value = "All" if variable.value is None else variable.value
    return f"<span>{escape(variable.title)}</span> {escape(value)}"


def _link(link: Link, known: Mapping[str, str]) -> str:
    """Within the page where it leads to one of its dashboards."""
    inside = re.fullmatch(r"/d/([\w-]+)", link.url)
    url = f"#{inside[1]}" if inside and inside[1] in known else link.url
    return f'<a href="{escape(url)}">{escape(link.title)}</a>'


def _section(pictured: PicturedSection, trouble: Trouble | None) -> str:
    links = "".join(f" {_link(each, {})}" for each in pictured.section.links)
    about = f'<p class="pages">{links}</p>' if links else ""
    panels = "".join(_panel(each, trouble) for each in pictured.panels)
    return f'<h3>{escape(pictured.section.title)}</h3>{about}<div class="panels">{panels}</div>'


def _panel(pictured: PicturedPanel, trouble: Trouble | None) -> str:
    panel, place = pictured.panel, pictured.place
    size = "tiny" if place.width <= 4 else "small" if place.width <= 8 else "wide" if place.width > 12 else "half"
    queries = "".join(_query(each) for each in panel.queries)
    about = (
        f'<details><summary aria-label="About {escape(panel.title)}">?</summary>'
        f'<div class="about"><p>{escape(panel.description)}</p>{queries}<p class="unit">unit: {escape(panel.unit)}</p>'
        "</div></details>"
    )
    return (
        f'<article class="panel {size} {panel.kind}" style="--w:{place.width};--h:{place.height}">'
        f"<h4>{escape(panel.title)}</h4>{about}{body(pictured, trouble)}</article>"
    )


def _query(query: Query) -> str:
    return f"<pre>{escape(query.expr)}</pre>"
