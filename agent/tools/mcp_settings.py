"""What the configuration says of one server of tools that speaks the Model Context Protocol."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.errors import ConfigProblem
from agent.tools.mcp_grant import Login

ServerName = Annotated[
    str,
    Meta(
        pattern=r"^[a-zA-Z0-9-]{1,24}$",
        description="Without `_`, which ends it in the names of its tools.",
    ),
]
Seconds = Annotated[float, Meta(gt=0)]
Handed = Literal["header", "environment"]
"""How a user's key goes to a server: as a bearer token, or as HF_TOKEN or GITHUB_TOKEN."""


class McpServer(Struct, frozen=True, forbid_unknown_fields=True):
    """Either a `command` that is started beside this server, or the `url` of one that runs."""

    command: tuple[str, ...] = ()
    url: str | None = None
    environment: dict[str, str] = {}
    headers: dict[str, str] = {}
    hub_token: Handed | None = None
    github_token: Handed | None = None
    oauth: bool = False
    """Whether each user logs in there by themselves."""
    timeout_seconds: Seconds = 300
    """Of one call; the time in which a person is asked does not count."""
    patience_seconds: Seconds = 3600
    """How long a person may take to answer what it asks."""
    start_seconds: Seconds = 20
    idle_seconds: Seconds = 600
    """How long a connection that nobody uses stays open."""

    def checked(self, name: str) -> "McpServer":
        """Raises ConfigProblem where it cannot be what is meant."""
        here = f"`mcp_servers.{name}`"
        if bool(self.command) == bool(self.url):
            raise ConfigProblem(f"{here} needs either `command` or `url`.")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ConfigProblem(f"{here}: `url` must begin with http:// or https://.")
        if (self.url and self.environment) or (self.command and self.headers):
            raise ConfigProblem(f"{here}: `environment` goes with `command`, `headers` with `url`.")
        handed = [way for way in (self.hub_token, self.github_token) if way]
        if handed.count("header") > 1:
            raise ConfigProblem(f"{here}: only one token can be its bearer token.")
        if self.oauth and not self.url:
            raise ConfigProblem(f"{here}: `oauth` goes with `url`.")
        if self.oauth and (handed or "authorization" in map(str.lower, self.headers)):
            raise ConfigProblem(f"{here}: with `oauth`, no other token can be its bearer token.")
        right: Handed = "header" if self.url else "environment"
        if any(way != right for way in handed):
            raise ConfigProblem(f'{here}: a token goes to this server as "{right}".')
        return self


class Credential(Struct, frozen=True):
    """The keys of one user that go to a server; servers are shared by who has the same."""

    hub: str | None = None
    github: str | None = None
    login: str | None = None
    """The id of their log-in there."""


class Target(Struct, frozen=True):
    """Where a connection goes, with whatever it is to be let in by."""

    name: str
    command: tuple[str, ...]
    url: str | None
    environment: dict[str, str]
    headers: dict[str, str]
    patience: float = 0
    """How long one of its calls may be silent because a person is asked, in seconds."""
    oauth: bool = False
    login: Login | None = None


def target_of(name: str, server: McpServer, own: Credential, login: Login | None = None) -> Target:
    environment, headers = dict(server.environment), dict(server.headers)
    for way, variable, token in (
        (server.hub_token, "HF_TOKEN", own.hub),
        (server.github_token, "GITHUB_TOKEN", own.github),
    ):
        if token is None or way is None:
            continue
        if way == "header":
            headers["Authorization"] = f"Bearer {token}"
        else:
            environment[variable] = token
    patience, where = server.patience_seconds, (server.command, server.url)
    return Target(name, *where, environment, headers, patience, server.oauth, login)
