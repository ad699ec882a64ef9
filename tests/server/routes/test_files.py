"""Files go into a workspace and out of it, whole, by their own names, and never through a link."""

import asyncio
import os
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import FormData, ServerDisconnectedError

from agent.sandbox.capacity import Capacity, Disk
from agent.sandbox.port import SandboxLimits
from server.config import Config
from server.keys import WORKSPACES
from server.routes.files import MOST_UPLOADED
from tests.model_server import CallScript, Reply
from tests.server.routes.doors import Doors, doors
from tests.server.sessions.house import eventually, eventually_kept


def part(head: str, body: bytes) -> bytes:
    return b"--xyz\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n"


def file(name: str, body: bytes = b"1") -> bytes:
    return part(f'Content-Disposition: form-data; name="file"; filename="{name}"', body)


END = b"--xyz--\r\n"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=xyz"}


def tree(guarded: Doors, session: str) -> Path:
    return guarded.app[WORKSPACES].of(session).tree


async def names(guarded: Doors, session: str) -> list[str]:
    listed = await guarded.call("GET", f"/api/sessions/{session}/files")
    return [entry["path"] for entry in listed.json["files"]]


async def test_what_was_put_in_is_listed_and_comes_out_again(guarded: Doors) -> None:
    session, content = await guarded.session(), bytes(range(256)) * 4096
    put = await guarded.upload(session, "päper 1.bin", content)
    assert put.status == 201
    (entry,) = put.json["files"]
    assert (entry["path"], entry["size"]) == ("päper 1.bin", len(content))
    assert (await guarded.call("GET", f"/api/sessions/{session}/files")).json == put.json
    got = await guarded.call("GET", f"/api/sessions/{session}/files/p%C3%A4per%201.bin")
    assert got.body == content
    assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''p%C3%A4per%201.bin"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Type"] == "application/octet-stream"


async def test_a_file_replaces_the_one_of_its_name(guarded: Doors) -> None:
    session = await guarded.session()
    for content in (b"a long first one", b"", b"second"):
        await guarded.upload(session, "a.txt", content)
    got = await guarded.call("GET", f"/api/sessions/{session}/files/a.txt")
    assert got.body == b"second"
    assert await names(guarded, session) == ["a.txt"]


async def test_an_empty_file_is_a_file(guarded: Doors) -> None:
    session = await guarded.session()
    assert (await guarded.upload(session, "empty", b"")).status == 201
    assert (await guarded.call("GET", f"/api/sessions/{session}/files/empty")).body == b""


async def test_several_parts_are_several_files_and_other_parts_are_ignored(
    guarded: Doors,
) -> None:
    session, form = await guarded.session(), FormData()
    form.add_field("note", "not a file")
    for name in ("b", "a"):
        form.add_field("file", name.encode(), filename=name)
    form.add_field("other", b"x", filename="other")
    put = await guarded.call("POST", f"/api/sessions/{session}/files", data=form)
    assert [entry["path"] for entry in put.json["files"]] == ["a", "b"]
    assert await names(guarded, session) == ["a", "b"]


async def test_a_file_in_a_folder_comes_out_by_its_path(guarded: Doors) -> None:
    session = await guarded.session()
    (tree(guarded, session) / "out" / "deep").mkdir(parents=True)
    (tree(guarded, session) / "out" / "deep" / "a.txt").write_bytes(b"deep")
    got = await guarded.call("GET", f"/api/sessions/{session}/files/out/deep/a.txt")
    assert got.body == b"deep"
    assert await names(guarded, session) == ["out/deep/a.txt"]


@pytest.mark.parametrize(
    "name",
    ["..", ".", "a/b", "/etc/x", "..\\\\x", "a\\\\b", "a\0b", "n" * 300, "../x", "\udcff"],
)
async def test_a_name_that_leads_elsewhere_is_refused(name: str, guarded: Doors) -> None:
    session = await guarded.session()
    body = file("NAME").replace(b"NAME", name.encode(errors="surrogateescape")) + END
    path = f"/api/sessions/{session}/files"
    answer = await guarded.call("POST", path, data=body, headers=MULTIPART)
    assert answer.error[0] == 400, answer
    assert await names(guarded, session) == []


@pytest.mark.parametrize(
    ("link", "path"), [("link", "link"), ("link", "link/passwd"), ("dir/link", "dir/link")]
)
async def test_no_link_is_followed_listed_or_written_through(
    link: str, path: str, guarded: Doors, tmp_path: Path
) -> None:
    session = await guarded.session()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd").write_bytes(b"secret")
    place = tree(guarded, session) / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(outside if path.endswith("passwd") else outside / "passwd")
    got = await guarded.call("GET", f"/api/sessions/{session}/files/{path}")
    assert got.error == (400, "bad_path")
    assert await names(guarded, session) == []
    if "/" not in link:
        assert (await guarded.upload(session, link, b"x")).error == (400, "bad_path")
    assert (outside / "passwd").read_bytes() == b"secret"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("missing", (404, "no_such_file")),
        ("folder", (400, "bad_path")),
        ("folder/", (400, "bad_path")),
        ("%2e%2e/%2e%2e/x", (400, "bad_path")),
        ("..%2F..%2Fx", (400, "bad_path")),
        ("%2Fetc%2Fpasswd", (400, "bad_path")),
        ("a%00b", (400, "bad_path")),
        ("%FF", (404, "no_such_file")),
        ("pipe", (400, "bad_path")),
    ],
)
async def test_what_is_no_file_of_the_workspace_does_not_come_out(
    path: str, error: tuple[int, str], guarded: Doors
) -> None:
    session = await guarded.session()
    (tree(guarded, session) / "folder").mkdir()
    os.mkfifo(tree(guarded, session) / "pipe")
    got = await guarded.call("GET", f"/api/sessions/{session}/files/{path}")
    assert got.error == error


async def test_too_large_a_file_leaves_nothing_behind(tmp_path: Path) -> None:
    async with doors(tmp_path, upload_mib=1) as guarded:
        session, mib = await guarded.session(), 1024 * 1024
        assert (await guarded.upload(session, "most", b"x" * mib)).status == 201
        answer = await guarded.upload(session, "more", b"x" * (mib + 1))
        assert answer.error == (413, "too_large")
        assert "1 MiB" in answer.json["error"]["message"]
        assert [p.name for p in tree(guarded, session).iterdir()] == ["most"]


async def test_many_parts_are_together_no_larger_than_one_may_be(tmp_path: Path) -> None:
    async with doors(tmp_path, upload_mib=1) as guarded:
        session, form = await guarded.session(), FormData()
        for name in ("a", "b", "c"):
            form.add_field("file", BytesIO(b"x" * 400_000), filename=name)
        put = await guarded.call("POST", f"/api/sessions/{session}/files", data=form)
        assert put.error == (413, "too_large")


async def test_what_is_no_file_counts_as_well(tmp_path: Path) -> None:
    async with doors(tmp_path, upload_mib=1) as guarded:
        session = await guarded.session()
        path = f"/api/sessions/{session}/files"
        for sizes, status in (((600_000, 600_000), 413), ((200_000, 200_000), 201)):
            form = FormData()
            form.add_field("note", BytesIO(b"x" * sizes[0]))
            form.add_field("file", BytesIO(b"x" * sizes[1]), filename="a")
            put = await guarded.call("POST", path, data=form)
            assert put.status == status
        form = FormData()
        for number in range(MOST_UPLOADED + 1):
            form.add_field(f"n{number}", "")
        assert (await guarded.call("POST", path, data=form)).error == (400, "bad_request")


@pytest.mark.parametrize(("lines", "status"), [(1, 201), (9, 400), (100_000, 400)])
async def test_parts_begin_soon(lines: int, status: int, guarded: Doors) -> None:
    """Nobody else had a turn while an endless beginning was looked through."""
    session = await guarded.session()
    body = b"\r\n" * lines + file("a", b"1") + END
    put = await guarded.call("POST", f"/api/sessions/{session}/files", data=body, headers=MULTIPART)
    assert put.status == status


async def test_parts_within_parts_are_refused(guarded: Doors) -> None:
    session = await guarded.session()
    inner = "--in\r\n\r\nx\r\n--in--\r\n"
    body = f"--xyz\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n{inner}\r\n--xyz--\r\n"
    put = await guarded.call(
        "POST", f"/api/sessions/{session}/files", data=body.encode(), headers=MULTIPART
    )
    assert put.error == (400, "bad_request")
    assert "within a part" in put.json["error"]["message"]


async def test_an_upload_that_the_workspace_has_no_room_for_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    config = Config(sandbox=SandboxLimits(workspace_mib=1))
    async with doors(tmp_path, config=config) as guarded:
        session = await guarded.session()
        assert (await guarded.upload(session, "half", b"x" * 600_000)).status == 201
        refused = await guarded.upload(session, "other half", b"x" * 600_000)
        assert refused.error == (507, "no_room")
        assert "of 1 MiB" in refused.json["error"]["message"]
        assert [p.name for p in tree(guarded, session).iterdir()] == ["half"]


async def test_an_upload_takes_nothing_from_the_disks_reserve(guarded: Doors) -> None:
    session = await guarded.session()
    guarded.app[WORKSPACES].capacity = Capacity(SandboxLimits(), lambda _: Disk(2**29, 2**50))
    assert (await guarded.upload(session, "a", b"x")).error == (507, "no_room")
    assert await names(guarded, session) == []


async def test_an_upload_outlives_the_undoing_of_the_turn_before_it(guarded: Doors) -> None:
    session = await guarded.session()
    call = CallScript("write", {"path": "by the agent", "content": "x"})
    guarded.model.play(Reply(calls=[call]), Reply(text="Done."))
    async with guarded.socket(f"sessions/{session}/socket") as socket:
        await socket.say("user_input", "c1", text="Write.")
        await socket.until("turn_ended")
        assert await names(guarded, session) == ["by the agent"]
        assert (await guarded.upload(session, "by a person", b"y")).status == 201
        await socket.say("undo", "c2")
        await socket.until("turn_undone")

        async def is_undone() -> bool:
            return await names(guarded, session) == ["by a person"]

        await eventually_kept(is_undone)
    got = await guarded.call("GET", f"/api/sessions/{session}/files/by%20a%20person")
    assert got.body == b"y"


HOSTILE: dict[str, tuple[bytes, dict[str, str]]] = {
    "no multipart": (b"hello", {"Content-Type": "text/plain"}),
    "no boundary": (b"hello", {"Content-Type": "multipart/form-data"}),
    "a boundary that is too long": (
        b"x",
        {"Content-Type": "multipart/form-data; boundary=" + "b" * 200},
    ),
    "nothing": (b"", MULTIPART),
    "no part": (END, MULTIPART),
    "no file": (part('Content-Disposition: form-data; name="x"', b"1") + END, MULTIPART),
    "another boundary": (b"--abc\r\n\r\n1\r\n--abc--\r\n", MULTIPART),
    "no header": (b"--xyz\r\n\r\n1\r\n" + END, MULTIPART),
    "a header that is none": (part("nonsense", b"1") + END, MULTIPART),
    "an end that never comes": (file("a", b"12345")[:-4], MULTIPART),
    "no end of the header": (b"--xyz\r\nContent-Disposition: form-data", MULTIPART),
    "an endless header": (b"--xyz\r\nA: " + b"x" * 100_000 + b"\r\n\r\n1\r\n" + END, MULTIPART),
    "a strange disposition": (part('Content-Disposition: ;;;="', b"1") + END, MULTIPART),
    "a part inside a part": (
        part("Content-Type: multipart/mixed; boundary=abc", b"--abc\r\n\r\n1\r\n--abc--") + END,
        MULTIPART,
    ),
}


@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionHeader")
@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionParam")
@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_body_is_a_bad_request_and_nothing_worse(kind: str, guarded: Doors) -> None:
    session = await guarded.session()
    body, headers = HOSTILE[kind]
    answer = await guarded.call(
        "POST", f"/api/sessions/{session}/files", data=body, headers=headers
    )
    assert answer.error == (400, "bad_request"), answer
    assert await names(guarded, session) == []
    assert [p.name for p in tree(guarded, session).iterdir()] == []


@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionParam")
@pytest.mark.parametrize(
    "head",
    [
        'form-data; name="file"; filename="a"\r\nContent-Length: x',
        'form-data; name="file"; filename="a"\r\nContent-Length: -1',
        'form-data; name="file"; filename="a"\r\nContent-Length: 2',
        'form-data; name="file"; filename="a"\r\nContent-Transfer-Encoding: base64',
        "form-data; name=file; filename=a; filename*=nope''b",
    ],
)
async def test_a_part_is_what_lies_between_its_boundaries(head: str, guarded: Doors) -> None:
    session = await guarded.session()
    body, path = part(f"Content-Disposition: {head}", b"12345"), f"/api/sessions/{session}/files"
    answer = await guarded.call("POST", path, data=body + END, headers=MULTIPART)
    assert answer.status == 201, answer
    got = await guarded.call("GET", f"{path}/{answer.json['files'][0]['path']}")
    assert got.body == b"12345"


async def test_broken_compression_ends_with_the_connection_at_the_worst(guarded: Doors) -> None:
    session = await guarded.session()
    headers, path = {**MULTIPART, "Content-Encoding": "gzip"}, f"/api/sessions/{session}/files"
    try:
        answer = await guarded.call("POST", path, data=b"not gzip", headers=headers)
        refused = answer.error == (400, "bad_request")
    except ServerDisconnectedError:
        refused = True
    assert refused
    assert list(tree(guarded, session).iterdir()) == []


async def test_a_part_without_a_name_is_no_file(guarded: Doors) -> None:
    session, head = await guarded.session(), 'Content-Disposition: form-data; name="file"'
    for given in (head, head + '; filename=""'):
        body = part(given, b"1") + END
        path = f"/api/sessions/{session}/files"
        answer = await guarded.call("POST", path, data=body, headers=MULTIPART)
        assert answer.error == (400, "bad_path")


async def test_an_upload_is_taken_whole_or_not_at_all(guarded: Doors) -> None:
    session = await guarded.session()
    await guarded.upload(session, "a", b"as it was")
    for body in (
        file("a", b"new") + file("b") + file("../c") + END,
        file("a", b"new") + file("b"),
        file("a", b"new") + file("a", b"newer") + END,
        b"".join(file(f"f{number}") for number in range(101)) + END,
    ):
        path = f"/api/sessions/{session}/files"
        answer = await guarded.call("POST", path, data=body, headers=MULTIPART)
        assert answer.error[0] == 400
        got = await guarded.call("GET", f"/api/sessions/{session}/files/a")
        assert got.body == b"as it was"
        assert [p.name for p in tree(guarded, session).iterdir()] == ["a"]


async def test_nothing_that_is_streamed_answers_a_head(guarded: Doors) -> None:
    session = await guarded.session()
    await guarded.upload(session, "a", b"12345")
    head = f"Host: x\r\nAuthorization: Bearer {guarded.secrets['ada']}\r\n"
    for below in ("files/a", "export", "socket"):
        one = f"HEAD /api/sessions/{session}/{below} HTTP/1.1\r\n{head}"
        got = await guarded.raw(f"{one}\r\n{one}Connection: close\r\n\r\n".encode())
        assert got.count(b"HTTP/1.1 405 ") == 2
        assert got.endswith(b"\r\n\r\n")


async def test_a_client_that_goes_away_half_way_leaves_nothing(guarded: Doors) -> None:
    session = await guarded.session()
    head = (
        f"POST /api/sessions/{session}/files HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {guarded.secrets['ada']}\r\n"
        "Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: 100000\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    writer.write(head.encode() + file("a", b"x" * 1000))
    beside = tree(guarded, session).parent
    await eventually(lambda: any(beside.glob(".*.part")))
    assert await names(guarded, session) == []
    writer.transport.abort()
    await eventually(lambda: not any(beside.glob(".*.part")))
    assert await names(guarded, session) == []


async def test_a_download_that_breaks_off_is_seen_to_be_broken(guarded: Doors) -> None:
    session = await guarded.session()
    big = b"x" * 50_000_000
    (tree(guarded, session) / "big").write_bytes(big)
    head = f"GET /api/sessions/{session}/files/big HTTP/1.1\r\nHost: x\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    writer.write(f"{head}Authorization: Bearer {guarded.secrets['ada']}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    assert (await guarded.call("GET", "/healthz")).status == 200
