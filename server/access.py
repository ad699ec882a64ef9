"""Who may do what: one table of what a person is to the server and to a session."""

from collections.abc import Mapping
from typing import Literal

from agent import protocol
from agent.protocol import AnySubmission
from server.errors import NoSuchSession, Refusal
from server.people import Role
from server.wire import Access

Relation = Literal["owner", "driver", "viewer", "none"]
"""What a user is to a session: whose it is, what it was shared as, or nothing."""

Action = Literal[
    "enter",  # anything that needs no more than a name
    "create",
    "operate",
    "read",
    "drive",
    "stop",
    "fork",
    "share",
    "unshare",
    "erase",
]
_EVERYTHING: frozenset[Action] = frozenset(
    ("enter", "create", "operate", "read", "drive", "stop", "fork", "share", "unshare", "erase")
)
_OF_RELATION: Mapping[Relation, frozenset[Action]] = {
    "owner": frozenset(("read", "drive", "stop", "fork", "share", "unshare", "erase")),
    "driver": frozenset(("read", "drive", "stop", "fork")),
    "viewer": frozenset(("read", "fork")),
    "none": frozenset(),
}
_OF_ROLE: Mapping[Role, frozenset[Action]] = {
    "viewer": frozenset(("enter",)),
    "user": frozenset(("enter", "create")),
    "operator": frozenset(("enter", "create", "operate", "read", "stop", "unshare", "erase")),
}
"""What a role may do whatever the relation; with sessions, with everybody's."""
_AT_MOST: Mapping[Role, frozenset[Action]] = {
    "viewer": frozenset(("enter", "read")),
    "user": _EVERYTHING - {"operate"},
    "operator": _EVERYTHING,
}
"""What a role may do at most, whatever it was given."""
_SAID: Mapping[Action, str] = {
    "enter": "You may not come in. Ask an operator.",
    "create": "A viewer reads what is shared, and creates nothing. Ask for a token as user.",
    "operate": "Only operators may do this. Ask for a token as operator.",
    "read": "You may not read this. Ask its owner to share it.",
    "drive": "You may read this session, not drive it. Ask its owner to share it as driver.",
    "stop": "You may read this session, not stop it. Ask its owner to share it as driver.",
    "fork": "You may not fork this session. Ask its owner to share it.",
    "share": "Only its owner shares a session. Ask them.",
    "unshare": "Only its owner and operators see and revoke shares. Ask them.",
    "erase": "Only its owner and operators delete a session. Ask them.",
}

ACTION_OF: Mapping[type[AnySubmission], Action] = {
    protocol.Ping: "read",
    protocol.Interrupt: "stop",
    protocol.Shutdown: "stop",
    protocol.UserInput: "drive",
    protocol.Approval: "drive",
    protocol.Answer: "drive",
    protocol.Resume: "drive",
    protocol.Withdraw: "drive",
    protocol.Undo: "drive",
    protocol.Retry: "drive",
    protocol.Compact: "drive",
    protocol.SetModel: "drive",
    protocol.SetAutoApproval: "drive",
}
"""What each frame of a client does."""


def allows(role: Role, relation: Relation, action: Action) -> bool:
    """The one rule, for every route, frame, row and file."""
    return action in (_OF_ROLE[role] | _OF_RELATION[relation]) & _AT_MOST[role]


def check(role: Role, relation: Relation, action: Action) -> None:
    """Raises NoSuchSession where not even reading is allowed, else Refusal `forbidden`."""
    of_a_session = action not in ("enter", "create", "operate")
    if of_a_session and not allows(role, relation, "read"):
        raise NoSuchSession
    if not allows(role, relation, action):
        raise Refusal(403, "forbidden", why_not(action))


def why_not(action: Action) -> str:
    """With a way out."""
    return _SAID[action]


def access(role: Role, relation: Relation) -> Access:
    """What somebody who may read a session is told that they are to it."""
    if relation == "none":
        return "operator"
    return relation if allows(role, relation, "drive") else "viewer"
