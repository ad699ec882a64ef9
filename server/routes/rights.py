"""What each route below `/api` does, in the words of the one rule (server.access)."""

from collections.abc import Mapping
from typing import TypeAlias

from server.access import Action

Route: TypeAlias = tuple[str, str]
"""Method and path, as the table of routes has them."""

_SESSION = "/api/sessions/{id}"
RIGHTS: Mapping[Route, Action] = {
    ("GET", "/api/me"): "enter",
    ("GET", "/api/models"): "enter",
    ("GET", "/api/schema.json"): "enter",
    ("GET", "/api/asyncapi.json"): "enter",
    ("GET", "/api/openapi.json"): "enter",
    ("POST", "/api/logout"): "enter",
    ("POST", "/api/tickets"): "enter",
    ("GET", "/api/secrets"): "enter",
    ("PUT", "/api/secrets/{name}"): "enter",
    ("DELETE", "/api/secrets/{name}"): "enter",
    ("GET", "/api/mcp"): "enter",
    ("POST", "/api/mcp/{server}/connect"): "enter",
    ("DELETE", "/api/mcp/{server}/connect"): "enter",
    ("GET", "/api/audit"): "operate",
    ("GET", "/api/dashboard/socket"): "enter",
    ("POST", "/api/shares/redeem"): "enter",
    ("GET", "/api/sessions"): "enter",
    ("POST", "/api/sessions"): "create",
    ("GET", _SESSION): "read",
    ("PATCH", _SESSION): "drive",
    ("DELETE", _SESSION): "erase",
    ("POST", f"{_SESSION}/fork"): "fork",
    ("GET", f"{_SESSION}/events"): "read",
    ("GET", f"{_SESSION}/export"): "read",
    ("POST", f"{_SESSION}/submissions"): "read",  # then what the frame does
    ("GET", f"{_SESSION}/socket"): "read",  # and so here
    ("POST", f"{_SESSION}/files"): "drive",
    ("GET", f"{_SESSION}/files"): "read",
    ("GET", f"{_SESSION}/files/{{path}}"): "read",
    ("POST", f"{_SESSION}/shares"): "share",
    ("GET", f"{_SESSION}/shares"): "unshare",
    ("DELETE", f"{_SESSION}/shares/{{share}}"): "unshare",
}
"""A route that is not in here opens to nobody."""
