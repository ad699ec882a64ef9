"""Alive, ready, who asks, which models, and the metrics."""

from pathlib import Path

import pytest
from msgspec import structs

from agent.errors import Unrecorded
from server.keys import CATALOGUE, READINESS
from server.store.port import Append
from tests.server.routes.doors import Doors, doors
from tests.server.sessions.house import AT, eventually


async def test_alive_is_alive(guarded: Doors) -> None:
    answer = await guarded.call("GET", "/healthz", user=None)
    assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_ready_says_what_is_missing_until_nothing_is(guarded: Doors) -> None:
    readiness = guarded.app[READINESS]
    answer = await guarded.call("GET", "/readyz", user=None)
    assert (answer.status, answer.json["ready"]) == (503, False)
    reasons = answer.json["reasons"]
    assert len(reasons) == 2
    readiness.done(reasons[0])
    readiness.warn("Commands cannot run.")
    readiness.failed(reasons[1], "no network")
    answer = await guarded.call("GET", "/readyz", user=None)
    assert (answer.status, answer.json["reasons"]) == (503, [f"{reasons[1]}: no network"])
    readiness.done(f"{reasons[1]}: no network")
    answer = await guarded.call("GET", "/readyz", user=None)
    assert answer.status == 200
    assert answer.json == {"ready": True, "reasons": [], "warnings": ["Commands cannot run."]}


async def test_it_is_not_ready_while_no_commit_succeeds(guarded: Doors) -> None:
    for reason in guarded.app[READINESS].report.reasons:
        guarded.app[READINESS].done(reason)
    row = await guarded.store.row(await guarded.session())
    assert row is not None
    unwritable = structs.replace(row.indexed, title=None)
    with pytest.raises(Unrecorded) as failure:
        await guarded.store.append(Append(row.id, 2, AT, (b"{}",), (), (), (), unwritable))
    answer = await guarded.call("GET", "/readyz", user=None)
    assert (answer.status, answer.json["reasons"]) == (503, [failure.value.message])
    await eventually(lambda: not guarded.store.complaint)
    assert (await guarded.call("GET", "/readyz", user=None)).status == 200


async def test_who_asks_is_told_by_the_token(guarded: Doors) -> None:
    for user, role in (("ada", "user"), ("eve", "operator")):
        answer = await guarded.call("GET", "/api/me", user=user)
        assert answer.json == {
            "user": {"id": user, "name": user, "role": role},
            "auth": "token",
        }


async def test_models_say_why_they_cannot_be_used(guarded: Doors) -> None:
    offered = (await guarded.call("GET", "/api/models")).json
    assert offered["default"] == "openai/test-model"
    by_id = {model["id"]: model for model in offered["models"]}
    assert by_id["demo"] == {"id": "demo", "label": "Demo", "context": 200_000, "available": True}
    assert not by_id["far/away"]["available"]
    assert "FAR_KEY" in by_id["far/away"]["why_not"]
    assert "Keep FAR_KEY among your secrets" in by_id["far/away"]["why_not"]
    assert [o.id for o in guarded.app[CATALOGUE].host.offers()] == list(by_id)


async def test_metrics_count_what_there_is(guarded: Doors) -> None:
    await guarded.session()
    answer = await guarded.call("GET", "/metrics", user=None)
    assert answer.headers["Content-Type"].startswith("text/plain")
    figures = dict(
        line.rsplit(" ", 1) for line in answer.body.decode().splitlines() if line[0] != "#"
    )
    assert float(figures["mooring_sessions_stored"]) == 1
    assert float(figures["mooring_sessions_live"]) == 0
    assert float(figures["mooring_cost_today_usd"]) == 0
    assert float(figures["mooring_resident_memory_bytes"]) > 1_000_000


async def test_a_cost_that_is_unknown_is_left_out(guarded: Doors) -> None:
    session = await guarded.session()
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.until("status")
        await socket.say("user_input", "c1", text="Hello")
        await socket.until("turn_ended")
    assert b"mooring_cost_today_usd" not in (await guarded.call("GET", "/metrics")).body


async def test_metrics_are_for_the_machine_and_operators_alone(tmp_path: Path) -> None:
    async with doors(tmp_path, remote="10.1.2.3") as here:
        assert (await here.call("GET", "/metrics", user=None)).error == (401, "unauthorized")
        assert (await here.call("GET", "/metrics", user="ada")).error == (403, "forbidden")
        assert (await here.call("GET", "/metrics", user="eve")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "mooring.example"},
        {"Host": "[::1"},
        {"Host": "localhost.example:8765"},
        {"X-Forwarded-For": "10.1.2.3"},
        {"x-forwarded-proto": "https"},
        {"Forwarded": "for=10.1.2.3"},
        {"Via": "1.1 proxy"},
    ],
)
async def test_who_comes_through_a_proxy_on_this_machine_is_not_the_machine(
    headers: dict[str, str], guarded: Doors
) -> None:
    asked = await guarded.call("GET", "/metrics", user=None, headers=headers)
    assert asked.error == (401, "unauthorized")
    asked = await guarded.call("GET", "/metrics", user="eve", headers=headers)
    assert asked.status == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8765", "[::1]:8765"])
async def test_the_machine_may_call_itself_as_it_likes(host: str, guarded: Doors) -> None:
    asked = await guarded.call("GET", "/metrics", user=None, headers={"Host": host})
    assert asked.status == 200
