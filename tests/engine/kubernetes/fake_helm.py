"""A ``helm`` for tests: strict about its arguments, releases kept in a file, repositories as the test says.

Run by the script that ``install`` writes. Options are those of Helm 3.19; one that the command does not have ends the
run as it would there. ``FAKE_HELM`` names the folder in which it keeps ``state.json``:

    repositories   {URL or name: {chart: [versions]}}; what is not among them has no address
    credentials    {URL: [user, password]}, asked for by a repository
    broken, slow   charts whose pods never become ready; whose installation takes a minute
    releases       what is installed
    calls          what was run: arguments, standard input, values, and the modes of the files that were read
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

COMMON = {"--namespace"}
INSTALL = {
    "--values", "--labels", "--atomic", "--dependency-update", "--disable-openapi-validation",
    "--render-subchart-notes",
    "--skip-crds", "--take-ownership", "--create-namespace", "--no-hooks", "--replace", "--wait", "--wait-for-jobs",
    "--description", "--post-renderer", "--timeout",
}  # fmt: skip
UPGRADE = (INSTALL - {"--create-namespace", "--replace"}) | {
    "--cleanup-on-fail", "--force", "--recreate-pods", "--reset-values", "--reuse-values", "--history-max",
}  # fmt: skip
OPTIONS = {
    "pull": {"--destination", "--repo", "--version", "--devel", "--verify", "--keyring", "--ca-file", "--cert-file",
             "--key-file", "--plain-http"},
    "template": COMMON | {"--values", "--kube-version", "--no-hooks", "--include-crds", "--dependency-update",
                          "--post-renderer", "--post-renderer-args"},
    "install": COMMON | INSTALL,
    "upgrade": COMMON | UPGRADE,
    "uninstall": COMMON | {"--wait", "--timeout"},
    "list": COMMON | {"--all", "--filter", "--output", "--selector"},
    "get": COMMON | {"--output"},
    "repo": {"--username", "--password-stdin", "--ca-file", "--cert-file", "--key-file"},
    "registry": {"--username", "--password-stdin"},
}  # fmt: skip
WITH_VALUE = {
    "--namespace", "--values", "--labels", "--description", "--post-renderer", "--timeout", "--history-max",
    "--destination", "--repo", "--version", "--keyring", "--ca-file", "--cert-file", "--key-file", "--filter",
    "--output", "--selector", "--username", "--kube-version", "--post-renderer-args",
}  # fmt: skip


def fail(message: str) -> NoReturn:
    print(f"Error: {message}", file=sys.stderr)
    sys.exit(1)


def parse(arguments: list[str]) -> tuple[str, list[str], dict[str, str]]:
    command, words, options = arguments[0], [], {}
    rest = iter(arguments[1:])
    for word in rest:
        if not word.startswith("--"):
            words.append(word)
        elif word not in OPTIONS.get(command, set()):
            fail(f"unknown flag: {word}")
        else:
            options[word] = next(rest) if word in WITH_VALUE else "true"
    return command, words, options


class Fake:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "state.json"
        self.state: dict[str, Any] = json.loads(self.file.read_text())

    def run(self, arguments: list[str]) -> None:
        misleading = [name for name in os.environ if name.startswith("HELM_KUBE") or name == "HELM_NAMESPACE"]
        if misleading:
            fail(f"context of {misleading} does not exist")
        command, words, options = parse(arguments)
        call: dict[str, Any] = {"arguments": arguments, "stdin": sys.stdin.read(), "modes": {}}
        self.state["calls"].append(call)
        for name in (os.environ.get("KUBECONFIG", ""), options.get("--values", "")):
            if name:
                call["modes"][Path(name).name] = stat.S_IMODE(Path(name).stat().st_mode)
                call["modes"]["folder"] = stat.S_IMODE(Path(name).parent.stat().st_mode)
        try:
            getattr(self, command)(words, options, call)
        finally:
            self.file.write_text(json.dumps(self.state))

    def pull(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        [chart] = words
        place, _, name = chart.rpartition("/") if "--repo" not in options else (options["--repo"], "", chart)
        added = self.added().get(place, place)
        if self.state["repositories"].get(added) is None:
            host = re.sub(r"^\w+://|/.*", "", added)
            fail(f'looks like "{added}" is not a valid chart repository or cannot be reached: '
                 f'Get "{added}/index.yaml": dial tcp: lookup {host} on 10.0.0.2:53: no such host')  # fmt: skip
        versions: list[str] = self.state["repositories"][added].get(name, [])
        wanted = options.get("--version", versions[-1] if versions else "")
        if wanted not in versions:
            fail(f'chart "{name}" version "{wanted}" not found in {added} repository')
        (Path(options["--destination"]) / f"{name}-{wanted}.tgz").write_text(f"{name} {wanted}")

    def added(self) -> dict[str, str]:
        config = Path(os.environ.get("HELM_REPOSITORY_CONFIG", "/nowhere"))
        return json.loads(config.read_text()) if config.exists() else {}

    def repo(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        _, name, url = words
        if self.state["credentials"].get(url) != [options["--username"], call["stdin"].strip()]:
            fail(f'looks like "{url}" is not a valid chart repository or cannot be reached: 401 Unauthorized')
        Path(os.environ["HELM_REPOSITORY_CONFIG"]).write_text(json.dumps({name: url}))

    def registry(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        _, host = words
        if self.state["credentials"].get(host) != [options["--username"], call["stdin"].strip()]:
            fail("response status code 401: unauthorized")

    def install(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        name, chart = words
        key = f"{options['--namespace']}/{name}"
        if key in self.state["releases"]:
            fail("INSTALLATION FAILED: cannot re-use a name that is still in use")
        self.put(key, chart, options, call)

    def template(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        """A definition, and an object that has the values and one that stays when the others go."""
        name, _ = words
        values = json.loads(Path(options["--values"]).read_text())
        metadata = {"name": name, "labels": {"version": options["--kube-version"], "in": options["--namespace"]}}
        objects: list[dict[str, Any]] = [{"kind": "ConfigMap", "metadata": metadata, "data": values}]
        kept = {"name": f"{name}-kept", "annotations": {"helm.sh/resource-policy": "keep"}}
        objects.append({"kind": "ConfigMap", "metadata": kept})
        if "--include-crds" in options:
            spec = {"group": "example.org", "scope": "Cluster", "names": {"kind": "Pool", "plural": "pools"}}
            definition = {"kind": "CustomResourceDefinition", "metadata": {"name": "pools.example.org"}, "spec": spec}
            objects.append({"apiVersion": "apiextensions.k8s.io/v1", **definition})
        for each in objects:
            print(f"---\n# Source: {name}/templates/a.yaml\n{json.dumps({'apiVersion': 'v1', **each})}")

    def upgrade(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        name, chart = words
        key = f"{options['--namespace']}/{name}"
        if key not in self.state["releases"]:
            fail(f'UPGRADE FAILED: "{name}" has no deployed releases')
        self.put(key, chart, options, call)

    def put(self, key: str, chart: str, options: dict[str, str], call: dict[str, Any]) -> None:
        old = self.state["releases"].get(key)
        name, version = (Path(chart).read_text() if Path(chart).is_file() else f"{Path(chart).name} 0.1.0").split()
        call["values"] = json.loads(Path(options["--values"]).read_text())
        broken = name in self.state["broken"]
        if broken and "--atomic" in options:
            fail("INSTALLATION FAILED: release failed, and has been uninstalled due to atomic being set: not ready")
        self.state["releases"][key] = {
            "name": key.split("/")[1], "namespace": key.split("/")[0], "chart": f"{name}-{version}",
            "app_version": version, "revision": str(int(old["revision"]) + 1 if old else 1),
            "status": "failed" if broken else "deployed", "updated": "now",
            "labels": options.get("--labels", old["labels"] if old else ""), "values": call["values"],
        }  # fmt: skip
        if name in self.state["slow"]:
            self.state["releases"][key]["status"] = "pending-install"
            self.file.write_text(json.dumps(self.state))
            time.sleep(60)
        if broken:
            fail("INSTALLATION FAILED: context deadline exceeded")

    def uninstall(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        if self.state["releases"].pop(f"{options['--namespace']}/{words[0]}", None) is None:
            fail(f"uninstall: Release not loaded: {words[0]}: release: not found")

    def list(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        told = {"name", "namespace", "chart", "app_version", "revision", "status", "updated"}
        found = [
            {key: value for key, value in release.items() if key in told}
            for release in self.state["releases"].values()
            if release["namespace"] == options["--namespace"]
            and re.search(options["--filter"], release["name"])
            and options.get("--selector", release["labels"]) == release["labels"]
        ]
        print(json.dumps(found))

    def get(self, words: list[str], options: dict[str, str], call: dict[str, Any]) -> None:
        what, name = words
        release = self.state["releases"].get(f"{options['--namespace']}/{name}") or fail("release: not found")
        if what == "values":
            print(json.dumps(release["values"] or None))
            return
        print(f"---\n# Source: web\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n---\n")
        print(f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: tools\n---\n# nothing\n")


if __name__ == "__main__":
    Fake(Path(os.environ["FAKE_HELM"])).run(sys.argv[1:])
