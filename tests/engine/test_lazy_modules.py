"""Modules that a program imports but does not use are not loaded; those that it does use are whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import engine.host

_BEGIN = f"""\
import sys
sys.path.insert(0, {str(Path(engine.host.__file__).parent)!r})
import lazy_modules
lazy_modules.install()
"""


def _printed(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", _BEGIN + program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_nobody_uses_is_not_loaded() -> None:
    program = (
        "import pulumi, pulumi_kubernetes.yaml\n"
        "print('urllib3' in sys.modules, 'pulumi.automation._stack' in sys.modules)"
    )
    assert _printed(program) == "False False"


def test_the_platforms_program_uses_neither() -> None:
    program = (
        "import stacks.choices, components.platform\n"
        "print('urllib3' in sys.modules, 'pulumi.automation._stack' in sys.modules)"
    )
    assert _printed(program) == "False False"


def test_what_is_used_is_whole() -> None:
    program = (
        "import pulumi, requests\n"
        "from requests.adapters import HTTPAdapter\n"
        "print(requests.Session().get_adapter('http://x').__class__ is HTTPAdapter, pulumi.automation.Stack.__name__)"
    )
    assert _printed(program) == "True Stack"


def test_a_module_that_is_not_installed_is_an_import_error() -> None:
    program = (
        "sys.path[:] = [entry for entry in sys.path if 'site-packages' not in entry]\n"
        "try:\n    import requests\nexcept ImportError as error:\n    print(error)"
    )
    assert _printed(program) == "No module named 'requests'"
