"""Gets Debian's Prometheus and Alertmanager, with promtool and amtool, into a folder of ours; needs no root.

    python3 tools/debian.py [FOLDER]      by default .bedplate/tools/debian

Exits with 0 when they are there, on PATH or in the folder, and with 1 and one line that says why they can't be had.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / ".bedplate" / "tools" / "debian"

# The oldest that our configuration is written for (Debian 12); what is newer reads it too.
PACKAGES = {"prometheus": "2.42", "prometheus-alertmanager": "0.25"}
PROGRAMS = (("prometheus",), ("promtool",), ("alertmanager", "prometheus-alertmanager"), ("amtool",))

# Debian's Alertmanager opens its templates below /usr/share, where only root can put them. Relative, and as long as
# before, the path means the folder that Alertmanager is started in.
ABSOLUTE, RELATIVE = b"/usr/share/prometheus/alertmanager", b"usr/share/prometheus/alertmanager/"


class NotToBeHad(Exception):
    """The packages can't be fetched here; the message is for whoever ran this."""


def main(folder: Path = FOLDER) -> int:
    if all(any(_is_there(name, folder) for name in names) for names in PROGRAMS):
        return 0
    try:
        _fetch(folder)
    except NotToBeHad as problem:
        print(f"Prometheus and Alertmanager can't be had, so what needs them is left out: {problem}", file=sys.stderr)
        return 1
    return 0


def _is_there(program: str, folder: Path) -> bool:
    return shutil.which(program) is not None or (folder / "usr" / "bin" / program).exists()


def _fetch(folder: Path) -> None:
    """Download and unpack beside ``folder`` and move it there, so that it is there whole or not at all."""
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise NotToBeHad(f"there is no {' and no '.join(missing)} here; put prometheus and alertmanager on PATH")
    print(f"getting Debian's {' and '.join(PACKAGES)} into {folder}", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="debian-", dir=folder.parent) as name:
        scratch = Path(name)
        root = scratch / "root"
        for package in _downloaded(scratch):
            _check_version(package)
            _run(["dpkg-deb", "-x", str(package), str(root)], scratch)
        for program in (root / "usr" / "bin").iterdir():
            program.write_bytes(program.read_bytes().replace(ABSOLUTE, RELATIVE))
        shutil.rmtree(folder, ignore_errors=True)
        root.rename(folder)


def _downloaded(scratch: Path) -> list[Path]:
    """The packages' files. Lists that are absent or too old are got anew, into ``scratch``: others' belong to root."""
    state = scratch / "apt"
    (state / "lists" / "partial").mkdir(parents=True)
    options = ["-qq", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "-o", "Acquire::http::Timeout=30"]
    own = [
        "-o",
        "APT::Update::Error-Mode=any",
        "-o",
        f"Dir::State::Lists={state / 'lists'}",
        "-o",
        f"Dir::Cache={state}",
    ]
    try:
        _run(["apt-get", *options, "-o", f"Dir::Cache={state}", "download", *PACKAGES], scratch)
    except NotToBeHad:
        _run(["apt-get", *options, *own, "update"], scratch)
        _run(["apt-get", *options, *own, "download", *PACKAGES], scratch)
    return sorted(scratch.glob("*.deb"))


def _check_version(package: Path) -> None:
    name, version = (_run(["dpkg-deb", "-f", str(package), field], package.parent) for field in ("Package", "Version"))
    compare = ["dpkg", "--compare-versions", version, "ge", PACKAGES[name]]
    if subprocess.run(compare, check=False).returncode:  # noqa: S603  # a version that dpkg-deb wrote
        raise NotToBeHad(f"{name} is {version} in this machine's package lists; {PACKAGES[name]} or newer is needed")


def _run(command: Sequence[str], folder: Path) -> str:
    ended = subprocess.run(  # noqa: S603  # words of this file, and paths below the project
        command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if ended.returncode:
        raise NotToBeHad(f"{command[0]} says: {' '.join(ended.stderr.split())[-400:]}")
    return ended.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
