"""A `docker` and a `kind` for tests: strict about their arguments, with what they made in a JSON file.

FAKE_DOCKER names that file. Its ``fails`` maps a command's first words to a message, ``server`` is what kind's API is.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ["FAKE_DOCKER"])
DIGEST = "@sha256:"


def main(program: str, arguments: list[str]) -> None:
    state = json.loads(STATE.read_text())
    words = f"{program} {' '.join(arguments)}"
    state["calls"].append(words)
    for beginning, message in state["fails"].items():
        if words.startswith(beginning):
            STATE.write_text(json.dumps(state))
            sys.exit(message)
    {"docker": docker, "kind": kind}[program](arguments, state)
    STATE.write_text(json.dumps(state))


def docker(arguments: list[str], state: dict[str, Any]) -> None:
    match arguments:
        case ["version", "--format", "{{.Server.Version}}"]:
            print("29.0.1")
        case ["network", "create", "--label", label, name]:
            state["networks"][name] = label
        case ["network", "ls", "--quiet", "--filter", wanted]:
            print("\n".join(name for name, label in state["networks"].items() if wanted == f"label={label}"))
        case ["network", "rm", *names]:
            for name in names:
                del state["networks"][name]
        case ["ps", *rest] if rest[-3:-1] == ["--quiet", "--filter"] and rest[:-3] in ([], ["--all"]):
            print("\n".join(name for name, labels in state["containers"].items() if rest[-1][6:] in labels))
        case ["rm", "--force", "--volumes", *names]:
            for name in names:
                del state["containers"][name]
        case ["run", "--detach", "--label", label, "--publish", published, "--env", "LOCALSTACK_AUTH_TOKEN", "--env",
              region, "--env", host, image]:  # fmt: skip
            port = published.split(":")[1]
            reached = host == f"LOCALSTACK_HOST=localhost.localstack.cloud:{port}"
            if not published.startswith("127.0.0.1:") or DIGEST not in image or "=" not in region or not reached:
                sys.exit(f"fake docker: unexpected {arguments}")
            if not state.get("ends"):
                state["containers"]["localstack"] = [label]
            print("0123abcd")
        case ["logs", "--tail", "20", "0123abcd"]:
            print(state["ends"])
        case _:
            sys.exit(f"fake docker: unexpected {arguments}")


def kind(arguments: list[str], state: dict[str, Any]) -> None:
    match arguments:
        case ["create", "cluster", "--name", name, "--config", "-", "--kubeconfig", path, "--wait", "120s"]:
            wanted = json.load(sys.stdin)
            network = os.environ["KIND_EXPERIMENTAL_DOCKER_NETWORK"]
            (node,) = wanted["nodes"]
            if network not in state["networks"] or DIGEST not in node["image"]:
                sys.exit(f"fake kind: unexpected {wanted} in {network}")
            if wanted["networking"]["apiServerAddress"] != "127.0.0.1":
                sys.exit("fake kind: the API must listen on loopback")
            state["containers"][f"{name}-control-plane"] = [f"io.x-k8s.kind.cluster={name}"]
            cluster = {"clusters": [{"cluster": {"server": state["server"]}}], "users": [{"user": {}}]}
            Path(path).write_text(json.dumps(cluster))
        case ["delete", "cluster", "--name", name]:
            state["containers"].pop(f"{name}-control-plane", None)
        case _:
            sys.exit(f"fake kind: unexpected {arguments}")


main(sys.argv[1], sys.argv[2:])
