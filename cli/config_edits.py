"""Setting and removing values of an environment's configuration, as `pulumi config set` and `rm` do."""

from __future__ import annotations

import difflib
import getpass
import os
import re
import sys
from dataclasses import dataclass
from typing import Final

from cli.asking import typed
from cli.environments import meant
from cli.exits import ExitCode, UsageError
from cli.requests.configuration import Configuring, Setting
from cli.requests.manner import Output
from cli.screen import VERSION, Screen
from cli.state_edits import positional
from cli.views.lines import Line
from engine import paths
from engine.config_file import ConfigFile
from engine.project import Project
from engine.state.secrets import Keyring, passphrase_from

_WHOLE: Final = re.compile(r"-?(0|[1-9]\d{0,17})")


@dataclass(frozen=True)
class Edit:
    """One value of one stack's file."""

    stack: str
    file: ConfigFile
    key: str
    path: paths.Path

    @property
    def name(self) -> str:
        rest = paths.join(self.path)
        return f"{self.key}{'' if not rest or rest.startswith('[') else '.'}{rest}"

    def tell(self, request: Configuring, done: str, **facts: object) -> int:
        screen = Screen(request)
        if request.output is Output.JSON:
            about = {"version": VERSION, "stack": self.stack, "file": str(self.file.path), "key": self.name}
            screen.document({**about, **facts})
        else:
            screen.show([Line().add(f"{self.name} {done} {self.file.path}")])
        return ExitCode.OK


def set_value(request: Setting) -> int:
    """Set it. Raises UsageError, ProjectError, WrongPassphrase; then nothing is written."""
    if request.secret and request.plaintext:
        raise UsageError("--secret and --plaintext were both given; give one of them")
    stack, words = positional(request, (request.key, request.value))
    if not 1 <= len(words) <= 2:
        raise UsageError("say what is to be set, as in `bedplate config set dev aws:region us-east-1`")
    edit = _edit(request, stack, words[0])
    # What was encrypted stays so: nobody puts a password in clear by changing it.
    secret = request.secret or (not request.plaintext and edit.file.is_secret(edit.key, edit.path))
    text = words[1] if len(words) == 2 else _asked(request, edit.name, hidden=secret)
    if secret:
        keyring = Keyring(edit.stack, passphrase_from(os.environ), edit.file.salt)
        edit.file.set(edit.key, edit.path, edit.file.sealed(text, keyring))
    else:
        edit.file.set(edit.key, edit.path, _typed(text) if request.path else text)
    edit.file.save()
    return edit.tell(request, "is set, encrypted, in" if secret else "is set in", secret=secret)


def remove_value(request: Configuring) -> int:
    """Take it away. Raises UsageError where it is not there, ProjectError."""
    stack, words = positional(request, (request.key,))
    if len(words) != 1:
        raise UsageError("say what is to be removed, as in `bedplate config rm dev aws:region`")
    edit = _edit(request, stack, words[0])
    if not edit.file.remove(edit.key, edit.path):
        close = difflib.get_close_matches(edit.key, edit.file.keys, 1)
        hint = f"; did you mean {close[0]}?" if close and close[0] != edit.key else ""
        raise UsageError(f"{edit.file.path} has no {edit.name}{hint}")
    edit.file.save()
    return edit.tell(request, "is removed from")


def _edit(request: Configuring, stack: str | None, text: str) -> Edit:
    project = Project.load(request.cwd, any_runtime=True)
    stack = stack or meant(request.environment, request.stack, project.environments())
    project.require(stack)
    space, colon, rest = text.partition(":")
    if not colon or re.search(r"[.\[]", space):
        space, rest = project.name, text
    try:
        steps = paths.parse(rest) if request.path else (rest,)
    except ValueError as error:
        raise UsageError(f"KEY: {error}") from error
    if not steps or not isinstance(steps[0], str) or not steps[0] or "*" in steps:
        raise UsageError(f"'{text}' is no key: expected NAME or NAMESPACE:NAME, such as aws:region")
    file = ConfigFile(project.stack_file(stack))
    key = f"{space}:{steps[0]}"
    bare = space == project.name and steps[0] in file.keys
    return Edit(stack, file, steps[0] if bare else key, steps[1:])


def _asked(request: Setting, name: str, *, hidden: bool) -> str:
    """The value that was not given: typed by somebody, or all of standard input but for its last line break."""
    if not sys.stdin.isatty():
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    try:
        if hidden:
            return getpass.getpass(f"value of {name} (not shown): ")
        return typed(Screen(request), f"value of {name}: ")
    except EOFError:
        raise UsageError(f"no value was given for {name}") from None


def _typed(text: str) -> object:
    """A value within a group, as `pulumi config set --path` understands it: truth values and whole numbers."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _WHOLE.fullmatch(text) else text
