"""Grafana's own files: its settings, where it asks, and where its dashboards lie.

Nobody has a password that Grafana brings along. Whoever may come in does so by the company's login (OpenID Connect), as
the administrator whose password a secret holds, or, where that is allowed, without a name, to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from components.observability.dashboards.board import Folder

PORT: Final = 3000
# The sources of data, by the identifier that dashboards and provisioning know them under.
PROMETHEUS_UID, ALERTMANAGER_UID = "prometheus", "alertmanager"
CONFIG_FOLDER: Final = "/etc/bedplate/grafana"
DASHBOARDS_FOLDER: Final = "/var/lib/bedplate/dashboards"
SECRETS_FOLDER: Final = "/etc/bedplate/secrets"
# Secrets by what they are, and the files that hold them.
ADMIN_FILE: Final = "admin-password"
SSO_FILE: Final = "sso-client-secret"
# How soon a changed dashboard is seen once its file has changed, which the kubelet takes up to a minute for.
_LOOK_SECONDS: Final = 30


@dataclass(frozen=True)
class Login:
    """A company's login by OpenID Connect. Groups (a claim of the user) decide who may what.

    ``viewers`` empty: whoever can log in may look; else only members of the groups named come in.
    """

    name: str
    client_id: str
    auth_url: str
    token_url: str
    api_url: str
    scopes: Sequence[str]
    groups_claim: str
    admins: Sequence[str]
    editors: Sequence[str]
    viewers: Sequence[str]


@dataclass(frozen=True)
class GrafanaConfig:
    """``url`` is where people find it; ``home`` the file of the dashboard that they see first."""

    url: str
    anonymous: bool
    login: Login | None
    has_admin: bool
    home: str | None


def ini(config: GrafanaConfig) -> str:
    """The file grafana.ini. Secrets are read from files when Grafana starts."""
    secure = _yes(config.url.startswith("https://"))
    sections: dict[str, dict[str, str]] = {
        "server": {"root_url": config.url, "enable_gzip": "true"},
        "analytics": dict.fromkeys(
            ("reporting_enabled", "check_for_updates", "check_for_plugin_updates", "feedback_links_enabled"), "false"
        ),
        # It would fetch plugins from the internet when it starts, and offer to install more.
        "plugins": {"preinstall_disabled": "true", "plugin_admin_enabled": "false"},
        "security": {
            "disable_initial_admin_creation": _yes(not config.has_admin),
            **({"admin_password": _file(ADMIN_FILE)} if config.has_admin else {}),
            "disable_gravatar": "true",
            "cookie_secure": secure,
            "strict_transport_security": secure,
            "content_security_policy": "true",
        },
        "users": {"allow_sign_up": "false", "default_theme": "system"},
        "auth": {"disable_login_form": _yes(not config.has_admin)},
        "auth.basic": {"enabled": _yes(config.has_admin)},
        "auth.anonymous": {"enabled": _yes(config.anonymous), "org_role": "Viewer", "hide_version": "true"},
        **({"auth.generic_oauth": _oauth(config.login)} if config.login else {}),
        "snapshots": {"external_enabled": "false"},
        "public_dashboards": {"enabled": "false"},
        # Rules are Prometheus's and notifications Alertmanager's; here they are looked at.
        "unified_alerting": {"enabled": "true", "execute_alerts": "false"},
        "dashboards": {
            "min_refresh_interval": "10s",
            **({"default_home_dashboard_path": config.home} if config.home else {}),
        },
        "log": {"mode": "console"},
        "log.console": {"format": "json"},
    }
    return "\n".join(_written(sections))


def _written(sections: Mapping[str, Mapping[str, str]]) -> Iterable[str]:
    for name, values in sections.items():
        yield f"[{name}]"
        yield from (f"{key} = {_quoted(value)}" for key, value in values.items())
        yield ""


def _quoted(value: str) -> str:
    """In triple quotes where a comment or the end of the value would be read into it."""
    return f'"""{value}"""' if any(one in value for one in "#;`\"'") else value


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _file(name: str) -> str:
    return f"$__file{{{SECRETS_FOLDER}/{name}}}"


def _oauth(login: Login) -> dict[str, str]:
    return {
        "enabled": "true",
        "name": login.name,
        "client_id": login.client_id,
        "client_secret": _file(SSO_FILE),
        "scopes": " ".join(login.scopes),
        "auth_url": login.auth_url,
        "token_url": login.token_url,
        "api_url": login.api_url,
        "allow_sign_up": "true",
        "use_pkce": "true",
        "groups_attribute_path": login.groups_claim,
        "role_attribute_path": role_expression(login),
        # Whoever has no role does not come in.
        "role_attribute_strict": "true",
        "allow_assign_grafana_admin": "false",
    }


def role_expression(login: Login) -> str:
    """Who may what, as the JMESPath expression that Grafana asks about each user who logs in."""
    ranks = (("Admin", login.admins), ("Editor", login.editors), ("Viewer", login.viewers))
    parts = [
        f"contains({login.groups_claim}[*], '{_text(group)}') && '{role}'" for role, groups in ranks for group in groups
    ]
    return " || ".join(parts if login.viewers else [*parts, "'Viewer'"])


def _text(text: str) -> str:
    """``text`` within JMESPath's raw string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def sources(prometheus: str, alertmanager: str) -> str:
    """The file of data sources: the addresses of Prometheus and Alertmanager."""
    metrics: dict[str, Any] = {
        "name": "Prometheus", "uid": PROMETHEUS_UID, "type": "prometheus", "access": "proxy", "url": prometheus,
        "isDefault": True, "editable": False,
        "jsonData": {"httpMethod": "POST", "timeInterval": "1m", "prometheusType": "Prometheus",
                     "manageAlerts": True, "alertmanagerUid": ALERTMANAGER_UID},
    }  # fmt: skip
    alerts: dict[str, Any] = {
        "name": "Alertmanager", "uid": ALERTMANAGER_UID, "type": "alertmanager", "access": "proxy", "url": alertmanager,
        "editable": False,
        "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
    }  # fmt: skip
    return _yaml({"apiVersion": 1, "prune": True, "datasources": [metrics, alerts]})


def providers(folders: Iterable[Folder]) -> str:
    """The file that says in which folder of Grafana the dashboards of each folder of files belong."""
    return _yaml({"apiVersion": 1, "providers": [_provider(folder) for folder in folders]})


def _provider(folder: Folder) -> dict[str, Any]:
    return {
        "name": folder.uid,
        "folder": folder.title,
        "folderUid": folder.uid,
        "type": "file",
        "allowUiUpdates": False,
        "updateIntervalSeconds": _LOOK_SECONDS,
        "options": {"path": path_of(folder)},
    }


def path_of(folder: Folder) -> str:
    """Where the files of a folder's dashboards are."""
    return f"{DASHBOARDS_FOLDER}/{folder.uid}"


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)
