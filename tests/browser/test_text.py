"""Texts on the page: what grew looks like what came whole, and stays cheap, readable, usable."""

import random
from itertools import pairwise

import pytest
from playwright.async_api import expect

from tests.browser.person import UNHURRIED
from tests.browser.text_room import Room

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SAMPLE = """# Title

A paragraph with **bold**, `code` and [a link](https://example.com/a) and [one below][there].
It has two lines.
===

1. First this,
2. then that:
   - a nested item
   - [x] done

     ```sh
     ls -l
     ```
3. and the last

   with a second paragraph

| Step | Takes |
|------|------:|
| [read][there] | 2 ms  |
not | a pipe in front

> quoted
> - a list
on

- [ ] to do
* another list

---
```python
def greet(name):

    return f"```{name}"
``` 
    indented code

<b>html</b> and <unknown> tags
[there]: https://example.com/there "said later"

[there]: https://example.com/there "said later"
~~~
never closed
"""  # noqa: W291
KINDS = ["mixed", "fence", "list", "table"]
BODY_OF = {"fence": ".rows", "list": ".items > ul", "table": ".wide tbody"}
MOST_OF_A_BODY = 50
BODIES = """(_, selector) => [...document.querySelectorAll(selector)].map((body) => {
  const lines = body.textContent.split('\\n').length - 1;
  const pieces = body.matches('.rows') ? lines : body.children.length;
  const part = body.closest('.more-rows') ?? body;
  return [pieces, getComputedStyle(part).contentVisibility];
})"""
IDLE = "() => new Promise((done) => requestIdleCallback(() => requestIdleCallback(done)))"
LAW = """(room, {text, cuts}) => {
  const same = (whole) => room.drawn(text, cuts, whole) === room.drawn(text, [], whole);
  return [same(true), same(false)];
}"""


def cuts(text: str, seed: int, count: int) -> list[int]:
    return sorted(random.Random(seed).sample(range(len(text)), min(count, len(text))))


@pytest.mark.parametrize("seed", range(8))
async def test_a_text_that_grew_looks_like_one_that_came_whole(room: Room, seed: int) -> None:
    lines = SAMPLE.splitlines(keepends=True)
    if seed:
        random.Random(seed).shuffle(lines)
    text = "".join(lines)
    for at in (list(range(len(text))), cuts(text, seed, 30), cuts(text, seed, 5)):
        assert await room.run(LAW, {"text": text, "cuts": at}) == [True, True]


@pytest.mark.parametrize("kind", KINDS)
async def test_two_thousand_tokens_end_as_the_whole_text_in_the_same_nodes(
    room: Room, kind: str
) -> None:
    text = await room.run("(room, kind) => room.textOf(kind, 2_000)", kind)
    at = [0, *cuts(text, 1, 60), len(text)]
    pieces = [text[start:end] for start, end in pairwise(at)]
    grown = await room.run("(room, pieces) => room.grow(pieces)", pieces)
    assert grown["whole"] == await room.run("(room, text) => room.markdown(text)", text)
    assert (
        grown["growing"] == (await room.run("(room, text) => room.grow([text])", text))["growing"]
    )
    assert grown["kept"]
    bodies = await room.run(BODIES, BODY_OF.get(kind, ".part"))
    assert len(bodies) > 2
    assert max(pieces for pieces, _ in bodies) <= MOST_OF_A_BODY
    assert {shown for _, shown in bodies[1:-1]} == {"auto"}


OPEN = {"a paragraph": "", "an item": "- one\n- ", "a row": "| a |\n|---|\n| b |\n| "}


@pytest.mark.parametrize("start", OPEN.values(), ids=OPEN)
async def test_what_is_long_and_open_is_drawn_now_and_then_what_is_short_at_once(
    room: Room, start: str
) -> None:
    """Each time it is drawn as a whole, whatever it is a part of."""
    for words, answers in ((10, ["done", "done"]), (2_000, ["later", "done"])):
        text = start + "word " * words
        assert await room.run("(room, text) => room.hurried(text)", text) == answers


PIECES = {
    "paragraphs": "words\n\n" * 200,
    "items": "- a\n" * 200,
    "rows": "|a|\n|-|\n" + "|b|\n" * 200,
}


@pytest.mark.parametrize("text", PIECES.values(), ids=PIECES)
async def test_a_text_that_comes_whole_is_drawn_a_few_pieces_at_a_time(
    room: Room, text: str
) -> None:
    """Between them the page is there for its reader, on a slow machine too."""
    drawn = await room.run("(room, text) => room.portions(text)", text)
    pieces = 400 if text.startswith("- ") else 200  # an item and the paragraph in it
    assert sum(drawn) == pieces
    assert max(drawn) <= pieces // 50


@pytest.mark.parametrize("end", ["", "```\nopen", "- [ ] an item", "| a |\n|---|\n| b"])
async def test_a_text_that_ends_while_it_is_being_drawn_is_whole_all_the_same(
    room: Room, end: str
) -> None:
    text = "words\n\n" * 20 + end
    whole = await room.run("(room, text) => room.drawn(text, [], true)", text)
    assert await room.run("(room, text) => room.closedEarly(text)", text) == whole


CLOSED = f"{SAMPLE.partition('~~~')[0]}\n- [one] more item\n- and another\n\n"
LATER = [
    *("Growing *words*, ", "and **more", "** of them.\n\n", "```py\nx = 1", "\ny = 2\n", "```\n"),
    *("| a |\n|---|\n", "| b |\n" * 60, "\n# A heading\n\n", *["- an item\n"] * 60, "\nThe end."),
]


async def test_nothing_that_is_closed_changes_while_the_text_goes_on(room: Room) -> None:
    await room.run("(room, text) => room.begin(text)", f"{CLOSED}Not closed")
    for language in ("sh", "python"):
        coloured = f".code[data-language={language}] [class^=hljs]"
        await expect(room.page.locator(coloured).first).to_be_visible()
    await room.run(IDLE)
    closed = ".part > :not(:last-child)"
    assert await room.page.locator(closed).count() > 10
    assert await room.run("(room, [at, all]) => room.changes(at, all)", [closed, LATER]) == []
    open_ones = ["main .prose", ["\nOne ", "more."]]
    assert await room.run("(room, [at, all]) => room.changes(at, all)", open_ones) != []


async def test_open_code_grows_in_its_row_and_keeps_what_somebody_selected(room: Room) -> None:
    await room.run("(room, text) => room.begin(text)", "```python\nimport os\n")
    select = "() => getSelection().setBaseAndExtent(...[0, 6].flatMap((at) => [ROW, at]))"
    row = "document.querySelector('.rows').firstChild"
    await room.page.evaluate(select.replace("ROW", row))
    pieces = [f"value_{number} = {number}" + "\n" * (number % 2) for number in range(40)]
    code = [".code", pieces]
    changes = await room.run("(room, [at, all]) => room.changes(at, all)", code)
    assert set(changes) == {"characterData #text 0"}
    assert await room.page.evaluate("() => String(getSelection())") == "import"


async def test_code_has_no_colours_before_it_is_whole(room: Room) -> None:
    code = "def f(x):\n    return x\n"
    await room.run("(room, text) => room.begin(text)", f"```py\n{code}```\n\n```py\n{code}")
    boxes = room.page.locator(".code")
    await expect(boxes.first.locator(".hljs-keyword").first).to_be_visible()
    await room.run(IDLE)
    await expect(boxes).to_have_count(2)
    assert await boxes.last.locator("[class^=hljs]").count() == 0
    await room.run("(room) => room.growOn(['```\\n'])")
    await expect(boxes.last.locator(".hljs-keyword").first).to_be_visible()


REPEATED = {
    "**a**": 16_000, "**a": 20_000, "`a``": 20_000, "[": 60_000, "![a](": 12_000, "*a ": 20_000,
    "> ": 30_000, "- ": 30_000, ">": 60_000, "| a ": 15_000, "x": 300_000, "a ": 150_000,
    "<": 60_000, "[a]: b\n": 9_000, "[a": 30_000, "~~~\n": 15_000, "- a\n  b\n": 9_000,
}  # fmt: skip
REPETITIONS = [unit * count for unit, count in REPEATED.items()] + [
    "- a\n" + "  b\n" * 15_000,
    "```\n" + "x" * 300_000,
    "".join(f"{'  ' * depth}- a\n" for depth in range(240)),
]


@pytest.mark.parametrize("text", REPETITIONS, ids=lambda text: f"{text[:8]!r}-{len(text)}")
async def test_no_repetition_is_too_much(room: Room, text: str) -> None:
    shown = await room.run("(room, text) => room.drawn(text, [], true).length", text)
    assert shown > 0


async def test_a_block_above_the_limit_is_shown_as_it_is_and_the_next_one_is_not(
    room: Room,
) -> None:
    text = "*long* " * 10_000 + "\nmore of it\n\n*short*"
    await room.run("(room, text) => room.markdown(text)", text)
    await expect(room.page.locator(".plain")).to_contain_text("*long* *long*")
    await expect(room.page.locator(".plain")).to_contain_text("more of it")
    await expect(room.page.locator("p em")).to_have_text("short")


async def test_links_are_completed_by_definitions_further_down(room: Room) -> None:
    text = "See [the docs] or\n\n- [this][The Docs]\n\n| a |\n|---|\n| [the docs] |\n\n"
    definition = "[the docs]: https://docs.example/start"
    grown = await room.run("(room, pieces) => room.grow(pieces)", [text, definition, "\n"])
    assert grown["growing"].count('href="https://docs.example/start"') == 3


async def test_columns_keep_their_side_and_lists_their_first_number(room: Room) -> None:
    text = "| a |\n|--:|\n| 1 |\n\n7. seven\n\n   3. three"
    await room.run("(room, text) => room.markdown(text)", text)
    await expect(room.page.locator("td")).to_have_css("text-align", "right")
    starts = await room.page.locator("ol").evaluate_all("(lists) => lists.map((one) => one.start)")
    assert starts == [7, 3]


async def test_code_is_coloured_once_it_is_whole_and_keeps_its_text(room: Room) -> None:
    code = 'def f(x):\n    return "<b>" + x  # & so on\n' * 80
    await room.run("(room, code) => room.markdown('```python\\n' + code + '```\\n')", code)
    await expect(room.page.locator(".code .hljs-keyword").first).to_be_visible()
    assert await room.page.locator(".code code").evaluate("(node) => node.textContent") == code
    await expect(room.page.locator(".code .language")).to_have_text("python")


async def test_code_can_be_wrapped_copied_and_reached_by_the_keyboard(room: Room) -> None:
    await room.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await room.run("(room) => room.code('echo \"long\"\\nls', 'bash')")
    region = room.page.get_by_role("group", name="Code, bash")
    await region.focus()
    rows, wrap = room.page.locator(".rows").first, room.page.get_by_role("button", name="Wrap")
    await expect(rows).to_have_css("white-space", "pre")
    await wrap.click()
    await expect(wrap).to_have_attribute("aria-pressed", "true")
    await expect(rows).to_have_css("white-space", "pre-wrap")
    await room.page.evaluate(UNHURRIED)
    await room.page.get_by_role("button", name="Copy").click()
    await expect(room.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await room.page.evaluate("() => navigator.clipboard.readText()") == 'echo "long"\nls'


async def test_a_log_shows_colours_overwritten_lines_and_its_end(room: Room) -> None:
    pieces = ["\x1b[31mred", "\x1b[0m plain\n", " 0%|   |", "\r50%|#  |", "\r100%|###|\n", "last"]
    await room.run("(room, pieces) => room.growLog(pieces)", pieces)
    log = room.page.get_by_role("group", name="Output")
    await expect(log.locator(".fore-1")).to_have_text("red")
    await expect(log).to_contain_text("100%|###|")
    await expect(log).not_to_contain_text("50%")
    await expect(log.locator(".log-chunk > div").last).to_have_text("last")


async def test_a_log_keeps_its_last_lines_and_says_that_others_are_gone(room: Room) -> None:
    text = "".join(f"line {number}\n" for number in range(20_000))
    await room.run("(room, text) => room.log(text)", text)
    log = room.page.get_by_role("group", name="Output")
    await expect(log).to_contain_text("line 19999")
    await expect(log).to_contain_text("not shown")
    assert await log.locator(".log-chunk > div").count() <= 5_200


async def test_a_flood_of_log_lines_is_shown_to_its_end(room: Room) -> None:
    await room.run("(room) => room.stream('log', 20_000, 10_000)")
    log = room.page.get_by_role("group", name="Output")
    await expect(log).to_contain_text("step 19999 ")
    await expect(log).to_contain_text("earlier characters are gone")
    assert await log.locator(".log-chunk > div").count() <= 5_200


async def test_who_scrolls_up_in_a_log_is_left_alone_until_they_follow_again(room: Room) -> None:
    lines = [f"line {number}\n" * 20 for number in range(40)]
    await room.run("(room, lines) => room.growLog(lines)", lines)
    log = room.page.get_by_role("group", name="Output")
    follow = room.page.get_by_role("button", name="Follow")
    await log.evaluate("(node) => (node.scrollTop = 0)")
    await expect(follow).to_have_attribute("aria-pressed", "false")
    await follow.click()
    end = "(node) => node.scrollHeight - node.scrollTop - node.clientHeight < 2"
    assert await log.evaluate(end)


async def test_a_diff_marks_what_changed_and_folds_what_did_not(room: Room) -> None:
    same = "\n".join(f"line {number}" for number in range(40))
    change = {"before": f"{same}\nlr = 0.1", "after": f"{same}\nlr = 0.2"}
    await room.run("(room, {before, after}) => room.diff(before, after)", change)
    await expect(room.page.locator(".diff .added mark")).to_have_text("2")
    await expect(room.page.locator(".diff .removed mark")).to_have_text("1")
    await expect(room.page.locator(".diff")).to_contain_text("37 unchanged lines")


async def test_growing_text_is_not_read_aloud_letter_by_letter(room: Room) -> None:
    await room.run("(room, pieces) => room.grow(pieces)", ["# a\n", "- b\n", "```\ncode"])
    assert await room.page.locator("[aria-live], [role=log], [role=status]").count() == 0
