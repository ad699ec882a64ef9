"""The one rule as a table: what everybody may do to a session, and to the server."""

from typing import get_args

import pytest

from agent.protocol import AnySubmission
from server.access import ACTION_OF, Action, Relation, access, allows, check, why_not
from server.errors import NoSuchSession, Refusal
from server.people import Role

WITH_SESSIONS = "read drive stop fork share unshare erase"
MAY: dict[tuple[Role, Relation], str] = {
    ("user", "owner"): WITH_SESSIONS,
    ("user", "driver"): "read drive stop fork",
    ("user", "viewer"): "read fork",
    ("user", "none"): "",
    ("operator", "owner"): WITH_SESSIONS,
    ("operator", "driver"): "read drive stop fork unshare erase",
    ("operator", "viewer"): "read stop fork unshare erase",
    ("operator", "none"): "read stop unshare erase",
    ("viewer", "owner"): "read",
    ("viewer", "driver"): "read",
    ("viewer", "viewer"): "read",
    ("viewer", "none"): "",
}
BESIDE: dict[Role, str] = {
    "viewer": "enter",
    "user": "enter create",
    "operator": "enter create operate",
}
EVERY = [
    (role, relation, action)
    for role in get_args(Role)
    for relation in get_args(Relation)
    for action in get_args(Action)
]


def test_the_table_is_whole() -> None:
    assert set(MAY) == {(role, relation) for role, relation, _ in EVERY}
    assert set(f"{WITH_SESSIONS} enter create operate".split()) == set(get_args(Action))


@pytest.mark.parametrize(("role", "relation", "action"), EVERY)
def test_who_may_do_what(role: Role, relation: Relation, action: Action) -> None:
    expected = action in MAY[role, relation].split() or action in BESIDE[role].split()
    assert allows(role, relation, action) is expected
    if expected:
        check(role, relation, action)
        return
    with pytest.raises(Refusal) as refused:
        check(role, relation, action)
    unseen = not MAY[role, relation] and action in WITH_SESSIONS.split()
    assert isinstance(refused.value, NoSuchSession) is unseen
    if not unseen:
        assert (refused.value.status, refused.value.code) == (403, "forbidden")
        assert refused.value.message == why_not(action)


def test_every_frame_of_a_client_does_something_that_is_ruled_on() -> None:
    assert set(ACTION_OF) == set(get_args(AnySubmission))


@pytest.mark.parametrize(
    ("role", "relation", "shown"),
    [
        ("user", "owner", "owner"),
        ("user", "driver", "driver"),
        ("user", "viewer", "viewer"),
        ("operator", "none", "operator"),
        ("operator", "driver", "driver"),
        ("viewer", "driver", "viewer"),
        ("viewer", "owner", "viewer"),
    ],
)
def test_people_are_told_what_they_are(role: Role, relation: Relation, shown: str) -> None:
    assert access(role, relation) == shown
