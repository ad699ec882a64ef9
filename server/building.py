"""What a session's agent is given to work with, made from the configuration."""

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import get_args

from agent.approval import Policy, Rules
from agent.errors import ConfigProblem, Problem
from agent.means import Means
from agent.models.catalogue import Catalogue
from agent.protocol import Effect
from agent.redaction import Redactor
from agent.sandbox.beneath import Beneath
from agent.sandbox.owner import sandbox_owner
from agent.sandbox.port import Sandbox
from agent.sandbox.workspace import SessionWorkspace
from agent.tools.datasets import InspectDataset
from agent.tools.egress import Egress
from agent.tools.files import file_tools
from agent.tools.github import Github
from agent.tools.hub_client import Hub, HubSettings
from agent.tools.hub_docs import HubDocs
from agent.tools.hub_files import RepoFiles
from agent.tools.hub_jobs import Jobs
from agent.tools.hub_repos import RepoGit
from agent.tools.hub_search import HubSearch
from agent.tools.hub_web import HubWeb
from agent.tools.job_log import JobLog
from agent.tools.job_prices import Prices
from agent.tools.job_watch import HubJobs
from agent.tools.notify import Notify
from agent.tools.paper_graph import PaperGraph
from agent.tools.papers import Papers
from agent.tools.plan import Plan
from agent.tools.port import Tool
from agent.tools.research import Research
from agent.tools.shell import Bash
from agent.tools.toolbox import Toolbox
from agent.tools.web_fetch import WebFetch
from agent.tools.web_search import WebSearch, search_of
from server.config import Config, Web
from server.identity.keyring import KeyRing
from server.places import shipped
from server.sessions.slots import Slots
from server.sessions.watch import MOST_FOLLOWED
from server.sessions.workspaces import Workspaces
from server.tool_servers import ToolServers


def new_id(prefix: str) -> str:
    """64 random bits: unique in a session, and not to be guessed."""
    return f"{prefix}_{secrets.token_hex(8)}"


def make_toolbox(config: Config, sandbox: Sandbox, threads: Executor, hub_home: Path) -> Toolbox:
    """`hub_home` is the folder of the Hub's library."""
    owner = sandbox_owner()
    tools: Sequence[Tool] = (
        Bash(sandbox, config.sandbox),
        *file_tools(config.sandbox, threads, owner),
        Plan(),
        Research(),
        *web_tools(config.web, threads),
        *hub_tools(config.hub, threads, hub_home),
        *([Notify(config.notify)] if config.notify else []),
    )
    return Toolbox(tools, threads, owner=owner)


def web_tools(web: Web, threads: Executor) -> Sequence[Tool]:
    """Raises ConfigProblem where a network or a search service is not what it should be."""
    try:
        egress = Egress(allow=web.allow)
    except ValueError as error:
        raise ConfigProblem(f"`web.allow`: {error}.") from None
    search = WebSearch(search_of(web.search, egress))
    return search, WebFetch(egress, threads), Github(egress)


def hub_tools(settings: HubSettings, threads: Executor, home: Path) -> Sequence[Tool]:
    hub, web = Hub(settings.endpoint, home), HubWeb(settings.endpoint)
    graph = PaperGraph(HubWeb(settings.papers), settings.papers_key)
    return (
        RepoFiles(hub, web),
        RepoGit(hub),
        HubSearch(hub),
        InspectDataset(HubWeb(settings.viewer)),
        HubDocs(web, threads),
        Papers(hub, graph),
        Jobs(hub, JobLog(settings.endpoint), Prices(hub)),
    )


def job_watch(settings: HubSettings, home: Path) -> HubJobs:
    """Looks at jobs on threads of its own: tools do not wait for it."""
    hub = Hub(settings.endpoint, home, threads=4, waiting=MOST_FOLLOWED)
    return HubJobs(hub, JobLog(settings.endpoint), Prices(hub))


def unmatched(
    policy: Policy, tools: Collection[str], servers: Iterable[str] = ()
) -> tuple[str, ...]:
    """Names in the approval settings that are neither a tool nor an effect: slips of the pen.

    What the MCP `servers` offer is not known yet.
    """
    named = {*policy.ask} - set(get_args(Effect))
    named |= {r.tool for r in policy.rules if not set(r.tool) & set("*?[")}
    theirs = tuple(f"mcp_{server}_" for server in servers)
    return tuple(sorted(name for name in named - set(tools) if not name.startswith(theirs)))


class MeansFactory:
    """Implements MakeMeans: everything but the workspace and the slot is shared by all sessions."""

    def __init__(
        self,
        config: Config,
        catalogue: Catalogue,
        toolbox: Toolbox,
        workspaces: Workspaces,
        slots: Slots,
        keyring: KeyRing,
        redactor_of: Callable[[str], Redactor],
        servers: ToolServers,
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._toolbox = toolbox
        self._workspaces = workspaces
        self._slots = slots
        self._keyring = keyring
        self._redactor_of = redactor_of
        self._servers = servers
        self._rules = Rules(config.approval, toolbox.check)  # slips are told now, not in a turn
        self._retries = config.retry.policy()
        prompts = shipped("configs") / "prompts"
        self._prompt = (prompts / "system.md").read_text().strip()
        self._research_prompt = (prompts / "research.md").read_text().strip()

    def __call__(self, session: str, owner: str, mcp_servers: tuple[str, ...] | None) -> Means:
        workspace, own = self._workspaces.of(session), self._keyring.of(owner)
        toolbox, rules = self._servers.join(self._toolbox, own, mcp_servers), self._rules
        if toolbox is not self._toolbox:
            rules = Rules(self._config.approval, toolbox.check)

        def admission(on_wait: Callable[[], None]) -> AbstractAsyncContextManager[None]:
            return self._slots.slot(owner, on_wait)

        return Means(
            models=self._catalogue.of(own),
            toolbox=toolbox,
            workspace=workspace,
            rules=rules,
            system_prompt=self._prompt,
            retries=self._retries,
            allowance=self._config.turn,
            queue_limit=self._config.limits.queued_per_session,
            new_id=new_id,
            admission=admission,
            sleep=asyncio.sleep,
            clock=time.monotonic,
            file_exists=lambda path: _is_file(workspace, path),
            keys=own,
            redactor=self._redactor_of(owner),
            research=self._config.research,
            research_prompt=self._research_prompt,
        )


def _is_file(workspace: SessionWorkspace, path: str) -> bool:
    try:
        return Beneath(workspace.tree, sandbox_owner()).stat(path) is not None
    except Problem:
        return False
