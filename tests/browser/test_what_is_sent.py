"""What a browser gets and may do: kept files, rare parts late, and no script but ours."""

import re

import pytest
from playwright.async_api import Response, expect

from tests.browser.conftest import House, Meet
from tests.model_server import Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
CODE = "```python\nprint(1)\n```"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
}
FORBIDDEN = {
    "html": "document.createElement('p').innerHTML = '<b>x</b>'",
    "a frame": "document.createElement('iframe').srcdoc = '<b>x</b>'",
    "a script's place": "document.createElement('script').src = '/static/x.js'",
    "a script's text": "document.createElement('script').text = '1'",
    "a parsed page": "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
}


async def test_rare_parts_come_late_and_what_is_kept_is_not_asked_for_again(
    house: House, meet: Meet
) -> None:
    house.model.play(Reply(text="Plain words."), Reply(text=CODE))
    person = await meet(f"{house.url}/#/new")
    came: dict[str, Response] = {}
    person.page.on("response", lambda answer: came.update({answer.url.rsplit("/", 1)[-1]: answer}))
    await person.page.reload()
    await person.say("Hello")
    await person.reads("Plain words.")
    scripts = {re.sub(r"-[\w-]{8}\.js$", "", name) for name in came if name.endswith(".js")}
    assert "index" in scripts
    assert not scripts & {"core", "fleet_table", "files_dialog", "settings_dialog"}
    await person.say("Show me code")
    await expect(person.conversation.locator(".hljs-built_in")).to_have_text("print")
    await person.page.get_by_role("link", name="Dashboard").click()
    await expect(person.page.get_by_role("table")).to_be_visible()
    scripts = {re.sub(r"-[\w-]{8}\.js$", "", name) for name in came if name.endswith(".js")}
    assert {"index", "core", "python", "fleet_table"} <= scripts
    hashed = [answer for name, answer in came.items() if re.search(r"-[\w-]{8}\.(js|css)$", name)]
    assert len(hashed) >= 5
    for answer in hashed:
        assert "immutable" in answer.headers["cache-control"], answer.url


async def test_a_page_makes_no_code_of_text_even_where_somebody_tries(
    house: House, meet: Meet
) -> None:
    person = await meet(f"{house.url}/#/new")
    await expect(person.welcome).to_be_visible()
    answer = await person.page.request.get(house.url)
    told = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert {name: told[name] for name in POLICY} == POLICY
    for name, code in FORBIDDEN.items():
        error = await person.page.evaluate(
            f"() => {{ try {{ {code}; return ''; }} catch (error) {{ return error.name; }} }}"
        )
        assert error == "TypeError", name
    forbidden = await person.violations(len(FORBIDDEN))
    assert len(forbidden) == len(FORBIDDEN)
    assert all(one.startswith("require-trusted-types-for") for one in forbidden)
