"""Credentials are in no event, no delta, no export, and not in what the model is shown."""

import json
import shlex

import pytest

from tests.agent.test_redaction import SECRETS
from tests.client import Viewer
from tests.model_server import CallScript, Gate, Reply
from tests.stories.scene import Story, bash, calls

FORMATS = {name: secret for name, secret in SECRETS.items() if name != "known"}
TOKEN = "hf_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3x"
HIDDEN = "[hidden: Hugging Face token]"


async def outside(story: Story, session: str) -> str:
    """All of a session that can be had over HTTP."""
    paths = ("", "/events?limit=500", "/export?format=md", "/export?format=jsonl")
    answers = [await story.api.call("GET", f"/api/sessions/{session}{path}") for path in paths]
    return "\n".join(answer.body.decode() for answer in answers)


def frames(viewer: Viewer) -> str:
    return json.dumps(viewer.frames)


async def test_what_a_person_said_is_kept_without_it(story: Story) -> None:
    session, viewer = await story.begin(title=f"About {TOKEN}")
    await story.turn(viewer, f"My token is {TOKEN}.", Reply(text="Thanks."))
    assert viewer.of("user_message")[0]["text"] == f"My token is {HIDDEN}."
    assert f"My token is {HIDDEN}." in json.dumps(story.model.requests[0].messages)
    for shown in (frames(viewer), await outside(story, session)):
        assert HIDDEN in shown
        assert TOKEN not in shown
    found = await story.api.call("GET", f"/api/sessions?q={TOKEN}")
    assert found.json["sessions"] == []


async def test_the_same_message_again_is_still_the_same(story: Story) -> None:
    _, viewer = await story.begin()
    frame = {"type": "user_input", "id": "once", "text": f"It is {TOKEN}"}
    first = await viewer.ask(frame)
    again = await viewer.ask(frame)
    assert (again["type"], again["seq"], again["duplicate"]) == ("accepted", first["seq"], True)


@pytest.mark.parametrize("cut", [1, 3, 7, 20])
async def test_a_credential_cut_across_deltas_is_not_shown(story: Story, cut: int) -> None:
    session, viewer = await story.begin()
    text = f"Use {TOKEN} for it, not hf_hub_download."
    reply = Reply(pieces=[text[n : n + cut] for n in range(0, len(text), cut)])
    await story.turn(viewer, "Which token?", reply)
    clean = f"Use {HIDDEN} for it, not hf_hub_download."
    message = viewer.of("assistant_message")[0]
    assert message["text"] == clean
    deltas = [f for f in viewer.frames if f["type"] == "text_delta"]
    assert "".join(delta["text"] for delta in deltas) == clean
    assert TOKEN[:12] not in frames(viewer) + await outside(story, session)


@pytest.mark.parametrize("kind", FORMATS)
async def test_every_kind_of_credential_is_hidden_wherever_it_is_cut(
    story: Story, kind: str
) -> None:
    secret = FORMATS[kind]
    places = (1, 2, len(secret) // 3, len(secret) - 1)
    session, viewer = await story.begin()
    for place in places:
        first, second = f"Use {secret[:place]}", f"{secret[place:]} for it."
        command = f"printf %s {shlex.quote(first)}; printf %s {shlex.quote(second)}"
        await story.put(session, "say.sh", command.encode())
        pieces = Reply(pieces=[first, second], reasoning=f"It is {secret}")
        await story.turn(viewer, f"Say {secret}", calls(bash("bash say.sh")), pieces)
    seen = frames(viewer) + await outside(story, session)
    asked = json.dumps([seen.body for seen in story.model.requests])
    for whole in (seen, asked):
        assert part_of(secret) not in whole
        assert whole.count("[hidden: ") >= len(places)
    outputs = {output["output"] for output in viewer.of("tool_output")}
    texts = {event["text"] for event in viewer.of("assistant_message") if event["text"]}
    assert (len(outputs), len(texts)) == (1, 1), "it makes no difference where it was cut"


def part_of(secret: str) -> str:
    """Something of it that stands nowhere else, as JSON writes it."""
    return json.dumps(secret)[1:-1][-12:]


async def test_what_a_tool_prints_is_hidden_from_people_and_from_the_model(story: Story) -> None:
    session, viewer = await story.begin()
    command = f"printf 'a hf_'; printf '%s b' {TOKEN.removeprefix('hf_')}"
    await story.turn(viewer, "Print it", calls(bash(command)), Reply(text="Done."))
    output = viewer.of("tool_output")[0]
    assert output["output"] == f"a {HIDDEN} b"
    assert output["size"] == len(output["output"])
    assert HIDDEN in json.dumps(story.model.requests[1].messages)
    assert TOKEN not in frames(viewer) + await outside(story, session)


async def test_a_sentence_that_is_stopped_ends_without_half_a_credential(story: Story) -> None:
    session, viewer = await story.begin()
    reply = Reply(pieces=["It is ", TOKEN[:10], TOKEN[10:30], " never"], hold={3: Gate()})
    story.model.play(reply)
    await viewer.say("Go")
    await viewer.shows("It is ")
    await viewer.accepted("interrupt")
    await viewer.until("turn_ended")
    message = viewer.of("assistant_message")[0]
    assert message["partial"] is True
    assert TOKEN[:12] not in frames(viewer) + await outside(story, session)


async def test_a_call_that_holds_one_is_not_run_without_it(story: Story) -> None:
    session, viewer = await story.begin()
    written = CallScript("write", {"path": "env", "content": f"TOKEN={TOKEN}"})
    await story.turn(viewer, "Write it", calls(written), Reply(text="I could not."))
    output = viewer.of("tool_output")[0]
    assert (output["status"], "held a credential" in output["output"]) == ("error", True)
    assert (await story.api.call("GET", f"/api/sessions/{session}/files")).json["files"] == []
    assert TOKEN not in frames(viewer)
