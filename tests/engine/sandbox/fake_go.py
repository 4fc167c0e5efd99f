"""A `go` for tests: strict about its arguments, quick, and broken in the way that a test asks for.

FAKE_GO is a JSON object: ``version``, ``toolchain``, ``fails`` (verb to message), ``waits`` (verb at which it hangs),
``calls`` (a file that gets a line per call).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

NO_DWARF = "-gcflags=all=-dwarf=false"  # what the linker would throw away is not made
PACKAGES = ["internal/abi", "example.org/one", "example.org/two"]


def main(arguments: list[str]) -> None:
    said = json.loads(os.environ["FAKE_GO"])
    verb, *rest = arguments
    if "calls" in said:
        with Path(said["calls"]).open("a") as calls:
            calls.write(f"{Path.cwd().name} {' '.join(arguments)}\n")
    if os.environ.get("CGO_ENABLED") != "0":
        sys.exit("fake go: CGO_ENABLED is not 0")
    if arguments[0] in ("list", "build") and not (os.environ.get("GOGC") and os.environ.get("GOMEMLIMIT")):
        sys.exit("fake go: its compilers would collect garbage as often as in a server")
    if verb == "env":
        print({"GOVERSION": said.get("version", "go1.26.8"), "GOTOOLCHAIN": said.get("toolchain", "auto")}[rest[0]])
        return
    if verb in said.get("fails", {}):
        sys.exit(said["fails"][verb])
    if verb == said.get("waits"):
        print("internal/abi", file=sys.stderr, flush=True)
        time.sleep(60)
    {"list": listed, "build": built}[verb](rest)


def listed(arguments: list[str]) -> None:
    deps, trimpath, compiler, linker, template_flag, template, *packages = arguments
    expected = ("-deps", "-trimpath", NO_DWARF, True, "-f", "{{if .Stale}}stale{{end}}")
    seen = (deps, trimpath, compiler, linker.startswith("-ldflags="), template_flag, template)
    if seen != expected or not packages:
        sys.exit(f"fake go: unexpected {arguments}")
    print("go: downloading example.org/one v1.0.0", file=sys.stderr, flush=True)
    print("\n".join(["stale"] * len(PACKAGES) + [""]))


def built(arguments: list[str]) -> None:
    verbose, trimpath, compiler, linker, output_flag, output, *packages = arguments
    seen = (verbose, trimpath, compiler, linker.startswith("-ldflags="), output_flag)
    if seen != ("-v", "-trimpath", NO_DWARF, True, "-o"):
        sys.exit(f"fake go: unexpected {arguments}")
    print("\n".join(PACKAGES), file=sys.stderr, flush=True)
    target = Path(output)
    for package in packages:
        program = target / package.rpartition("/")[2] if target.is_dir() else target
        program.write_text(linker)


main(sys.argv[1:])
