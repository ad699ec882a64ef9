"""The server as a process: when it is ready, how it starts not at all, and how it goes."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.beside import beside, ended
from tests.api import Api
from tests.client import Viewer
from tests.model_server import Gate, ModelServer, Reply
from tests.serving import Server


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as model:
        yield model


def test_a_server_without_log_ins_and_secrets_loads_nothing_for_them() -> None:
    program = (
        "import sys, server.app\n"
        "unused = {'cryptography', 'joserfc', 'litellm', 'mcp', 'huggingface_hub'}\n"
        "assert not unused & {name.split('.')[0] for name in sys.modules}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--auth", "oauth"), "oauth"),
        (("--host", "0.0.0.0"), "only loopback is served, not 0.0.0.0"),
        (("--host", "192.0.2.1", "--insecure-no-auth"), "address"),
    ],
)
async def test_it_does_not_start_where_it_would_be_wrong_and_says_why(
    arguments: tuple[str, ...], says: str, model: ModelServer, tmp_path: Path
) -> None:
    server = Server(tmp_path, model.url)
    data = ("--data-dir", str(server.data), "--port", "0", "--no-browser")
    status, printed = await server.command("serve", *arguments, *data)
    assert (status != 0, printed) == (True, "")
    assert says in server.stderr
    assert "Traceback" not in server.stderr


@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        ({"limits": {"x": 1}}, "`limits.x` is not a setting"),
        (
            {"approval": {"rules": [{"tool": "bash", "match": {"c": "("}, "decision": "ask"}]}},
            "is not a regular expression",
        ),
    ],
)
async def test_a_mistake_in_the_settings_is_exit_2(
    overlay: object, says: str, model: ModelServer, tmp_path: Path
) -> None:
    server = Server(tmp_path, model.url)
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(overlay))
    status, _ = await server.command(
        *("serve", "--config", str(file), "--data-dir", str(server.data), "--port", "0")
    )
    assert status == 2
    assert says in server.stderr
    assert "Traceback" not in server.stderr


async def test_with_a_token_in_the_store_it_asks_for_one(
    model: ModelServer, tmp_path: Path
) -> None:
    server = Server(tmp_path, model.url)
    status, printed = await server.command(
        *("token", "create", "--user", "ada", "--data-dir", str(server.data))
    )
    assert status == 0
    async with server, Api(server.url) as nobody:
        assert (await nobody.get("/api/me")).code == "unauthorized"
        headers = {"Authorization": f"Bearer {printed.strip()}"}
        async with Api(server.url, headers) as ada:
            assert (await ada.good("GET", "/api/me"))["user"]["id"] == "ada"


async def test_told_to_stop_it_ends_turns_and_viewers_and_is_gone_within_ten_seconds(
    model: ModelServer, tmp_path: Path
) -> None:
    async with Server(tmp_path, model.url) as server, Api(server.url) as api:
        talks, runs = [await api.session() for _ in range(2)]
        gate = Gate()
        async with (
            Viewer(server.url, talks) as talking,
            Viewer(server.url, runs) as other,
            Viewer(server.url, runs),
        ):
            await talking.synced()
            await other.synced()
            model.play(Reply(text="Half a sentence that goes on", hold={2: gate}))
            await talking.say("Talk")
            await gate.reached.wait()
            server.signal(signal.SIGTERM)
            ended = await talking.until("turn_ended")
            assert (ended["status"], ended["reason"]) == ("interrupted", "server_restart")
            assert [await talking.closed(), await other.closed()] == [1012, 1012]
            assert talking.frames[-1]["type"] == other.frames[-1]["type"] == "bye"
            assert await server.exited() == 0
        gate.set()
    assert "Traceback" not in server.stderr


async def test_a_second_signal_ends_it_at_once(model: ModelServer, tmp_path: Path) -> None:
    server = Server(tmp_path, model.url)
    status, said = 0, ""
    for _ in range(5):  # a second signal that is slow to come finds it gone by itself, with 0
        before = len(server.stderr)
        async with server, Api(server.url) as api:
            reader, writer = await silent_viewer(server.url, await api.session())
            server.signal(signal.SIGTERM)
            await asyncio.wait_for(reader.readuntil(b"bye"), 60)
            server.signal(signal.SIGTERM)
            status, said = await server.exited(), server.stderr[before:]
            writer.close()
        if status == 1:
            break
    assert status == 1
    assert "leaving it behind" not in said


async def test_a_viewer_that_never_answers_keeps_it_no_longer_than_ten_seconds(
    model: ModelServer, tmp_path: Path
) -> None:
    async with Server(tmp_path, model.url) as server, Api(server.url) as api:
        writers = []
        for _ in range(3):
            _, writer = await silent_viewer(server.url, await api.session())
            writers.append(writer)
        assert await server.terminate() == 0
        for writer in writers:
            writer.close()


async def test_ready_warns_of_a_sandbox_that_is_missing(model: ModelServer, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    server = Server(tmp_path, model.url, environment={"PATH": str(empty)})
    async with server, Api(server.url) as api:
        report = await api.good("GET", "/readyz")
        assert (report["ready"], report["reasons"]) == (True, [])
        assert "bubblewrap" in report["warnings"][0]


async def test_work_beside_requests_that_fails_is_told_of_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails() -> None:
        raise ValueError("a mistake")

    async def lasts() -> None:
        await asyncio.Event().wait()

    tasks = [beside(fails()), beside(lasts())]
    await asyncio.wait(tasks[:1])
    await asyncio.sleep(0)
    assert "a mistake" in caplog.text
    caplog.clear()
    await ended(tasks)
    assert tasks[1].cancelled()
    assert caplog.text == ""


BLOCKED = """
import threading
from server.stopping import exit_within
from server.logs import configure
configure("text", "info")
exit_within(0.1)
threading.Event().wait()
"""


async def test_whatever_blocks_it_the_process_ends_in_time_and_says_so() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BLOCKED, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"not all that runs has ended within 0.1 s" in said


async def silent_viewer(
    url: str, session: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket that was opened and is never answered on again."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /api/sessions/{session}/socket HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"synced")
    return reader, writer
