"""What pages of other origins may ask and read."""

from pathlib import Path

import pytest

from server.config import Config
from tests.server.routes.doors import Doors, doors

NAMED = Config(allowed_origins=("https://page.example",))
EVERYBODY = Config(allowed_origins=("*", "https://page.example"))
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
CREDENTIALS = "Access-Control-Allow-Credentials"
ORIGIN = "Access-Control-Allow-Origin"


async def asked_first(here: Doors, origin: str, path: str = "/api/sessions") -> dict[str, str]:
    """The headers of a preflight's answer, which nobody has to say who they are for."""
    answer = await here.call("OPTIONS", path, user=None, headers={"Origin": origin, **ASKS})
    return dict(answer.headers) if answer.status == 204 else {}


async def test_a_named_origin_is_told_what_it_may_ask(tmp_path: Path) -> None:
    async with doors(tmp_path, config=NAMED) as here:
        told = await asked_first(here, "https://page.example")
        assert told[ORIGIN] == "https://page.example"
        assert told[CREDENTIALS] == "true"
        assert {"GET", "POST", "PATCH", "DELETE"} <= {
            *told["Access-Control-Allow-Methods"].split(", ")
        }
        assert "Authorization" in told["Access-Control-Allow-Headers"]
        assert "Idempotency-Key" in told["Access-Control-Allow-Headers"]
        assert "Origin" in told["Vary"]
        assert int(told["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "*", "http://page.example"])
async def test_others_are_told_nothing(tmp_path: Path, origin: str) -> None:
    async with doors(tmp_path, config=NAMED) as here:
        assert await asked_first(here, origin) == {}
        answer = await here.call("GET", "/api/me", headers={"Origin": origin})
        assert ORIGIN not in answer.headers
        assert "Origin" in answer.headers["Vary"], "a cache keeps the answers apart"


async def test_a_page_of_a_named_origin_reads_answers_and_errors(tmp_path: Path) -> None:
    async with doors(tmp_path, config=NAMED) as here:
        for user, status in (("ada", 200), (None, 401)):
            answer = await here.call(
                "GET", "/api/me", user=user, headers={"Origin": "https://page.example"}
            )
            assert answer.status == status
            assert answer.headers[ORIGIN] == "https://page.example"
            assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        exported = f"/api/sessions/{await here.session()}/export"
        streamed = await here.call("GET", exported, headers={"Origin": "https://page.example"})
        assert streamed.headers[ORIGIN] == "https://page.example"


async def test_pages_of_everywhere_come_without_credentials_of_the_browser(tmp_path: Path) -> None:
    async with doors(tmp_path, config=EVERYBODY) as here:
        told = await asked_first(here, "https://else.example")
        assert told[ORIGIN] == "*"
        assert CREDENTIALS not in told
        assert (await asked_first(here, "https://page.example"))[CREDENTIALS] == "true"
        origin = {"Origin": "https://else.example"}
        made = await here.call("POST", "/api/sessions", {}, headers=origin)
        assert made.status == 201, "it showed a token, which no browser sends by itself"
        refused = await here.call("POST", "/api/sessions", {}, user=None, headers=origin)
        assert refused.error == (403, "forbidden_origin")


async def test_without_authentication_everywhere_is_nowhere(tmp_path: Path) -> None:
    async with doors(tmp_path, auth="dev", config=EVERYBODY) as here:
        headers = {"Origin": "https://else.example", "Authorization": "Bearer x"}
        refused = await here.call("POST", "/api/sessions", {}, user=None, headers=headers)
        assert refused.error == (403, "forbidden_origin")


async def test_where_no_origin_is_named_nothing_is_said_of_origins(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        answer = await here.call("GET", "/api/me", headers={"Origin": "https://page.example"})
        assert not {ORIGIN, "Vary"} & answer.headers.keys()
        assert await asked_first(here, "https://page.example") == {}


async def test_the_page_itself_is_shared_with_nobody(tmp_path: Path) -> None:
    async with doors(tmp_path, config=NAMED) as here:
        answer = await here.call("GET", "/", headers={"Origin": "https://page.example"})
        assert ORIGIN not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Server"] == "mooring"
