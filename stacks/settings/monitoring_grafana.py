"""Settings of Grafana: where people find it, and how they come in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.base import Contradiction, Section
from stacks.settings.environment import EnvironmentSettings
from stacks.settings.scheduling import NamespaceName
from stacks.settings.secret_sources import SecretSourceSettings

SecureUrl = Annotated[str, Field(max_length=2048, pattern=r"^https://[^\s/?#;`'\x22]+(/[^\s#;`'\x22]*)?$")]
Group = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\"`#;\x00-\x1f]+$")]
Scope = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!#-\[\]-~]+$")]

# Where a forwarded port is.
LOCAL_URL = "http://localhost:3000"
_LOCAL = re.compile(r"http://(localhost|127\.0\.0\.1)(:\d+)?/?")


class SsoSettings(Section):
    """The company's login, by OpenID Connect."""

    name: str = Field(default="SSO", min_length=1, max_length=64, pattern=r"^[\w .&+-]+$")
    """What the button says."""
    client_id: str = Field(min_length=1, max_length=256, pattern=r"^[\w.:@/-]+$")
    """By what Grafana is known there."""
    client_secret: SecretSourceSettings
    """Where the secret is that belongs to it."""
    auth_url: SecureUrl
    """Where people log in (authorization_endpoint)."""
    token_url: SecureUrl
    """Where Grafana gets tokens (token_endpoint)."""
    api_url: SecureUrl
    """Where Grafana asks who somebody is (userinfo_endpoint)."""
    scopes: tuple[Scope, ...] = ("openid", "profile", "email", "groups")
    """What Grafana asks for."""
    groups_claim: str = Field(default="groups", max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """What tells the groups of somebody."""
    admins: tuple[Group, ...] = ()
    """Groups whose members administrate Grafana."""
    editors: tuple[Group, ...] = ()
    """Groups whose members may try out dashboards of their own; the next pod has forgotten those."""
    viewers: tuple[Group, ...] = ()
    """Groups whose members may look; default: whoever can log in."""

    def contradictions(self) -> Iterable[Contradiction]:
        ranks = {"admins": self.admins, "editors": self.editors, "viewers": self.viewers}
        seen: dict[str, str] = {}
        for rank, groups in ranks.items():
            for index, group in enumerate(groups):
                if seen.get(group, rank) != rank:
                    why = f"'{group}' is one of {seen[group]}, too"
                    yield Contradiction(f"{rank}[{index}]", why, "name each group once")
                seen.setdefault(group, rank)


class GrafanaSettings(Section):
    """Grafana: shows what Prometheus knows, in dashboards that Bedplate writes."""

    enabled: bool = True
    """Run it."""
    url: str = Field(default=LOCAL_URL, max_length=2048, pattern=r"^https?://[^\s/?#;`'\x22]+(/[^\s?#;`'\x22]*)?$")
    """Where people find it. Nothing leads there from outside of the cluster by itself; the default is for
    `kubectl port-forward --namespace monitoring service/grafana 3000`."""
    anonymous: bool | None = None
    """Let whoever reaches it look, without a name; default: in stages `sandbox` and `dev` without sso. Refused for
    stage `prod`."""
    sso: SsoSettings | None = None
    """The company's login."""
    admin: SecretSourceSettings | None = None
    """Where the password of the user `admin` is; without it there is no such user, and no other with a password."""
    reached_from: tuple[NamespaceName, ...] = ()
    """Namespaces whose pods reach it, such as the ingress controller's."""

    def lets_anybody_look(self, stage: Literal["dev", "staging", "prod", "sandbox"]) -> bool:
        """Whether people come in without a name."""
        if self.anonymous is not None:
            return self.anonymous
        return stage in ("sandbox", "dev") and self.sso is None

    def contradictions(self) -> Iterable[Contradiction]:
        local = _LOCAL.fullmatch(self.url)
        if self.sso is not None and not local and not self.url.startswith("https://"):
            why = f"is {self.url}, and people's sessions would go there unencrypted"
            yield Contradiction("url", why, "use an https:// address, or leave it out and forward a port")


def about_grafana(environment: EnvironmentSettings, grafana: GrafanaSettings) -> Iterable[Contradiction]:
    """Somebody has to get in, and in production nobody without a name."""
    if not grafana.enabled:
        return
    stage, place = environment.stage, "monitoring.grafana"
    if grafana.lets_anybody_look(stage):
        if stage == "prod":
            why = "would show everything of stage 'prod' to whoever reaches it"
            yield Contradiction(f"{place}.anonymous", why, "leave it out, and give sso or admin")
    elif grafana.sso is None and grafana.admin is None:
        why = "lets nobody in"
        advice = "give sso or admin" if stage == "prod" else "give sso or admin, or set anonymous to true"
        yield Contradiction(place, why, f"{advice}; or turn it off (enabled: false)")
