"""What the agent says becomes nodes: growing text ends as it would have begun, and stays text."""

import pytest

from tests.browser.conftest import Meet

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SAMPLE = """# Title

A paragraph with **bold**, `code` and [a link](https://example.com/a).
It has two lines.

1. First this,
2. then that:
   - a nested item
   - another
3. and the last

| Step | Takes |
|------|------:|
| read | 2 ms  |

> quoted
> on

---
```python
def greet(name):

    return f"```{name}"
```
After the fence ```
~~~
never closed
"""
GROW = """({Prose}, [text, step]) => {
  const grown = new Prose();
  for (let at = 0; at < text.length; at += step) grown.draw(text.slice(0, at));
  grown.draw(text);
  const whole = new Prose();
  whole.draw(text);
  return [grown.node.outerHTML, whole.node.outerHTML];
}"""
DRAW = """({Prose}, text) => {
  const prose = new Prose();
  prose.draw(text);
  document.body.replaceChildren(prose.node);
  return [...prose.node.querySelectorAll('*')].map((node) => node.tagName.toLowerCase());
}"""


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
async def test_a_text_that_grew_looks_like_one_that_came_whole(
    shelf: str, meet: Meet, step: int
) -> None:
    person = await meet(shelf)
    grown, whole = await person.run("/static/views/text.js", GROW, [SAMPLE, step])
    assert grown == whole
    assert [
        tag for tag in ("<li", "<table", "<pre>", "<hr", "<blockquote") if tag not in whole
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "[click](javascript:alert(1))",
        "[click](data:text/html,<script>alert(1)</script>)",
        "![x](https://example.com/track.png)",
        "```\n</code></pre><script>alert(1)</script>\n```",
        "| <b onmouseover=alert(1)>a</b> |\n|---|\n| x |",
        "https://example.com/\"><svg/onload=alert(1)>",
    ],
)  # fmt: skip
async def test_markup_in_a_text_stays_text(shelf: str, meet: Meet, text: str) -> None:
    person = await meet(shelf)
    tags = set(await person.run("/static/views/text.js", DRAW, text))
    assert tags <= {"p", "a", "figure", "figcaption", "pre", "code", "button", "div", "table",
                    "thead", "tbody", "tr", "th", "td"}  # fmt: skip
    links = await person.page.eval_on_selector_all("a", "nodes => nodes.map((node) => node.href)")
    assert all(link.startswith("https://example.com/") for link in links)


@pytest.mark.parametrize(
    "text", ["**a" * 30_000, "`a``" * 20_000, "[" * 60_000, "*a " * 20_000, "- " * 30_000]
)
async def test_hostile_repetition_does_not_stall_the_page(
    shelf: str, meet: Meet, text: str
) -> None:
    person = await meet(shelf)
    script = """({Prose}, text) => {
      const began = performance.now();
      new Prose().draw(text);
      return performance.now() - began;
    }"""
    assert await person.run("/static/views/text.js", script, text) < 2_000
