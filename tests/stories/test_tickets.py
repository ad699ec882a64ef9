"""Tickets for sockets of pages on other origins; tokens that end while sockets are open."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from server.store import tokens
from server.store.sqlite import DATABASE
from server.times import written
from tests.client import WITHIN, Viewer
from tests.stories.conftest import NewStory
from tests.stories.scene import Story
from tests.stories.test_tokens import bearer, tokened

PAGE = "https://page.example"


async def ticket_of(story: Story) -> str:
    answer = await story.api.call("POST", "/api/tickets")
    assert (answer.status, answer.json["expires_in"]) == (201, 30)
    return str(answer.json["ticket"])


def shown(story: Story, session: str, ticket: str, origin: str = PAGE) -> Viewer:
    """A viewer on another origin, who can say nothing but an address."""
    viewer = Viewer(story.server.url, session, headers={"Origin": origin})
    viewer.uri += f"?ticket={ticket}"
    return viewer


async def refused(viewer: Viewer) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        async with viewer:
            pass
    return refusal.value.response.status_code


async def test_a_ticket_opens_one_socket_once_as_who_made_it(alone: NewStory) -> None:
    story, _, _ = await tokened(alone, {"allowed_origins": [PAGE]})
    session = await story.api.session()
    ticket = await ticket_of(story)
    assert await refused(shown(story, session, ticket, "https://evil.example")) == 403
    async with shown(story, session, ticket) as viewer:
        await viewer.synced()
        await story.turn(viewer, "Hello")
        assert viewer.of("user_message")[0]["author"] == "ada"
    assert await refused(shown(story, session, ticket)) == 401
    assert await refused(shown(story, session, "wrong")) == 401
    assert ticket not in story.server.stderr
    in_a_header = await story.api.call("GET", f"/api/sessions?ticket={await ticket_of(story)}")
    assert in_a_header.status == 200
    await story.connect({})
    alone_ = await story.api.call("GET", f"/api/me?ticket={ticket}")
    assert (alone_.status, alone_.code) == (401, "unauthorized")


async def test_a_socket_opened_with_a_ticket_ends_with_the_token_that_made_it(
    alone: NewStory,
) -> None:
    story, ada, _ = await tokened(alone, {"allowed_origins": [PAGE]})
    session = await story.api.session()
    async with shown(story, session, await ticket_of(story)) as viewer:
        await viewer.synced()
        where = ("--data-dir", str(story.server.data))
        await story.server.command("token", "revoke", ada.split("_")[1], *where)
        assert await viewer.closed() == 4401


async def test_a_hundred_tickets_wait_at_most(alone: NewStory) -> None:
    story, _, bob = await tokened(alone)
    posts = [story.api.call("POST", "/api/tickets") for _ in range(110)]
    answers = await asyncio.gather(*posts)  # at once: one by one, the first could have run out
    refused = [answer for answer in answers if answer.status != 201]
    assert 0 < len(refused) <= 10
    for answer in refused:
        assert (answer.status, answer.code) == (429, "rate_limited")
        assert 0 < answer.json["error"]["retry_after"] <= 30
    await story.connect(bearer(bob))
    await ticket_of(story)


async def test_a_token_that_expires_loses_its_sockets(alone: NewStory) -> None:
    story, ada, _ = await tokened(alone)
    session, viewer = await story.begin()
    await story.turn(viewer, "Hello")
    with (
        closing(sqlite3.connect(story.server.data / DATABASE, timeout=WITHIN)) as store,
        store,  # in one transaction: at no moment there is no such token
    ):
        (token,) = [one for one in tokens.every(store) if one.id == ada.split("_")[1]]
        tokens.revoke(store, token.id)
        soon = written(datetime.now(UTC) + timedelta(seconds=2))
        tokens.add(store, msgspec.structs.replace(token, expires_at=soon))
    assert await viewer.closed() == 4401
    assert written(datetime.now(UTC)) >= soon
    back = Viewer(story.server.url, session, headers=bearer(ada))
    assert await refused(back) == 401


async def test_the_list_says_when_a_token_was_last_used(alone: NewStory) -> None:
    story, ada, bob = await tokened(alone)
    where = ("--data-dir", str(story.server.data))

    async def used(token: str) -> str:
        _, table = await story.server.command("token", "list", *where)
        (line,) = [line for line in table.splitlines() if line.startswith(token.split("_")[1])]
        return line.rpartition("used ")[2]

    async with asyncio.timeout(5 * WITHIN):  # each look starts a process
        while (at := await used(ada)) == "never":
            pass
    assert at.startswith(str(datetime.now(UTC).year))
    assert await used(bob) == "never"
