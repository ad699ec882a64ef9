"""The web page and its files; they hold nothing secret and need no identity."""

from pathlib import Path

from aiohttp import web

from server.keys import STATIC


async def index(request: web.Request) -> web.StreamResponse:
    return _page(request.app[STATIC] / "index.html")


def _page(path: Path) -> web.StreamResponse:
    response = web.FileResponse(path)
    response.headers["Cache-Control"] = "no-cache"
    return response


async def file(request: web.Request) -> web.StreamResponse:
    """A file of the page; no path leaves the folder, by `..` or by a link."""
    root = request.app[STATIC].resolve()
    try:
        path = (root / request.match_info["path"]).resolve()
        there = path.is_relative_to(root) and path.is_file()
    except (ValueError, OSError):  # a name that no file can have
        raise web.HTTPNotFound from None
    if not there:
        raise web.HTTPNotFound
    return _page(path)
