"""The types that the page is written against say what the server's code says."""

from pathlib import Path

from server.contract.typescript import document

WRITTEN = Path(__file__).parents[3] / "static" / "src" / "wire.ts"
MAKE = "python -m server.contract.typescript > static/src/wire.ts"


def test_the_page_is_written_against_the_frames_there_are() -> None:
    assert WRITTEN.read_text() == document(), f"the frames changed: run `{MAKE}`"


def test_a_field_that_may_be_left_out_is_optional() -> None:
    assert "  readonly partial?: boolean;" in document()


def test_every_union_names_only_types_that_are_there() -> None:
    text = document()
    members = [
        line.removeprefix("  | ").rstrip(";") for line in text.splitlines() if line[:4] == "  | "
    ]
    assert members
    assert [m for m in members if f"export interface {m} {{" not in text] == []
