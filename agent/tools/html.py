"""HTML made readable; imported where a page has come in, for its libraries take a while to load."""

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

_CLUTTER = ("script", "style", "noscript", "template", "svg", "iframe", "form", "nav", "footer")


def markdown(html: str) -> str:
    """The page's main part as markdown, below its title. Blocking."""
    soup = BeautifulSoup(html, "html.parser")
    for clutter in soup(_CLUTTER):
        clutter.decompose()
    title = soup.title.get_text(strip=True) if soup.title else ""
    body = soup.find("main") or soup.find("article") or soup.body or soup
    try:
        converter = MarkdownConverter(heading_style="ATX", strip=["img"], bullets="-")
        shown = converter.convert_soup(body)
    except RecursionError:  # nested deeper than any page that people read
        shown = body.get_text("\n")
    shown = re.sub(r"\n\s*\n\s*\n+", "\n\n", shown).strip()
    return f"# {title}\n\n{shown}" if title and not shown.startswith("# ") else shown


def duckduckgo_results(html: str) -> Iterator[tuple[str, str, str]]:
    """(title, href, snippet) of each result that is no advertisement. Blocking."""
    soup = BeautifulSoup(html, "html.parser")
    for result in soup.select(".result:not(.result--ad)"):
        link, about = result.select_one("a.result__a"), result.select_one(".result__snippet")
        if link is not None:
            snippet = about.get_text() if about is not None else ""
            yield link.get_text(), str(link.get("href", "")), snippet


def links(html: str, below: str) -> list[tuple[str, str]]:
    """(title, path) of each page that is linked to below a path, once and in order. Blocking."""
    found: dict[str, str] = {}
    for link in BeautifulSoup(html, "html.parser").select("a[href]"):
        path = re.split(r"[?#]", str(link["href"]))[0]
        title = link.get_text(" ", strip=True)
        if path.startswith(below) and title:
            found.setdefault(path, title)
    return [(title, path) for path, title in found.items()]
