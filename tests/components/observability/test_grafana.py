"""Grafana as it is deployed: who comes in, where its files are, and what a change restarts."""

from __future__ import annotations

import configparser
import json
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
import yaml

from components.observability.dashboards.board import Board, Folder, Section
from components.observability.dashboards.files import LIMIT, DashboardTooLarge, in_folders
from components.observability.grafana import Grafana, GrafanaArgs, GrafanaChoices, SsoChoices
from components.observability.grafana_config import DASHBOARDS_FOLDER, GrafanaConfig, Login, ini, role_expression
from components.observability.secrets import ExistingSecret, ExternalSecret, GivenSecret
from components.observability.values import Panel, Query
from tests.components.kubernetes_objects import LABELS, case, monitored, named, of_kind
from tests.components.platform_recording import Run, is_secret, run_component

LOGIN = Login(
    name="Example", client_id="bedplate", auth_url="https://l.example/a", token_url="https://l.example/t",
    api_url="https://l.example/u", scopes=["openid", "groups"], groups_claim="groups",
    admins=["ops", "O'Neill"], editors=["research"], viewers=[],
)  # fmt: skip


def board(uid: str, folder: str = "models", text: str = "What.") -> Board:
    panel = Panel("Up", [Query("up")], "short", text)
    return Board(uid, uid, "D", Folder(folder, folder.title()), [Section("One", [panel])])


def deployed(choices: GrafanaChoices, boards: list[Board] | None = None, password: str | None = None) -> Run:
    def make() -> None:
        given = None if password is None else GivenSecret(pulumi.Output.secret(password))
        provider = kubernetes.Provider("kubernetes", kubeconfig="{}")
        args = GrafanaArgs(
            LABELS,
            "monitoring",
            boards or [board("a")],
            "a",
            "http://p:9090",
            "http://a:9093",
            replace(choices, admin=given or choices.admin),
        )
        Grafana("grafana", args, pulumi.ResourceOptions(providers=[provider]))

    return run_component(make)


def settings_of(run: Run) -> dict[str, str]:
    (found,) = (each["data"] for each in of_kind(run, "ConfigMap") if "grafana.ini" in each["data"])
    return found


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser


def template_of(run: Run) -> dict[str, Any]:
    return named(run, "Deployment", "grafana")["spec"]["template"]


def test_without_a_secret_there_is_nobody_with_a_password() -> None:
    config = read(ini(GrafanaConfig("http://localhost:3000", False, None, False, None)))
    assert config["security"]["disable_initial_admin_creation"] == "true"
    assert "admin_password" not in config["security"]
    assert config["auth"]["disable_login_form"] == "true"
    assert config["auth.basic"]["enabled"] == "false"
    assert config["auth.anonymous"]["enabled"] == "false"
    assert "auth.generic_oauth" not in config


def test_no_pod_signs_with_the_key_that_everybody_knows() -> None:
    (container,) = template_of(deployed(GrafanaChoices("http://localhost:3000")))["spec"]["containers"]
    variables = {each["name"]: each for each in container["env"]}
    assert variables["GF_SECURITY_SECRET_KEY"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.uid"}}


def test_who_looks_without_a_name_only_looks() -> None:
    config = read(ini(GrafanaConfig("http://localhost:3000", True, None, False, None)))
    assert dict(config["auth.anonymous"]) == {"enabled": "true", "org_role": "Viewer", "hide_version": "true"}


def test_a_login_gives_the_roles_of_groups_and_nothing_to_others() -> None:
    config = read(ini(GrafanaConfig("https://g.example", False, LOGIN, False, None)))
    oauth = config["auth.generic_oauth"]
    assert oauth["client_secret"] == "$__file{/etc/bedplate/secrets/sso-client-secret}"
    assert (oauth["use_pkce"], oauth["role_attribute_strict"]) == ("true", "true")
    assert (config["security"]["cookie_secure"], config["server"]["root_url"]) == ("true", "https://g.example")
    assert oauth["role_attribute_path"].strip('"') == (
        "contains(groups[*], 'ops') && 'Admin' || contains(groups[*], 'O\\'Neill') && 'Admin' || "
        "contains(groups[*], 'research') && 'Editor' || 'Viewer'"
    )


def test_with_groups_of_viewers_nobody_else_comes_in() -> None:
    only = replace(LOGIN, admins=[], editors=[], viewers=["staff"])
    assert role_expression(only) == "contains(groups[*], 'staff') && 'Viewer'"


def test_secrets_are_files_of_secrets_and_nowhere_else() -> None:
    choices = GrafanaChoices("https://g.example", sso=SsoChoices(LOGIN, ExternalSecret("aws", "grafana", "client")))
    run = deployed(choices, password="hunter2-hunter2")
    (secret,) = of_secrets(run)
    assert is_secret(secret["stringData"]) or is_secret(secret["stringData"]["value"])
    (external,) = of_kind(run, "ExternalSecret")
    assert external["spec"]["data"][0]["remoteRef"] == {"key": "grafana", "property": "client"}
    assert external["spec"]["target"]["name"] == external["metadata"]["name"]
    pod = template_of(run)["spec"]
    names = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    assert names["sso-client-secret"] == external["metadata"]["name"]
    assert "hunter2" not in json.dumps(settings_of(run)) + json.dumps(pod)
    mounted = {each["mountPath"] for each in pod["containers"][0]["volumeMounts"] if each.get("subPath")}
    assert mounted == {"/etc/bedplate/secrets/admin-password", "/etc/bedplate/secrets/sso-client-secret"}


def of_secrets(run: Run) -> list[dict[str, Any]]:
    return [dict(each.inputs) for each in run.resources if each.type == "kubernetes:core/v1:Secret"]


def test_a_secret_that_exists_is_not_made() -> None:
    run = deployed(GrafanaChoices("http://localhost:3000", admin=ExistingSecret("mine", "password")))
    assert of_secrets(run) == []
    volumes = template_of(run)["spec"]["volumes"]
    (volume,) = (each["secret"] for each in volumes if each["name"] == "admin-password")
    assert (volume["secretName"], volume["items"]) == ("mine", [{"key": "password", "path": "admin-password"}])
    assert read(settings_of(run)["grafana.ini"])["security"]["disable_initial_admin_creation"] == "false"


def test_a_changed_dashboard_restarts_nothing_and_a_changed_setting_does() -> None:
    choices = GrafanaChoices("http://localhost:3000", anonymous=True)
    before, after = (deployed(choices, [board("a", text=text), board("b")]) for text in ("Old.", "New."))
    assert template_of(before) == template_of(after)
    changed = [one for one, other in zip(dashboards(before), dashboards(after), strict=True) if one != other]
    assert len(changed) == 1
    # One more in a folder that exists is no change of the pod, either; another folder is.
    assert template_of(deployed(choices, [board("a"), board("b"), board("c")])) == template_of(before)
    assert template_of(deployed(choices, [board("a"), board("d", "team-x")])) != template_of(before)
    settings = [each for each in of_kind(before, "ConfigMap") if "grafana.ini" in each["data"]]
    assert "name" not in settings[0]["metadata"], "Pulumi names it, so that another content has another name"


def dashboards(run: Run) -> list[dict[str, Any]]:
    return [each for each in of_kind(run, "ConfigMap") if "grafana.ini" not in each["data"]]


def test_every_dashboard_is_where_its_provider_looks_and_the_home_is_one_of_them() -> None:
    run = deployed(GrafanaChoices("http://localhost:3000"), [board("a"), board("b", "team-x")])
    data = settings_of(run)
    providers = yaml.safe_load(data["dashboards.yaml"])["providers"]
    pod = template_of(run)["spec"]
    mounts = {each["mountPath"]: each["name"] for each in pod["containers"][0]["volumeMounts"]}
    volumes = {each["name"]: each for each in pod["volumes"]}
    maps = {each["metadata"]["name"]: set(each["data"]) for each in dashboards(run)}
    found: dict[str, set[str]] = {}
    for provider in providers:
        parts = volumes[mounts[provider["options"]["path"]]]["projected"]["sources"]
        found[provider["folder"]] = {file for part in parts for file in maps.get(part["configMap"]["name"], ())}
        assert all(part["configMap"]["optional"] for part in parts)
    assert found == {"Models": {"a.json"}, "Team-X": {"b.json"}}
    home = read(data["grafana.ini"])["dashboards"]["default_home_dashboard_path"]
    assert home == f"{DASHBOARDS_FOLDER}/models/a.json"
    sources = yaml.safe_load(data["sources.yaml"])["datasources"]
    assert [(each["uid"], each["url"]) for each in sources] == [
        ("prometheus", "http://p:9090"), ("alertmanager", "http://a:9093"),
    ]  # fmt: skip


def test_files_are_spread_over_as_many_parts_as_it_takes_and_stay_there() -> None:
    large = [board(f"model-{number}", text="x" * 100_000) for number in range(40)]
    (before,) = in_folders(large)
    assert len(before.parts) == 8
    assert max(sum(map(len, part.values())) for part in before.parts) <= LIMIT
    assert {name for part in before.parts for name in part} == {f"model-{number}.json" for number in range(40)}
    (after,) = in_folders(large[1:])
    assert sum(one != other for one, other in zip(before.parts, after.parts, strict=True)) == 1


def test_a_dashboard_that_no_config_map_takes_is_named() -> None:
    with pytest.raises(DashboardTooLarge, match=r"dashboard 'huge' has 9[0-9]+ bytes; a ConfigMap takes 921600"):
        in_folders([board("huge", text="x" * 950_000)])


def test_what_is_declared_is_what_the_settings_say() -> None:
    run = monitored(case("grafana_with_a_login"))
    config = read(settings_of(run)["grafana.ini"])
    assert config["auth.generic_oauth"]["name"] == "Example Inc."
    assert "contains(groups[*], 'O\\'Neill & sons') && 'Admin'" in config["auth.generic_oauth"]["role_attribute_path"]
    assert config["auth.anonymous"]["enabled"] == "false"
    policies = {each["metadata"]["name"] for each in of_kind(run, "NetworkPolicy")}
    assert {
        "allow-grafana-from-monitoring", "allow-grafana-from-ingress", "allow-grafana-to-prometheus",
        "allow-prometheus-from-grafana", "allow-grafana-to-login",
    } <= policies  # fmt: skip


@pytest.mark.parametrize(("name", "anybody"), [("smallest", "true"), ("grafana_with_a_login", "false")])
def test_only_where_nothing_is_kept_from_anybody_one_looks_without_a_name(name: str, anybody: str) -> None:
    config = read(settings_of(monitored(case(name)))["grafana.ini"])
    assert config["auth.anonymous"]["enabled"] == anybody
