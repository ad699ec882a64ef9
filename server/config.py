"""The configuration file: what it may say, and its defaults."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.approval import Policy
from agent.budget import Allowance
from agent.models.entries import ModelEntry
from agent.models.retry import Retries
from agent.sandbox.port import SandboxLimits
from agent.tools.hub_client import HubSettings
from agent.tools.mcp_settings import McpServer, ServerName
from agent.tools.notify import Place, PlaceName
from agent.tools.research import ResearchSettings
from agent.tools.web_search import SearchSettings
from server.login_settings import LoginSettings

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0)]
Risk = Literal[
    "all_allowed",
    "any_origin",
    "data_open_to_others",
    "metadata_reachable",
    "tokens_in_clear",
    "wide_proxies",
]
"""What is too dangerous to be started with by mistake."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one user, and the whole server, may have at a time."""

    sessions_per_user: Count = 1000
    live_sessions: Count = 200
    running_turns_per_user: Count = 10
    queued_per_session: Count = 20
    viewers_per_session: Count = 1000
    connections_per_user: Count = 100
    submissions_per_minute: Count = 240
    upload_mib: Count = 100
    connections_per_address: Count = 20_000
    handshakes_per_minute: Count = 6_000
    """WebSockets that one user opens; an address may five times as many."""
    creations_per_minute: Count = 6_000
    """New sessions and forks of one user."""
    failures_per_minute: Count = 600
    """Requests of one address whose token is none, or not valid any more."""
    logins_per_minute: Count = 600
    """Requests of one address to log in; going to the provider and coming back are two."""


class Pace(Struct, frozen=True, forbid_unknown_fields=True):
    """How slow a client may be over HTTP before its connection is cut."""

    header_seconds: Annotated[float, Meta(gt=0)] = 20
    """From the first byte to the end of the headers."""
    body_seconds: Annotated[float, Meta(gt=0)] = 30
    """How long a body may bring less than it should."""
    body_bytes_per_second: Count = 512
    unread_seconds: Annotated[float, Meta(gt=0)] = 60
    """How long a client may read nothing of its answer."""


class Retry(Struct, frozen=True, forbid_unknown_fields=True):
    """Waits before the second, third, ... attempt, and how long one request may take."""

    transient_seconds: tuple[Seconds, ...] = (5, 15)
    rate_limit_seconds: tuple[Seconds, ...] = (30, 60)
    timeout_seconds: Annotated[float, Meta(gt=0)] = 600

    def policy(self) -> Retries:
        return Retries(self.transient_seconds, self.rate_limit_seconds)


class Web(Struct, frozen=True, forbid_unknown_fields=True):
    """How the agent reaches the web; `allow` are networks that count as public."""

    search: SearchSettings = SearchSettings()
    allow: tuple[str, ...] = ()


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """What `configs/agent.json` and a `--config` file laid over it may say."""

    limits: Limits = Limits()
    retry: Retry = Retry()
    turn: Allowance = Allowance()
    approval: Policy = Policy()
    hibernate_after_seconds: Annotated[float, Meta(gt=0)] = 900
    mcp_servers: dict[ServerName, McpServer] = {}
    sandbox: SandboxLimits = SandboxLimits()
    web: Web = Web()
    research: ResearchSettings = ResearchSettings()
    hub: HubSettings = HubSettings()
    notify: dict[PlaceName, Place] = {}
    models: dict[str, ModelEntry] = {}
    """Laid over `configs/models.json`: labels, context windows, prices, by model id."""
    oauth: LoginSettings | None = None
    """Where people log in; without it they come with API tokens."""
    allowed_origins: tuple[str, ...] = ()
    """Origins besides the server's own from which browsers may connect."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose `X-Forwarded-For`, `-Proto` and `-Host` are believed."""
    http: Pace = Pace()
    accept_risks: tuple[Risk, ...] = ()
    """Dangers with which the server starts all the same (server.weaknesses)."""
