"""What the command says when the server listens, and the page it opens for a person."""

import sys
import threading
import webbrowser
from collections.abc import Callable


def listening(
    url: str, *, no_browser: bool, open_page: Callable[[str], object] = webbrowser.open
) -> None:
    """Print the one line that scripts wait for; open the page for who reads it at a terminal."""
    print(f"Mooring listens on {url}", flush=True)
    if sys.stdout.isatty() and not no_browser:
        # Finding a browser can take seconds and must not hold up the loop; a daemon, because the
        # server's end does not wait for somebody's browser.
        threading.Thread(target=open_page, args=(url,), name="open-page", daemon=True).start()
