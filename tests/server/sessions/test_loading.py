"""A stored log, read back page by page, whole or as far as is asked."""

import pytest

from agent.errors import Problem
from agent.protocol import SetModel, decode_event
from server.errors import NoSuchSession
from server.sessions.loading import load, load_history, recorded
from server.store.port import Append
from tests.server.sessions.house import ADA, AT, House


async def test_a_log_of_many_pages_is_read_whole_and_up_to_a_place(home: House) -> None:
    session = await home.session()
    for number in range(10):
        model = ("other", "scripted")[number % 2]
        await home.manager.submit(session, ADA, SetModel(f"c{number}", model))
    home.store.pages_left = 100
    loaded = await load(home.store, session)
    assert loaded.history.head == 11
    assert [receipt.id for receipt in loaded.receipts] == [f"c{number}" for number in range(10)]
    assert loaded.drafts == ()
    for through in (1, 2, 7, 11, 99):
        history = await load_history(home.store, session, through=through)
        assert history.head == min(through, 11)


async def test_a_body_is_what_was_recorded(home: House) -> None:
    session = await home.session()
    page = await home.store.events_after(session, 0, limit=1, max_bytes=1)
    entry = recorded(1, page.bodies[0])
    assert (entry.seq, entry.event) == (1, decode_event(page.bodies[0]))
    assert page.bodies[0].startswith(b'{"seq":1,"at":"%s"' % entry.at.encode())


@pytest.mark.parametrize("body", [b'{"seq":2,"at":"%s","type":"x"}' % AT.encode(), b"nonsense"])
async def test_an_event_that_is_none_is_named(body: bytes, home: House) -> None:
    session = await home.session()
    row = await home.stored(session)
    await home.store.append(Append(session, 2, AT, (body,), (), (), (), row.indexed))
    with pytest.raises(Problem, match="Event 2"):
        await load(home.store, session)


async def test_a_session_that_is_not_there_cannot_be_loaded(home: House) -> None:
    with pytest.raises(NoSuchSession):
        await load(home.store, "s_none")
