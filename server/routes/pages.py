"""The web page and its files; they hold nothing secret and need no identity."""

from pathlib import Path

from aiohttp import web

from server.keys import STATIC

HASHED = "assets/"
"""The build names what lies here by a hash of its content: it never changes."""
FOR_EVER = "public, max-age=31536000, immutable"


async def index(request: web.Request) -> web.StreamResponse:
    path = request.app[STATIC] / "index.html"
    if not path.is_file():
        return web.Response(status=503, text="The page is not built: run `make page`.")
    return _page(path, "no-cache")


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
    hashed = path.relative_to(root).as_posix().startswith(HASHED)
    return _page(path, FOR_EVER if hashed else "no-cache")


def _page(path: Path, caching: str) -> web.StreamResponse:
    """The file, or its `.br` or `.gz` beside it where the client takes that."""
    response = web.FileResponse(path)
    response.headers["Cache-Control"] = caching
    return response
