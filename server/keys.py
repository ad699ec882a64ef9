"""What the application and each request carry, by typed keys."""

from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from agent.models.catalogue import Catalogue
from server.access import Relation
from server.audit import Audit
from server.config import Limits
from server.people import User
from server.proxies import Proxies
from server.readiness import Readiness
from server.sessions.archive import Archive
from server.sessions.fleet import Fleet
from server.sessions.manager import SessionManager
from server.sessions.quotas import Connections, Rates
from server.sessions.watch import Watch
from server.sessions.workspaces import Workspaces
from server.store.port import SessionRow, Store
from server.tool_servers import ToolServers

if TYPE_CHECKING:
    from server.routes.dashboard import Board

ARCHIVE = web.AppKey("archive", Archive)
AUDIT = web.AppKey("audit", Audit)
CATALOGUE = web.AppKey("catalogue", Catalogue)
CONNECTIONS = web.AppKey("connections", Connections)
FLEET = web.AppKey("fleet", Fleet)
LIMITS = web.AppKey("limits", Limits)
PROXIES = web.AppKey("proxies", Proxies)
RATES = web.AppKey("rates", Rates)
READINESS = web.AppKey("readiness", Readiness)
STATIC = web.AppKey("static", Path)
SESSIONS = web.AppKey("sessions", SessionManager)
STORE = web.AppKey("store", Store)
TOOL_SERVERS = web.AppKey("tool_servers", ToolServers)
WATCH = web.AppKey("watch", Watch)
WORKSPACES = web.AppKey("workspaces", Workspaces)

BOARDS: web.AppKey[set["Board"]] = web.AppKey("boards", set)

USER = web.RequestKey("user", User)
ROW = web.RequestKey("row", SessionRow)
"""Of the session that is asked for, as it was when the request came."""
RELATION: web.RequestKey[Relation] = web.RequestKey("relation")
"""What the user is to that session."""
