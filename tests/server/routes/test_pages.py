"""The page and its files, and nothing beside them."""

from pathlib import Path

import pytest

from server.keys import STATIC
from tests.server.routes.doors import Doors


async def test_the_page_is_served_to_everybody_and_asked_for_anew(guarded: Doors) -> None:
    page = await guarded.call("GET", "/", user=None)
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.body == (guarded.app[STATIC] / "index.html").read_bytes()


async def test_its_files_are_served_by_their_names(guarded: Doors) -> None:
    root = guarded.app[STATIC]
    for path in (p for p in root.rglob("*.js") if p.is_file()):
        name = path.relative_to(root).as_posix()
        served = await guarded.call("GET", f"/static/{name}", user=None)
        assert served.body == path.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "../pyproject.toml",
        "%2e%2e/pyproject.toml",
        "..%2fpyproject.toml",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "views",
        "views/",
        "a%00b",
        "%FF",
        pytest.param("n" * 5000, id="long"),
        pytest.param("a/" * 1000 + "b", id="deep"),
    ],
)
async def test_nothing_else_is_there(path: str, guarded: Doors) -> None:
    assert (await guarded.call("GET", f"/static/{path}", user=None)).error == (404, "not_found")


async def test_no_link_leads_out(guarded: Doors, tmp_path: Path) -> None:
    root = tmp_path / "static"
    root.mkdir()
    (tmp_path / "secret").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "index.html").write_text("page")
    guarded.app._state[STATIC] = root
    assert (await guarded.call("GET", "/static/link")).error == (404, "not_found")
    assert (await guarded.call("GET", "/static/index.html")).body == b"page"
