"""Settings of the image registry: repositories of our own, and caches of public registries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.base import Contradiction, Secret, Section
from stacks.settings.storage import MOST_DAYS

RepositoryName = Annotated[str, Field(min_length=2, max_length=200, pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*$")]
Upstream = Literal["ecr-public", "kubernetes", "quay", "docker-hub", "github", "gitlab"]

# Registries that answer only those who sign in.
# Source: Amazon ECR User Guide, "Creating a pull through cache rule", 2026-11.
_NEED_CREDENTIALS = ("docker-hub", "github", "gitlab")


class PullThroughSettings(Section):
    """A cache of a public registry: images are pulled once and then served from the own account."""

    upstream: Upstream
    """The registry that is cached."""
    username: str | None = Field(default=None, min_length=1)
    """User name at the upstream."""
    access_token: Secret | None = None
    """Access token at the upstream (secret)."""

    def contradictions(self) -> Iterable[Contradiction]:
        given = [self.username is not None, self.access_token is not None]
        if self.upstream in _NEED_CREDENTIALS and not all(given):
            yield Contradiction("upstream", f"'{self.upstream}' needs username and access_token", "give both")
        if self.upstream not in _NEED_CREDENTIALS and any(given):
            why = f"'{self.upstream}' is read without signing in"
            yield Contradiction("upstream", why, "leave username and access_token out")


class RegistrySettings(Section):
    """Image repositories: immutable tags, scanned on push, encrypted."""

    repositories: tuple[RepositoryName, ...] = ("base", "training", "serving", "jobs")
    """Repositories to make, by name below project/stack."""
    keep_tagged: int = Field(default=20, ge=1, le=1000)
    """Number of tagged images kept in each repository; older ones are removed."""
    untagged_days: int = Field(default=7, ge=1, le=MOST_DAYS)
    """Days after which untagged images are removed."""
    force_delete: bool = False
    """Delete repositories with their images; only where they may be thrown away (stage sandbox)."""
    pull_through: tuple[PullThroughSettings, ...] = (
        PullThroughSettings(upstream="ecr-public"),
        PullThroughSettings(upstream="kubernetes"),
        PullThroughSettings(upstream="quay"),
    )
    """Public registries to cache."""

    def contradictions(self) -> Iterable[Contradiction]:
        upstreams = [rule.upstream for rule in self.pull_through]
        for twice in sorted({each for each in upstreams if upstreams.count(each) > 1}):
            yield Contradiction("pull_through", f"names '{twice}' more than once", "keep one of them")
