"""Files go into, are listed in, and come out of a session's workspace, and nowhere else."""

import asyncio

import pytest

from tests.model_server import CallScript, Reply
from tests.oracle import TIME
from tests.stories.scene import Story, bash, calls, form

ESCAPES = [
    "../outside.txt",
    "..%2foutside.txt",
    "%2e%2e/outside.txt",
    "a/../../outside.txt",
    "a/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%2fetc%2fpasswd",
]


async def test_an_uploaded_file_is_listed_and_comes_back(story: Story) -> None:
    session = await story.api.session()
    path = f"/api/sessions/{session}/files"
    answer = await story.api.call("POST", path, data=form("data 🛟.csv", b"a,b\n1,2\n"))
    assert answer.status == 201
    (file,) = answer.json["files"]
    assert file == {"path": "data 🛟.csv", "size": 8, "modified": file["modified"]}
    assert TIME.fullmatch(file["modified"])
    assert (await story.api.good("GET", path))["files"] == [file]
    back = await story.api.get(f"{path}/data 🛟.csv")
    assert (back.status, back.body) == (200, b"a,b\n1,2\n")
    assert back.headers["content-disposition"].startswith("attachment")
    assert back.headers["x-content-type-options"] == "nosniff"


async def test_an_upload_replaces_what_had_its_name(story: Story) -> None:
    session = await story.api.session()
    path = f"/api/sessions/{session}/files"
    await story.put(session, "a.txt", b"one, and longer")
    await story.put(session, "a.txt", b"two")
    assert (await story.api.get(f"{path}/a.txt")).body == b"two"
    assert len((await story.api.good("GET", path))["files"]) == 1


async def test_an_upload_lands_in_the_root_whatever_its_name_says(story: Story) -> None:
    session = await story.api.session()
    path = f"/api/sessions/{session}/files"
    for name in ("../../evil.txt", "/etc/evil.txt", "d/e/evil.txt", ".."):
        answer = await story.api.call("POST", path, data=form(name, b"x"))
        assert answer.status in (201, 400), name
        assert answer.status == 201 or answer.code == "bad_path"
    listed = [file["path"] for file in (await story.api.good("GET", path))["files"]]
    assert listed in ([], ["evil.txt"])


async def test_tools_see_uploads_and_their_files_come_out(story: Story) -> None:
    session, viewer = await story.begin()
    await story.put(session, "in.txt", b"hello")
    command = bash("mkdir -p d/e; tr a-z A-Z < in.txt > d/e/out.txt; printf '\\000\\377' > raw.bin")
    await story.turn(viewer, "Go", calls(command), Reply(text="Done."))
    path = f"/api/sessions/{session}/files"
    listed = {file["path"]: file["size"] for file in (await story.api.good("GET", path))["files"]}
    assert listed == {"in.txt": 5, "d/e/out.txt": 5, "raw.bin": 2}
    assert (await story.api.get(f"{path}/d/e/out.txt")).body == b"HELLO"
    assert (await story.api.get(f"{path}/raw.bin")).body == b"\x00\xff"


async def test_what_is_not_there_is_not_found(story: Story) -> None:
    session = await story.api.session()
    answer = await story.api.get(f"/api/sessions/{session}/files/nowhere.txt")
    assert (answer.status, bool(answer.code)) == (404, True)
    assert (await story.api.good("GET", f"/api/sessions/{session}/files"))["files"] == []


@pytest.mark.parametrize("escape", ESCAPES)
async def test_no_path_leads_out_of_the_workspace(story: Story, escape: str) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "Go", calls(bash("mkdir a")), Reply(text="Done."))
    status, body = await raw_get(story, f"/api/sessions/{session}/files/{escape}")
    assert status in (400, 404)
    assert b"root:" not in body


async def raw_get(story: Story, path: str) -> tuple[int, bytes]:
    """A request whose path nobody tidies up on the way."""
    host, port = story.server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    response = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(response.split()[1]), response


async def test_symbolic_links_are_not_followed(story: Story) -> None:
    session, viewer = await story.begin()
    command = "ln -s /etc/passwd link.txt; ln -s / root; mkdir d; echo x > d/f.txt; ln -s d inner"
    await story.turn(viewer, "Go", calls(bash(command)), Reply(text="Done."))
    path = f"/api/sessions/{session}/files"
    for name in ("link.txt", "root/etc/passwd", "inner/f.txt"):
        answer = await story.api.get(f"{path}/{name}")
        assert (answer.status, answer.code) == (400, "bad_path"), name
    assert (await story.api.get(f"{path}/d/f.txt")).body == b"x\n"
    # Nor is one written through.
    answer = await story.api.call("POST", path, data=form("link.txt", b"mine"))
    assert answer.status in (201, 400)
    look = calls(bash("cat /etc/passwd | head -c 4; echo; cat link.txt"))
    await story.turn(viewer, "Look", look, Reply(text="Done."))
    assert not viewer.of("tool_output")[-1]["output"].startswith("mine")


async def test_an_upload_without_a_file_is_a_bad_request(story: Story) -> None:
    session = await story.api.session()
    path = f"/api/sessions/{session}/files"
    answer = await story.api.call("POST", path, {"file": "x"})
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_every_session_has_a_workspace_of_its_own(story: Story) -> None:
    one, two = await story.api.session(), await story.api.session()
    await story.put(one, "mine.txt", b"x")
    assert (await story.api.good("GET", f"/api/sessions/{two}/files"))["files"] == []
    answer = await story.api.get(f"/api/sessions/{two}/files/mine.txt")
    assert answer.status == 404


async def test_read_gives_lines_from_an_offset(story: Story) -> None:
    session, viewer = await story.begin()
    await story.put(session, "n.txt", b"".join(b"line-%d\n" % n for n in range(1, 101)))
    scripts = calls(
        CallScript("read", {"path": "n.txt"}),
        CallScript("read", {"path": "n.txt", "offset": 50, "limit": 2}),
        CallScript("read", {"path": "nowhere.txt"}),
        CallScript("read", {"path": "/etc/passwd"}),
        CallScript("read", {"path": "../../../../etc/passwd"}),
    )
    await story.turn(viewer, "Read", scripts, Reply(text="Done."))
    order = [call["call"] for call in viewer.of("tool_call")]
    outputs = sorted(viewer.of("tool_output"), key=lambda output: order.index(output["call"]))
    assert [output["status"] for output in outputs] == ["ok", "ok", "error", "error", "error"]
    assert "line-1\n" in outputs[0]["output"]
    assert "line-100" in outputs[0]["output"]
    part = outputs[1]["output"]
    assert sum(f"line-{n}" in part.split() for n in range(1, 101)) == 2
    assert "line-50" in part.split()
    assert all("root:" not in output["output"] for output in outputs)


async def test_write_and_edit_change_files(story: Story) -> None:
    session, viewer = await story.begin()
    steps = [
        calls(CallScript("write", {"path": "d/a.txt", "content": "one two two\n"})),
        calls(CallScript("read", {"path": "d/a.txt"})),
        calls(CallScript("edit", {"path": "d/a.txt", "old": "one", "new": "1"})),
        calls(CallScript("edit", {"path": "d/a.txt", "old": "two", "new": "2", "all": True})),
        calls(CallScript("edit", {"path": "d/a.txt", "old": "three", "new": "3"})),
    ]
    await story.turn(viewer, "Write", *steps, Reply(text="Done."))
    statuses = [output["status"] for output in viewer.of("tool_output")]
    assert statuses == ["ok", "ok", "ok", "ok", "error"]
    answer = await story.api.get(f"/api/sessions/{session}/files/d/a.txt")
    assert answer.body == b"1 2 2\n"


async def test_a_command_has_no_network_no_host_files_and_no_keys(story: Story) -> None:
    _, viewer = await story.begin()
    other = await story.api.session()
    await story.put(other, "secret.txt")
    data = story.server.data
    port = story.server.url.rsplit(":", 1)[1]
    commands = [
        f"find {data} 2>&1; echo end",
        f"(echo > /dev/tcp/127.0.0.1/{port}) 2>&1 && echo reached; echo end",
        "env; cat /proc/1/environ 2>/dev/null; echo end",
        "id -u; touch /usr/x 2>&1 && echo wrote; echo end",
    ]
    scripts = calls(*(bash(f"bash -c '{command}'") for command in commands))
    await story.turn(viewer, "Look around", scripts, Reply(text="Done."))
    text = "\n".join(output["output"] for output in viewer.of("tool_output"))
    assert text.count("end") == len(commands)
    assert "reached" not in text
    assert "wrote" not in text
    assert "secret.txt" not in text
    kept = [path.name for path in data.iterdir() if path.is_file()]
    assert kept
    assert all(name not in text for name in kept)


async def test_a_command_has_a_timeout(story: Story) -> None:
    _, viewer = await story.begin()
    for timeout in (1, 5, 25):  # the first may be over before a busy machine gets to say `begun`
        script = calls(bash("echo begun; sleep 1000", timeout=timeout))
        ended = await story.turn(viewer, "Wait", script, Reply(text="Too slow."))
        output = viewer.of("tool_output")[-1]
        assert output["status"] == "error"
        assert timeout - 0.1 < output["seconds"] < 100
        assert ended["status"] == "completed"
        if output["output"].startswith("begun"):
            break
    else:
        raise AssertionError(viewer.of("tool_output"))
