"""Writing findings to files: ``--report sarif=FILE``, as often as there are tools that read them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from cli.exits import CommandError, ExitCode, UsageError
from cli.findings.document import document
from cli.findings.github import workflow_commands
from cli.findings.gitlab import code_quality
from cli.findings.junit import junit
from cli.findings.report import FindingsReport
from cli.findings.sarif import sarif
from cli.whole_files import put

STANDARD_OUTPUT: Final = "-"


@dataclass(frozen=True)
class ReportFile:
    """One report that is asked for: its form, and the file that it goes to (``-`` is standard output)."""

    form: str
    target: str

    def write(self, report: FindingsReport) -> None:
        """Write it, whole or not at all. Raises CommandError."""
        text = FORMS[self.form](report)
        if self.target == STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        try:
            put({Path(self.target): text})
        except OSError as error:
            raise CommandError(f"--report {self.form}={self.target}: {error.strerror}", ExitCode.FAILED) from error


def asked(given: Sequence[str], rules_url: str = "") -> list[ReportFile]:
    """What ``--report`` was given, for links to ``--rules-url``. Raises UsageError."""
    if rules_url and not rules_url.startswith(("https://", "http://")):
        raise UsageError(
            f"--rules-url takes a URL such as https://github.com/acme/platform/blob/main, not '{rules_url}'"
        )
    return [_asked(one) for one in given]


def _asked(text: str) -> ReportFile:
    form, separator, target = text.partition("=")
    if form not in FORMS:
        raise UsageError(f"--report {text}: {form!r} is no form of report; expected one of {', '.join(FORMS)}")
    if not target:
        if separator or form not in _BY_NATURE_PRINTED:
            raise UsageError(f"--report {text}: say where to, as in --report {form}=FILE (- is standard output)")
        target = STANDARD_OUTPUT
    return ReportFile(form, target)


def our_version() -> str:
    """This tool's version, for the reports that name it."""
    try:
        return version("bedplate")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


_BY_NATURE_PRINTED: Final = frozenset({"github"})
FORMS: Final[Mapping[str, Callable[[FindingsReport], str]]] = {
    "sarif": lambda report: _json(sarif(report, our_version())),
    "junit": junit,
    "github": lambda report: "".join(f"{line}\n" for line in workflow_commands(report)),
    "gitlab": lambda report: _json(code_quality(report)),
    "json": lambda report: _json(document(report)),
}
