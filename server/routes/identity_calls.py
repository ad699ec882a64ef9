"""The calls about who is asking, described: log-in, log-out, tickets, secrets."""

from server.routes.call import Call, Parameter
from server.routes.login import LoggedOut, LogoutBody, NewTicket
from server.routes.secrets import SecretBody, SecretList
from server.routes.tool_logins import Consent, ToolServerList

BODY = ("400 bad_request", "413 too_large")
_PROVIDER = ("401 login_failed", "404 not_found", "503 provider_unavailable")
_NEXT = Parameter("next", {"type": "string", "default": "/"}, "A path here to go to afterwards.")
_BACK = tuple(
    Parameter(name, {"type": "string"}, f"`{name}`, as the provider sends it.")
    for name in ("state", "code", "error", "iss")
)

IDENTITY_CALLS = (
    Call(
        "get",
        "/login",
        "Send a browser to the provider to log in, with --auth oauth",
        {303: None},
        asks=(_NEXT,),
        refuses=("400 bad_request", *_PROVIDER),
    ),
    Call(
        "get",
        "/login/callback",
        "Where the provider sends a browser back to; it is logged in by a cookie from then on",
        {303: None},
        asks=_BACK,
        refuses=("400 bad_login", "403 not_admitted", *_PROVIDER),
    ),
    Call(
        "post",
        "/api/logout",
        "End this browser's log-in, or all of the user's",
        {200: LoggedOut},
        takes=LogoutBody,
        refuses=BODY,
    ),
    Call(
        "post",
        "/api/tickets",
        "Make a ticket that opens one socket as this user, within 30 s: `?ticket=`",
        {201: NewTicket},
        refuses=("429 rate_limited",),
    ),
    Call("get", "/api/secrets", "List the names of what one keeps secret", {200: SecretList}),
    Call(
        "put",
        "/api/secrets/{name}",
        "Keep a secret, or replace it; nobody is ever told its value",
        {204: None},
        takes=SecretBody,
        refuses=(*BODY, "409 too_many_secrets"),
    ),
    Call(
        "delete",
        "/api/secrets/{name}",
        "Remove a secret",
        {204: None},
        refuses=("404 no_such_secret",),
    ),
    Call("get", "/api/mcp", "List the servers of tools there are", {200: ToolServerList}),
    Call(
        "post",
        "/api/mcp/{server}/connect",
        "Begin to log in at a server of tools: where a browser goes for that",
        {200: Consent},
        refuses=("404 not_found", "409 mcp_login_failed", "429 rate_limited"),
    ),
    Call(
        "delete",
        "/api/mcp/{server}/connect",
        "Forget what a server of tools granted",
        {204: None},
        refuses=("404 not_found", "404 not_connected"),
    ),
    Call(
        "get",
        "/mcp/callback",
        "Where a browser comes back to that was sent to log in at a server of tools",
        {200: ("text/html",)},
        asks=_BACK,
        refuses=("400 bad_login", "409 mcp_login_failed"),
    ),
)
