"""Servers of tools in processes of their own: one that works, one that does not."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROGUE = (sys.executable, "-I", "-S", str(HERE / "rogue.py"))
"""Followed by what is wrong with it."""
WORKSHOP = (sys.executable, str(HERE / "workshop.py"))
"""Over stdio; followed by `http` over HTTP: it prints its port."""
