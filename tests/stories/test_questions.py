"""Servers of tools that ask a person: what all who watch see of it, and what the server is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.agent.sandbox.running import become
from tests.agent.tools.mcp_stage import over_http
from tests.client import Viewer
from tests.fakes.mcp import ROGUE, WORKSHOP
from tests.model_server import CallScript, Reply
from tests.oracle import Frame
from tests.serving import Server
from tests.stories.conftest import overlay
from tests.stories.scene import UNTIL_GO, Story, StoryModel, bash, calls, shown
from tests.stories.test_audit import acts, hash_of

MOST = {"start_seconds": 60, "timeout_seconds": 60}
GOOD = {"email": "ada@example.org", "size": "l", "copies": 2, "gift": True, "extras": ["bow"]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a server that does not work as others do leaves what it has to say."""
    return tmp_path_factory.mktemp("questions")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(model: StoryModel, place: Path) -> AsyncIterator[Server]:
    async with over_http() as url:
        servers = {
            "form": {"command": [*ROGUE, "form", str(place)], **MOST},
            "brief": {"command": [*ROGUE, "form", str(place)], **MOST, "timeout_seconds": 10},
            "page": {"command": [*ROGUE, "page", str(place)], **MOST},
            "hasty": {"command": [*ROGUE, "form", str(place)], **MOST, "patience_seconds": 0.01},
            "shop": {"command": list(WORKSHOP), **MOST},
            "far": {"url": url, **MOST},
        }
        allowed = {"tool": "mcp_*", "decision": "allow"}
        config = overlay({"mcp_servers": servers, "approval": {"rules": [allowed]}})
        folder = place / "server"
        folder.mkdir()
        async with Server(folder, model.url, config=config) as server:
            yield server


async def inquired(story: Story, viewer: Viewer, tool: str, *, ends: bool = True) -> Frame:
    """A turn whose call has come to its question; without an end it needs no more replies."""
    story.model.play(calls(CallScript(tool, {})), *([Reply(text="So be it.")] if ends else []))
    await viewer.say("Go")
    return await viewer.until("question_asked")


async def told(story: Story, viewer: Viewer) -> str:
    """What the server that asked was told, as it printed it."""
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "completed"
    output = str(viewer.of("tool_output")[-1]["output"])
    assert output.splitlines()[-1] in shown(story.model.requests[-1]).replace('\\"', '"')
    return output


async def test_a_form_is_asked_and_its_answer_goes_to_the_server(story: Story) -> None:
    session, viewer = await story.begin()
    asked = await inquired(story, viewer, "mcp_form_work")
    assert (asked["server"], asked["message"]) == ("form", "How shall we ship it?")
    kinds = {field["name"]: field["kind"] for field in asked["fields"]}
    assert kinds == {
        "email": "string",
        "size": "choice",
        "copies": "integer",
        "gift": "boolean",
        "extras": "choices",
    }
    row = await story.api.look(session)
    assert (row["state"], row["pending_questions"]) == ("running", 1)
    answered = await viewer.accepted(
        "answer", question=asked["question"], action="accept", content=GOOD
    )
    event = await viewer.until("question_answered")
    assert event["seq"] == answered["seq"]
    assert (event["content"], event["by"]) == (GOOD, "dev")
    output = await told(story, viewer)
    assert '"action": "accept"' in output
    assert '"email": "ada@example.org"' in output
    # Written in the order of all commits, so before the end of the turn.
    (kept,) = [act for act in await acts(story.api, "answer") if act["session"] == session]
    assert (kept["who"], kept["detail"]["question"]) == ("dev", asked["question"])
    assert (kept["detail"]["action"], kept["detail"]["content"]) == ("accept", hash_of(GOOD))
    assert (await story.api.look(session))["pending_questions"] == 0


@pytest.mark.parametrize("name", ["shop", "far"])
async def test_newer_servers_ask_as_well_over_either_transport(story: Story, name: str) -> None:
    _, viewer = await story.begin()
    asked = await inquired(story, viewer, f"mcp_{name}_ask")
    content = {"name": "Ada"}
    await viewer.accepted("answer", question=asked["question"], action="accept", content=content)
    assert (await told(story, viewer)).endswith("Ada")


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_person_may_decline_or_cancel(story: Story, action: str) -> None:
    _, viewer = await story.begin()
    asked = await inquired(story, viewer, "mcp_form_work")
    await viewer.accepted("answer", question=asked["question"], action=action)
    assert f'"action": "{action}"' in await told(story, viewer)


async def test_two_devices_see_one_truth_and_the_first_answer_wins(story: Story) -> None:
    session, one = await story.begin()
    other = await story.join(session)
    asked = await inquired(story, one, "mcp_form_work")
    await other.until("question_asked", question=asked["question"])
    late = await story.join(session)
    assert late.of("question_asked") == [asked], "who comes later sees it, too"
    await other.accepted("answer", question=asked["question"], action="decline", id="d1")
    await one.until("question_answered", question=asked["question"])
    refused = await one.ask(
        {"type": "answer", "id": "d2", "question": asked["question"], "action": "decline"}
    )
    assert (refused["type"], refused["code"]) == ("refused", "already_decided")
    again = await other.accepted("answer", question=asked["question"], action="decline", id="d1")
    assert again["duplicate"]
    await told(story, one)


async def test_an_answer_that_does_not_fit_is_refused_by_the_name_of_its_field(
    story: Story,
) -> None:
    _, viewer = await story.begin()
    asked = await inquired(story, viewer, "mcp_form_work")
    for content, named in (
        ({}, "content.email"),
        ({**GOOD, "email": "ada"}, "content.email"),
        ({**GOOD, "copies": 10}, "content.copies"),
        ({**GOOD, "colour": "red"}, "content.colour"),
        ({**GOOD, "email": "hf_" + "a1" * 17}, "content.email"),
    ):
        frame = {"type": "answer", "question": asked["question"], "action": "accept"}
        refused = await viewer.ask({**frame, "id": "wrong", "content": content})
        assert (refused["code"], named in refused["message"]) == ("malformed", True)
    stale = {"type": "answer", "id": "x", "question": "question-none", "action": "decline"}
    assert (await viewer.ask(stale))["code"] == "no_such_question"
    await viewer.accepted("answer", question=asked["question"], action="cancel")
    await told(story, viewer)
    assert (await viewer.ask({**stale, "id": "y"}))["code"] == "nothing_asked"


async def test_a_credential_typed_into_a_form_goes_nowhere(story: Story) -> None:
    session, viewer = await story.begin()
    asked = await inquired(story, viewer, "mcp_shop_ask")
    token = "hf_" + "b2" * 17
    frame = {"type": "answer", "id": "a", "question": asked["question"], "action": "accept"}
    refused = await viewer.ask({**frame, "content": {"name": token}})
    assert refused["code"] == "malformed"
    await viewer.accepted("answer", question=asked["question"], action="decline")
    await told(story, viewer)
    assert token not in str(await story.api.events(session))


async def test_a_page_to_open_is_named_with_its_host(story: Story) -> None:
    _, viewer = await story.begin()
    asked = await inquired(story, viewer, "mcp_page_work")
    assert "fields" not in asked
    assert (asked["host"], asked["url"]) == (
        "shop.example.org",
        "https://shop.example.org/sign-in?order=7",
    )
    frame = {"type": "answer", "id": "a", "question": asked["question"], "action": "accept"}
    assert (await viewer.ask({**frame, "content": {}}))["code"] == "malformed"
    await viewer.accepted("answer", question=asked["question"], action="accept")
    assert '"action": "accept"' in await told(story, viewer)


async def test_auto_approval_answers_no_question(story: Story) -> None:
    _, viewer = await story.begin()
    await viewer.accepted("set_auto_approval", enabled=True)
    asked = await inquired(story, viewer, "mcp_form_work")
    await viewer.accepted("answer", question=asked["question"], action="decline")
    await told(story, viewer)


async def test_who_waits_longer_than_the_call_may_take_is_still_heard(story: Story) -> None:
    """The time-out of `brief` is ten seconds; a command beside it takes longer than that."""
    session, viewer = await story.begin()
    longer = bash(f"{UNTIL_GO}; sleep 11; echo slept")
    story.model.play(calls(CallScript("mcp_brief_work", {}), longer), Reply(text="Both."))
    await viewer.say("Go")
    asked = await viewer.until("question_asked")
    await story.put(session, "go")  # or the command would be over where a question comes late
    await viewer.until("tool_output", status="ok")
    await viewer.accepted("answer", question=asked["question"], action="accept", content=GOOD)
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "completed"
    assert [o["status"] for o in viewer.of("tool_output")] == ["ok", "ok"]


async def test_nobody_waits_for_a_person_for_ever(story: Story) -> None:
    _, viewer = await story.begin()
    await inquired(story, viewer, "mcp_hasty_work")
    answered = await viewer.until("question_answered")
    assert (answered["action"], answered["by"]) == ("cancel", "mooring")
    assert "submission" not in answered
    assert '"action": "cancel"' in await told(story, viewer)


async def test_an_interrupt_closes_the_question_at_the_server_too(
    story: Story, place: Path
) -> None:
    _, viewer = await story.begin()
    asked = await inquired(story, viewer, "mcp_form_work", ends=False)
    await viewer.accepted("interrupt")
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "interrupted"
    assert [o["status"] for o in viewer.of("tool_output")] == ["cancelled"]
    await become((place / "cancelled").exists)
    late = {"type": "answer", "id": "late", "question": asked["question"], "action": "decline"}
    assert (await viewer.ask(late))["code"] == "nothing_asked"
    again = await inquired(story, viewer, "mcp_form_work")
    await viewer.accepted("answer", question=again["question"], action="decline")
    await viewer.until("turn_ended", turn=again["turn"])


async def test_a_helper_asks_nobody(story: Story) -> None:
    """What a server asks during a research is declined: there is no person there."""
    _, viewer = await story.begin()
    look = CallScript("mcp_shop_wonder", {})
    story.model.play(
        calls(CallScript("research", {"task": "Wonder"})),
        calls(look),
        Reply(text="It was declined."),
        Reply(text="So."),
    )
    await viewer.say("Go")
    await viewer.until("turn_ended")
    assert not viewer.of("question_asked")
    (step,) = viewer.of("step")
    assert "decline" in step["output"]


async def test_after_a_crash_the_call_is_unknown_and_nothing_is_asked(story: Story) -> None:
    session, viewer = await story.begin()
    asked = await inquired(story, viewer, "mcp_form_work", ends=False)
    await story.restart()
    again = await story.join(session)
    (output,) = again.of("tool_output")
    assert (output["status"], again.of("turn_ended")[0]["reason"]) == ("unknown", "server_restart")
    assert (await story.api.look(session))["pending_questions"] == 0
    late = {"type": "answer", "id": "late", "question": asked["question"], "action": "decline"}
    assert (await again.ask(late))["code"] == "nothing_asked"
