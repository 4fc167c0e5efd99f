"""From settings to the arguments of Grafana."""

from __future__ import annotations

from components.observability.grafana import GrafanaChoices, SsoChoices
from components.observability.grafana_config import Login
from stacks.monitoring_secrets import secret_source
from stacks.settings import PlatformSettings
from stacks.settings.monitoring_grafana import SsoSettings


def grafana_choices(settings: PlatformSettings) -> GrafanaChoices | None:
    """What the settings ask for; None where Grafana is off."""
    grafana = settings.monitoring.grafana
    if not grafana.enabled:
        return None
    return GrafanaChoices(
        url=grafana.url,
        anonymous=grafana.lets_anybody_look(settings.environment.stage),
        sso=None if grafana.sso is None else _sso(grafana.sso),
        admin=None if grafana.admin is None else secret_source(grafana.admin),
        reached_from=grafana.reached_from,
    )


def _sso(sso: SsoSettings) -> SsoChoices:
    login = Login(
        name=sso.name,
        client_id=sso.client_id,
        auth_url=sso.auth_url,
        token_url=sso.token_url,
        api_url=sso.api_url,
        scopes=sso.scopes,
        groups_claim=sso.groups_claim,
        admins=sso.admins,
        editors=sso.editors,
        viewers=sso.viewers,
    )
    return SsoChoices(login, secret_source(sso.client_secret))
