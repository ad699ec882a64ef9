"""What search services answer, each in the format of its own; all of them have found the same."""

import msgspec

DOCS, OTHER = "https://hf.co/docs?a=1", "https://b.test/"
_AD = """
<div class="result results_links results_links_deep result--ad result--ad--small">
  <h2 class="result__title"><a rel="nofollow" class="result__a" href="https://ad.test/">Ad</a></h2>
  <a class="result__snippet" href="https://ad.test/">Buy GPUs</a>
</div>"""
_RESULT = """
<div class="result results_links results_links_deep web-result ">
  <div class="links_main links_deep result__body">
    <h2 class="result__title">
      <a rel="nofollow" class="result__a" href="{href}">{title}</a>
    </h2>
    <div class="result__extras"><div class="result__extras__url">
      <a class="result__url" href="{href}">hf.co/docs</a>
    </div></div>
    {snippet}
    <div class="clear"></div>
  </div>
</div>"""
_FOUND = (
    _RESULT.format(
        href="//duckduckgo.com/l/?uddg=https%3A%2F%2Fhf.co%2Fdocs%3Fa%3D1&amp;rut=0c3ff",
        title="The <b>docs</b>",
        snippet='<a class="result__snippet" href="#">How to\n  <b>train</b> &amp; test</a>',
    ),
    _RESULT.format(href=OTHER, title="B", snippet=""),
)
_FORM = '<form id="search_form" action="/html/" method="post"><input name="q" value="x"></form>'
DUCKDUCKGO = (
    f"<!DOCTYPE html><html><head><title>x at DuckDuckGo</title></head><body>{_FORM}"
    f'<div id="links" class="results">{_AD}{"".join(_FOUND)}</div></body></html>'
)
DUCKDUCKGO_NOTHING = (
    f'<html><body>{_FORM}<div id="links" class="results"><div class="no-results">'
    "No results found for <b>x</b>.</div></div></body></html>"
)
DUCKDUCKGO_CHALLENGE = (
    '<html><body><form id="challenge-form" action="//duckduckgo.com/anomaly.js?sv=html">'
    '<div class="anomaly-modal__title">Unfortunately, bots use DuckDuckGo too.</div>'
    "</form></body></html>"
)
"""It comes with the status 202, to whoever searches too often."""

SEARXNG = {
    "query": "x",
    "number_of_results": 0,
    "results": [
        {
            "url": DOCS,
            "title": "The docs",
            "content": "How to train & test",
            "publishedDate": None,
            "thumbnail": "",
            "engine": "brave",
            "template": "default.html",
            "parsed_url": ["https", "hf.co", "/docs", "", "a=1", ""],
            "engines": ["brave", "mojeek"],
            "positions": [1, 2],
            "score": 3.0,
            "category": "general",
        },
        {"url": OTHER, "title": "B", "content": None, "engine": "brave", "template": "x"},
    ],
    "answers": [],
    "corrections": [],
    "infoboxes": [],
    "suggestions": ["y"],
    "unresponsive_engines": [["google", "Suspended: CAPTCHA"]],
}
BRAVE = {
    "type": "search",
    "query": {"original": "x", "more_results_available": True},
    "mixed": {"type": "mixed", "main": [{"type": "web", "index": 0, "all": False}]},
    "web": {
        "type": "search",
        "results": [
            {
                "title": "The docs",
                "url": DOCS,
                "is_source_local": False,
                "description": "How to <strong>train</strong> &amp; test",
                "page_age": "2026-10-01T00:00:00",
                "profile": {"name": "HF", "long_name": "hf.co", "img": "https://i.test/"},
                "language": "en",
                "family_friendly": True,
                "type": "search_result",
                "subtype": "generic",
                "meta_url": {"scheme": "https", "netloc": "hf.co", "path": "› docs"},
            },
            {"title": "B", "url": OTHER, "type": "search_result"},
        ],
        "family_friendly": True,
    },
}
BRAVE_NOTHING = {"type": "search", "query": {"original": "x"}, "mixed": {"type": "mixed"}}
TAVILY = {
    "query": "x",
    "follow_up_questions": None,
    "answer": None,
    "images": [],
    "results": [
        {
            "url": DOCS,
            "title": "The docs",
            "content": "How to train & test",
            "score": 0.98,
            "raw_content": None,
        },
        {"url": OTHER, "title": "B", "content": "", "score": 0.4, "raw_content": None},
    ],
    "response_time": 1.3,
    "request_id": "123e4567",
}
NOTHING = {"query": "x", "results": [], "answers": []}


def page(provider: str, *, nothing: bool = False) -> tuple[bytes, str]:
    """Body and media type of an answer that has found the two pages, or none."""
    if provider == "duckduckgo":
        html = DUCKDUCKGO_NOTHING if nothing else DUCKDUCKGO
        return html.encode(), "text/html; charset=UTF-8"
    found: dict[str, object] = {"searxng": SEARXNG, "brave": BRAVE, "tavily": TAVILY}
    without: dict[str, object] = {"searxng": NOTHING, "brave": BRAVE_NOTHING, "tavily": NOTHING}
    return msgspec.json.encode((without if nothing else found)[provider]), "application/json"
