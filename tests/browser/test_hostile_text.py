"""Whoever wrote it, a text never runs, restyles the page or tells another place who reads it."""

import pytest
from playwright.async_api import FilePayload, expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.browser.text_room import Room
from tests.model_server import CallScript, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FAR = "https://tracker.example"
HTML = [
    "<script>alert(1)</script>",
    f"<script src={FAR}/x.js></script>",
    "<img src=x onerror=alert(1)>",
    f"<img src='{FAR}/pixel.png'><img srcset='{FAR}/a 1x, {FAR}/b 2x'>",
    f"<picture><source srcset={FAR}/c><img src={FAR}/d></picture>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    f"<svg><image href='{FAR}/e' /><use href='{FAR}/f#g' /><style>*{{color:red}}</style></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<form><math><mtext></form><form><mglyph><svg><mtext><style><path id=\"</style><img onerror="
    'alert(1) src>">',
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<template><script>alert(1)</script></template><div><template shadowrootmode=open>x",
    f"<iframe src={FAR}/frame></iframe><iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    f"<object data={FAR}/o></object><embed src={FAR}/p><applet code={FAR}/q>",
    f"<video src={FAR}/v autoplay poster={FAR}/w></video><audio src={FAR}/a autoplay></audio>",
    f"<link rel=stylesheet href={FAR}/x.css><link rel=prefetch href={FAR}/y>",
    f"<base href={FAR}/><meta http-equiv=refresh content='0;url={FAR}/z'>",
    f"<style>@import '{FAR}/i.css'; * {{ background: url({FAR}/b) !important }}</style>",
    f"<div style='position:fixed;inset:0;background:url({FAR}/s)'>over all</div>",
    "<div class='dialog scrim' id=composer name=body>classes and ids</div>",
    f"<form action={FAR}/form><input name=password onfocus=alert(1) autofocus><button>x",
    "<details open ontoggle=alert(1)><summary>x</summary>y</details>",
    "<marquee onstart=alert(1)>x</marquee><body onload=alert(1)><select><option>x",
    "<a id=documentElement name=cookie><img name=getElementById><form name=body>",
    "<a href=javascript:alert(1)>x</a><a href='JaVa&#x0A;script:alert(1)'>x</a>",
    "<a href='&#1;javascript:alert(1)'>x</a><a href='java&Tab;script:alert(1)'>y</a>",
    "<a href=data:text/html,<script>alert(1)</script>>x</a><a href=vbscript:x>y</a>",
    f"<a href={FAR} target=_top ping={FAR}/ping rel=opener download>ping</a>",
    f"<table background={FAR}/t><tr><td background={FAR}/u>x</table>",
    "<b><p title='-->\"><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>--><![CDATA[<img src=x onerror=alert(1)>]]><?x <b>?>",
    "<x-y is=z onclick=alert(1) tabindex=1 autofocus onfocus=alert(1)>custom</x-y>",
    "<p dir=rtl lang=xx hidden contenteditable draggable=true accesskey=s>x</p>",
]  # fmt: skip
MARKDOWN = [
    "[x](javascript:alert(1)) [x](JAVASCRIPT:alert(1)) [x](<java\tscript:alert(1)>)",
    "[x](javascript&colon;alert(1)) [x](&#106;avascript:alert(1)) [x](java%0ascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=) [x](vbscript:x) [x](file:///etc/passwd) [x](//far)",
    "[x]: javascript:alert(1)\n\n[x] [y][x]\n\n<javascript:alert(1)> <data:x,y>",
    f"![pixel]({FAR}/p.png) ![x][p] [![n]({FAR}/n)]({FAR})\n\n[p]: {FAR}/q.png",
    "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    f'!["onerror=alert(1)]({FAR}/x"onerror=alert(1))',
    "```html\n</code></pre><script>alert(1)</script>\n```",
    '```"><img/src/onerror=alert(1)>\nx\n```\n\n```constructor\nx\n```\n\n```__proto__\nx\n```',
    "| <b onmouseover=alert(1)>a</b> | `</td>` |\n|---|---|\n| </table><img src=x onerror=a> | x |",
    '- [ ] <img src=x onerror=alert(1)>\n- [x] </ul></li><form><input type=password>\n1. <script>',
    "[__proto__]: https://a.example\n[constructor]: https://b.example\n\n[__proto__] [constructor]",
    f"[https://bank.example]({FAR}) [bank.example](https://bank.example@tracker.example/)",
    "[\u202egnp.exe](https://a.example) a\u2066b\u2069 [\u200bbank.example](https://evil.example)",
    "# <script>alert(1)</script>\n\n> <svg/onload=alert(1)>\n\n<https://a.example/\"onclick=alert(1)>",
    "https://example.com/\"><svg/onload=alert(1)> www.example.com/<script>",
    "**<img src=x onerror=alert(1)** `<img src=x onerror=alert(1)>` ~~<b~~ onclick=alert(1)>",
    "&lt;img src=x onerror=alert(1)&gt; &#60;script&#62;alert(1)&#60;/script&#62;",
]  # fmt: skip
ANSI = [
    "\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07 \x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07",
    "\x1b[31;\"onclick=alert(1)m<img src=x onerror=alert(1)>\x1b[0m",
    "\x1b[38;2;1;2;3;99999999999999999999m" + "\x1b[" + "1;" * 5_000 + "m" + "x",
    "\x1b[999999999A\x1b[999999999C\x1b[999999999;999999999Hfar\x1b[2J\x1b[3J\x1bc",
    "\x1b[31mx\x1b[32my" * 30_000,
    "\x1b" * 50_000 + "\x1b[" * 20_000 + "\x1b]" * 20_000 + "\x1bP" * 20_000,
    "\r" * 50_000 + "\b" * 50_000 + "a\r" * 50_000,
    "x" * 300_000,
    "\n" * 100_000,
    "\x00\x07\x9b31m\u202e\u2066\ufeff<script>alert(1)</script>",
]  # fmt: skip
NAMES = [
    "<img src=x onerror=alert(1)>.txt",
    "photo\u202egnp.exe",
    "../../etc/passwd\n",
    "__proto__",
]
SORTS = {"html": HTML, "markdown": MARKDOWN, "terminal": ANSI, "names": NAMES}

SHOW_EVERYWHERE = """async (room, texts) => {
  const found = [];
  const look = (where) => found.push(...wrongs().map((wrong) => `${where}: ${wrong}`));
  const wrongs = () => [...document.querySelectorAll('main *')].flatMap((node) => {
    const all = [...node.attributes].map(({name}) => name);
    const link = node.tagName === 'A' && !(
      /^(https?|mailto):$/.test(new URL(node.href).protocol) && node.target === '_blank' &&
      node.rel === 'noopener noreferrer nofollow' && node.getAttribute('href'));
    const own = all.filter((name) => !ATTRIBUTES.has(name) && name !== 'style');
    const styled = node.hasAttribute('style') && !node.matches(".log, col");
    const classes = [...node.classList].filter((name) => !CLASSES.test(name));
    const tag = TAGS.has(node.localName) ? [] : [node.localName];
    return [...tag, ...own, ...classes, ...(link ? ['link'] : []), ...(styled ? ['style'] : [])];
  });
  const TAGS = new Set(['div', 'p', 'span', 'a', 'bdi', 'b', 'strong', 'em', 'i', 'u', 's', 'del',
    'code', 'pre', 'figure', 'figcaption', 'button', 'ul', 'ol', 'li', 'table', 'thead', 'tbody',
    'tr', 'th', 'td', 'blockquote', 'hr', 'br', 'h1', 'mark', 'dl', 'dt', 'dd']);
  const ATTRIBUTES = new Set(['class', 'href', 'rel', 'target', 'title', 'align', 'start', 'type',
    'aria-pressed', 'aria-label', 'aria-hidden', 'role', 'tabindex', 'data-language', 'hidden']);
  const CLASSES = new RegExp(
    '^(text|prose|code|rows|plain|as-is|language|wide|place|part|items|more-rows|loose|'
    + 'wrapped|hljs-[\\\\w-]+|function_|class_|inherited__|'
    + 'log[\\\\w-]*|fore-\\\\w+|back-\\\\w+|bold|dim|italic|underline|inverse|'
    + 'strike|diff[\\\\w-]*|same|added|removed|sign|line|unseen|language-[\\\\w+#.-]+)$');
  for (const text of texts) {
    const shown = text.slice(0, 60);
    const quoted = `> ${text}\\n\\n- ${text}\\n\\n| a |\\n|---|\\n| ${text} |`;
    await room.markdown(`${text}\\n\\n${quoted}`); look(`markdown ${shown}`);
    await room.grow([text.slice(0, 7), text.slice(7, 23), text.slice(23)]);
    look(`growing ${shown}`);
    await room.code(text, text.slice(0, 30)); look(`code ${shown}`);
    await room.log(text); look(`log ${shown}`);
    await room.diff(text, `${text} `); look(`diff ${shown}`);
    await room.name(text.slice(0, 200)); look(`name ${shown}`);
  }
  return found;
}"""


@pytest.mark.parametrize("texts", SORTS.values(), ids=SORTS)
async def test_a_hostile_text_becomes_nothing_but_text(room: Room, texts: list[str]) -> None:
    assert await room.run(SHOW_EVERYWHERE, texts) == []


async def test_every_cut_of_hostile_markup_is_as_harmless(room: Room) -> None:
    text = "\n\n".join([*HTML, *MARKDOWN])
    pieces = [text[at : at + 9] for at in range(0, len(text), 9)]
    await room.run("(room, pieces) => room.grow(pieces)", pieces)
    bad = "script, img, svg, style, iframe, form, input, link, meta, base, object, [id], [name]"
    assert await room.page.locator(f"main :is({bad})").count() == 0
    attributes = """() => [...document.querySelectorAll('main *')].flatMap((node) =>
      [...node.attributes].map(({name}) => name)).filter((name) => /^(on|style|src)/.test(name))"""
    assert await room.page.evaluate(attributes) == []


async def test_a_text_does_not_change_how_the_page_looks(room: Room) -> None:
    look = """() => [document.body, document.querySelector('main')].map((node) =>
      ['color', 'backgroundColor', 'position'].map((name) => getComputedStyle(node)[name]))"""
    before = await room.page.evaluate(look)
    await room.run("(room, text) => room.markdown(text)", "\n\n".join([*HTML, *MARKDOWN]))
    assert await room.page.evaluate(look) == before


async def test_what_is_not_allowed_stays_readable(room: Room) -> None:
    await room.run(
        "(room, text) => room.markdown(text)",
        "a <think>b</think> <script>c</script> <img src='https://far.example/d.png' alt=e>",
    )
    assert await room.page.locator(".prose").inner_text() == (
        "a <think>b</think> <script>c</script> efar.example"
    )


async def test_links_say_where_they_lead_when_their_words_do_not(room: Room) -> None:
    text = "[https://bank.example](https://evil.example/x) <https://a.example/b>"
    await room.run("(room, text) => room.markdown(text)", text)
    assert await room.page.locator(".place").all_inner_texts() == ["evil.example"]


EVIL = f"<img src={FAR}/x onerror=alert(1)><script>alert(1)</script><b style='color:red'>x</b>"
RAN = """() => [...document.querySelectorAll('body *')].filter((node) => node.matches(
  'img:not([src^="blob:"]):not([src^="/"]), script:not([src^="/"]), iframe, style')).length"""


async def test_markup_from_model_tools_people_and_files_stays_text(
    house: House, meet: Meet
) -> None:
    plan = {"items": [{"id": "1", "content": EVIL, "status": "in_progress"}]}
    echo = {"command": f'echo "{EVIL}" # please-ask', "description": EVIL}
    house.model.play(
        Reply(text=EVIL, reasoning=EVIL, calls=[CallScript("plan", plan)]),
        Reply(text=f"```html\n{EVIL}\n```", calls=[CallScript("bash", echo)]),
        Reply(text=f"[x](javascript:alert(1)) {EVIL} The end."),
    )
    async with Api(house.url) as api:
        session = await api.session(EVIL)
    person = await meet(f"{house.url}/#/s/{session}")
    foreign: list[str] = []
    person.page.on("request", lambda request: foreign.append(request.url))
    await expect(person.page.locator(".top h1")).to_contain_text("onerror=alert(1)")
    file: FilePayload = {"name": "<b>x.txt", "mimeType": "text/plain", "buffer": b"x"}
    await person.page.locator("input[type=file]").first.set_input_files(file)
    await expect(person.button("Do not attach <b>x.txt")).to_be_visible()
    await person.say(EVIL)
    await person.approve()
    await person.reads("The end.")
    await person.sees_state("Idle")
    await expect(person.conversation).to_contain_text("<script>alert(1)</script>")
    assert await person.page.evaluate(RAN) == 0
    assert [url for url in foreign if not url.startswith((house.url, "data:", "blob:"))] == []
