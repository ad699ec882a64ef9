"""The calls about who may do what, described: shares and the audit log."""

from server.routes.asked import MOST
from server.routes.audit import AuditAnswer
from server.routes.call import Call, Parameter
from server.routes.identity_calls import BODY
from server.routes.shares import NewShareBody, RedeemBody, Redeemed, ShareEntry, ShareList

_SESSION = "/api/sessions/{id}"
_FULL = "429 too_many_shares"
_PAGING = (
    Parameter("after", {"type": "integer", "minimum": 0, "default": 0}, "Acts from the next on."),
    Parameter(
        "limit",
        {"type": "integer", "minimum": 1, "default": MOST},
        f"How many at most; more than {MOST} is taken as {MOST}.",
    ),
)

SHARE_CALLS = (
    Call(
        "get",
        "/api/audit",
        "A page of the audit log, ascending, for operators",
        {200: AuditAnswer},
        asks=_PAGING,
        refuses=("400 bad_request",),
    ),
    Call(
        "post",
        "/api/shares/redeem",
        "Take up what the secret of a link gives; again changes nothing",
        {200: Redeemed},
        takes=RedeemBody,
        refuses=(*BODY, "404 no_such_share", _FULL),
    ),
    Call(
        "post",
        f"{_SESSION}/shares",
        "Share a session with a user, or by a link whose secret is shown once",
        {201: ShareEntry},
        takes=NewShareBody,
        refuses=(*BODY, _FULL),
    ),
    Call("get", f"{_SESSION}/shares", "List with whom it is shared", {200: ShareList}),
    Call(
        "delete",
        f"{_SESSION}/shares/{{share}}",
        "Revoke a share: who has nothing else loses the session at once",
        {204: None},
        refuses=("404 no_such_share",),
    ),
)
