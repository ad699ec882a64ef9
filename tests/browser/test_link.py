"""How the page comes back: where it asks to go on, what it sends again, and when it gives up."""

from typing import Any

import pytest

from tests.browser.conftest import Meet
from tests.browser.peer import Connection, Frame, Peer
from tests.browser.person import Person
from tests.browser.test_state import USER, event, hello, synced

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

START = """({OpenSession}) => {
  window.told = [];
  window.opened = new OpenSession('s1', {changed() {}, tell(code) { window.told.push(code); }});
  opened.start();
}"""


async def open_session(meet: Meet, shelf: str) -> tuple[Person, Peer]:
    person = await meet(shelf)
    peer = await Peer().listen(person.page)
    await person.run("/static/session.js", START)
    return person, peer


async def settled(peer: Peer, *events: Frame) -> Connection:
    connection = await peer.accept()
    start = int(connection.asked["after"]) + 1
    connection.send(hello(start), *events, synced(start - 1 + len(events)))
    return connection


async def value(person: Person, expression: str) -> Any:
    return await person.page.evaluate(f"() => {expression}")


async def becomes(person: Person, expression: str) -> None:
    await person.page.wait_for_function(f"() => {expression}")


async def test_it_goes_on_where_it_was(meet: Meet, shelf: str) -> None:
    _, peer = await open_session(meet, shelf)
    first = await settled(peer, USER)
    await first.close()
    second = await peer.accept()
    assert (first.asked, second.asked) == ({"after": "0"}, {"after": "1", "log": "L"})


async def test_what_was_not_answered_is_sent_again_under_its_id(meet: Meet, shelf: str) -> None:
    person, peer = await open_session(meet, shelf)
    first = await settled(peer)
    await becomes(person, "opened.link.phase === 'settled'")
    await value(person, "opened.say('Hello')")
    sent = await first.receive()
    await first.close()
    second = await settled(peer)
    assert await second.receive() == sent
    message = event(1, "user_message", turn="t", submission=sent["id"], text="Hello", author="dev")
    second.send(message, {"type": "accepted", "id": sent["id"], "seq": 1, "duplicate": True})
    await becomes(person, "opened.outbox.items.length === 0")


async def test_what_was_written_without_a_connection_outlives_a_reload(
    meet: Meet, shelf: str
) -> None:
    person, peer = await open_session(meet, shelf)
    await peer.accept()
    await value(person, "opened.say('Later')")
    await person.page.reload()
    await person.run("/static/session.js", START)
    connection = await settled(peer)
    assert (await connection.receive())["text"] == "Later"


async def test_a_stop_is_not_kept_for_later(meet: Meet, shelf: str) -> None:
    person, peer = await open_session(meet, shelf)
    await peer.accept()
    await value(person, "opened.stop()")
    assert await value(person, "[told, opened.outbox.items.length]") == [["not_connected"], 0]


async def test_a_hole_makes_it_ask_again_from_the_last_good_event(meet: Meet, shelf: str) -> None:
    _, peer = await open_session(meet, shelf)
    first = await settled(peer, USER)
    first.send(event(5, "notice", code="x", text="too far ahead"))
    second = await peer.accept()
    assert second.asked["after"] == "1"


async def test_heartbeats_tell_of_an_event_that_never_came(meet: Meet, shelf: str) -> None:
    _, peer = await open_session(meet, shelf)
    first = await settled(peer, USER)
    beat = {"type": "heartbeat", "head": 4, "at": "2026-11-20T19:00:00.000Z"}
    first.send(beat, beat)
    second = await peer.accept()
    assert second.asked["after"] == "1"


@pytest.mark.parametrize(
    ("code", "reason"), [(4404, "no_such_session"), (4401, "unauthenticated"), (1000, "ended")]
)
async def test_it_gives_up_when_there_is_nothing_to_come_back_to(
    meet: Meet, shelf: str, code: int, reason: str
) -> None:
    person, peer = await open_session(meet, shelf)
    connection = await settled(peer)
    await connection.close(code)
    await becomes(person, f"opened.link.reason === '{reason}'")
    assert not peer.dialled_again


async def test_a_refused_message_is_kept_for_its_writer(meet: Meet, shelf: str) -> None:
    person, peer = await open_session(meet, shelf)
    connection = await settled(peer)
    await becomes(person, "opened.link.phase === 'settled'")
    await value(person, "opened.say('One too many')")
    sent = await connection.receive()
    refusal = {"code": "too_many_queued", "message": "20 of 20 are queued."}
    connection.send({"type": "refused", "id": sent["id"], **refusal})
    await becomes(person, "opened.outbox.items[0].state === 'refused'")
    assert await value(person, "opened.outbox.items[0].frame.text") == "One too many"


async def test_a_steered_message_leaves_the_queue_before_it_is_sent(meet: Meet, shelf: str) -> None:
    person, peer = await open_session(meet, shelf)
    queued = event(1, "input_queued", submission="q1", text="Wait", delivery="queue",
                   author="dev", attachments=["a.csv"])  # fmt: skip
    connection = await settled(peer, queued)
    await becomes(person, "opened.link.phase === 'settled'")
    await value(person, "opened.steerNow({submission: 'q1', text: 'Wait'})")
    withdrawal = await connection.receive()
    assert (withdrawal["type"], withdrawal["submission"]) == ("withdraw", "q1")
    connection.send({"type": "accepted", "id": withdrawal["id"], "seq": 2})
    steered = await connection.receive()
    assert (steered["text"], steered["delivery"], steered["attachments"]) == (
        "Wait", "steer", ["a.csv"],
    )  # fmt: skip


async def test_a_decision_older_than_ten_minutes_is_asked_again(meet: Meet, shelf: str) -> None:
    person = await meet(shelf)
    script = """({Outbox}) => {
      let now = 0;
      const outbox = new Outbox('s1', {now: () => now});
      outbox.add({id: 'a1', type: 'approval'});
      outbox.add({id: 'u1', type: 'user_input'});
      now = 600001;
      const stale = outbox.takeStale().map(({frame}) => frame.id);
      return [stale, outbox.unanswered().map(({frame}) => frame.id)];
    }"""
    assert await person.run("/static/outbox.js", script) == [["a1"], ["u1"]]


async def test_back_off_grows_to_thirty_seconds_and_starts_anew_after_success(
    meet: Meet, shelf: str
) -> None:
    person = await meet(shelf)
    script = """({Link}) => {
      const waits = [];
      window.setTimeout = (run, ms) => { waits.push(ms); return 0; };
      const made = [];
      window.WebSocket = class { constructor() { made.push(this); } close() {} };
      const link = new Link({address: () => 'ws://x', settled: (f) => f.type === 'synced',
        received() {}, changed() {}, random: () => 1});
      link.start();
      const fail = () => {
        made.at(-1).onclose({code: 1006});
        const wait = waits.at(-1);
        link.dialNow();
        return wait;
      };
      const lost = Array.from({length: 9}, fail);
      made.at(-1).onmessage({data: '{"type": "synced"}'});
      return [...lost, fail()];
    }"""
    waits = await person.run("/static/link.js", script)
    assert waits == [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 500]
