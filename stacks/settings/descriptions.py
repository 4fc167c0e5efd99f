"""What each setting means, read from the text below it in the source when somebody asks.

Pydantic can do this while it makes the classes, but then each command pays for texts that only the schema and a few
errors show: a tenth of the time that a program takes to start.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Mapping

from stacks.settings.base import Section


@functools.cache
def descriptions(model: type[Section]) -> Mapping[str, str]:
    """The text of each field of ``model``, its own and inherited ones; fields without a text are left out."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, Section) and each is not Section:
            found |= _texts(each)
    return found


def _texts(model: type[Section]) -> Mapping[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    body = tree.body[0]
    assert isinstance(body, ast.ClassDef), "a model is written as a class"
    texts: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            texts[field.target.id] = inspect.cleandoc(text.value.value)
    return texts
