"""Kubernetes objects in files: YAML documents, each with the place where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

UNREADABLE = (yaml.YAMLError, ValueError, OSError, RecursionError)  # what ``documents`` raises: see ``unreadable``


@dataclass(frozen=True)
class Document:
    """One object, or what stands where an object is expected. An element of a List has the List's place."""

    path: Path
    number: int
    line: int
    content: Any

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line} (document {self.number})"


def documents(path: Path) -> Iterator[Document]:
    """All objects of a file; empty documents are left out, a List gives its elements."""
    return documents_in(path.read_text(encoding="utf-8"), path)


def documents_in(text: str, path: Path, loading: Callable[[str], Any] = yaml.SafeLoader) -> Iterator[Document]:
    """All objects of a text that is, or stands for, the file ``path``; ``loading`` is the loader's class."""
    loader = loading(text)
    try:
        number = 0
        while loader.check_node():
            node = loader.get_node()
            assert node is not None, "the loader has just said that there is one"
            number += 1
            line = node.start_mark.line + 1
            content = loader.construct_document(node)
            if isinstance(content, dict) and content.get("kind") == "List":
                yield from (Document(path, number, line, item) for item in content.get("items") or ())
            elif content is not None:
                yield Document(path, number, line, content)
    finally:
        loader.dispose()


def unreadable(path: Path | str, error: Exception) -> str:
    """What is wrong with a file that can't be read, with the line where that is known."""
    if isinstance(error, OSError):
        return f"{path}: {error.strerror}"
    if isinstance(error, UnicodeDecodeError):
        return f"{path}: not YAML: it is no text in UTF-8"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{path}:{error.problem_mark.line + 1}: not YAML: {error.problem}"
    return f"{path}: not YAML: {str(error).splitlines()[0]}"
