"""The page and its files, and nothing beside them."""

import re
from pathlib import Path

import pytest

from server.keys import STATIC
from tests.server.routes.doors import Doors

MOST_SCRIPTS = 100_000
"""Bytes."""


async def test_the_page_is_served_to_everybody_and_asked_for_anew(guarded: Doors) -> None:
    page = await guarded.call("GET", "/", user=None)
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.body == (guarded.app[STATIC] / "index.html").read_bytes()


async def test_its_files_are_served_by_their_names(guarded: Doors) -> None:
    root = guarded.app[STATIC]
    files = [p for p in root.rglob("*") if p.is_file() and p.suffix not in (".br", ".gz")]
    assert {p.suffix for p in files} >= {".js", ".svg", ".html"}
    for path in files:
        name = path.relative_to(root).as_posix()
        served = await guarded.call("GET", f"/static/{name}", user=None)
        assert served.body == path.read_bytes()


async def test_what_is_named_by_its_hash_is_kept_for_ever_and_sent_compressed(
    guarded: Doors,
) -> None:
    assets = guarded.app[STATIC] / "assets"
    name = max(assets.glob("*.js"), key=lambda path: path.stat().st_size).name
    assert (assets / f"{name}.br").is_file()
    headers = {"Accept-Encoding": "gzip"}
    served = await guarded.call("GET", f"/static/assets/{name}", user=None, headers=headers)
    assert served.headers["Content-Encoding"] == "gzip"
    assert "javascript" in served.headers["Content-Type"]
    assert "immutable" in served.headers["Cache-Control"]


async def test_what_the_first_view_loads_is_small(guarded: Doors) -> None:
    """Scripts that the page names, as they are sent; others are fetched when they are wanted."""
    root = guarded.app[STATIC]
    named = re.findall(r'(?:src|href)="/static/([^"]+\.js)"', (root / "index.html").read_text())
    assert any(name.startswith("assets/") for name in named)
    gzipped = [root / f"{name}.gz" for name in named]
    sent = [path if path.exists() else path.with_suffix("") for path in gzipped]
    assert 0 < sum(path.stat().st_size for path in sent) <= MOST_SCRIPTS


async def test_a_page_that_was_not_built_says_how_to_build_it(
    guarded: Doors, tmp_path: Path
) -> None:
    guarded.app._state[STATIC] = tmp_path
    answer = await guarded.call("GET", "/", user=None)
    assert answer.status == 503
    assert b"make page" in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "../pyproject.toml",
        "%2e%2e/pyproject.toml",
        "..%2fpyproject.toml",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "assets",
        "assets/",
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
