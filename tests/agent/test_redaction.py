"""Credentials are hidden, words are not, and it makes no difference how a text was cut."""

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import ToolCall, ToolOutput
from agent.redaction import FORMATS, LONGEST, Redactor

KNOWN = "correct horse battery"
REDACTOR = Redactor((KNOWN, "short"))
BODY = "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG3hI5jK7lM9nO1pQ3r"
SECRETS = {
    "hugging face": f"hf_{BODY[:34]}",
    "hugging face oauth": f"hf_oauth_eyJhbGciOi.{BODY[:20]}.{BODY[:20]}",
    "organisation": f"api_org_{BODY[:34]}",
    "mooring": f"mooring_0a1b2c3d4e5f_{'0123456789abcdef' * 4}",
    "github": f"ghp_{BODY[:36]}",
    "github app": f"ghs_{BODY[:36]}",
    "github fine-grained": f"github_pat_{BODY[:22]}_{BODY[:40]}",
    "gitlab": f"glpat-{BODY[:20]}",
    "openai": f"sk-proj-{BODY[:40]}",
    "anthropic": f"sk-ant-api03-{BODY[:40]}",
    "groq": f"gsk_{BODY[:50]}",
    "slack": "xoxb-123456789012-abcdef",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "google": f"AIza{BODY[:35]}",
    "npm": f"npm_{BODY[:36]}",
    "pypi": f"pypi-AgEIcHlwaS5vcmc{BODY[:40]}",
    "json web token": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{BODY[:43]}",
    "bearer": f"Bearer {BODY[:30]}",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\n",
    "known": KNOWN,
}
WORDS = [
    "hf_hub_download(repo_id)", "sk-learn-estimator-doc-link", "https://example.org:8080/a@b", "postgres://dev:dev@localhost:5432/app",
    "git@github.com:a/b", "AKIA", "eyJ.a.b", "Bearer of bad news, they said", "short", "-----",
    "-----BEGIN CERTIFICATE-----", "ghp_short", "wordhf_" + BODY, "mooring_lines_and_other_things",
    "https://$USER:${TOKEN}@host/", "redis://:$PASSWORD@cache",
    "https://user@host/", "://", "h", "hf", "hf_", "s", "sk-", "", " ", "\n", ".", '"', "é𝄞",
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("around", ["{}", "the key is {}.", '{{"key": "{}"}}', "A={}\nB", "({})"])
def test_a_credential_is_hidden_wherever_it_stands(around: str, secret: str) -> None:
    clean = REDACTOR.text(around.format(secret))
    assert "[hidden: " in clean
    assert BODY[:16] not in clean
    assert secret not in clean


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_left_alone(word: str) -> None:
    assert REDACTOR.text(f"it says {word} there") == f"it says {word} there"


def test_the_password_of_an_address_is_hidden_and_the_host_is_not() -> None:
    clean = REDACTOR.text("git clone https://ada:pa55word@example.org/r.git")
    assert clean == "git clone https[hidden: password]example.org/r.git"
    assert REDACTOR.text("redis://:pa55word@cache") == "redis[hidden: password]cache"


def test_a_credential_in_what_only_looked_like_one_is_hidden() -> None:
    token = SECRETS["hugging face"]
    for around in ("https://{}/", "-----BEGIN CERTIFICATE-----\n{}", "bearer {}"):
        assert token not in REDACTOR.text(around.format(token))


KEPT = "[hidden: key]"
TOKEN = "[hidden: Hugging Face token]"


@pytest.mark.parametrize(
    ("known", "text", "clean"),
    [
        ("kept-one", f"a kept-one, hf_{BODY[:34]} b", f"a {KEPT}, {TOKEN} b"),
        ("kept-one", f"a hf_{BODY[:34]}, kept-one b", f"a {TOKEN}, {KEPT} b"),
        ("kept-one", "kept-one kept-one", f"{KEPT} {KEPT}"),
        (BODY[4:20], f"a hf_{BODY[:34]} {BODY[4:20]} b", f"a {TOKEN} {KEPT} b"),
        (f"my hf_{BODY[:34]} is", f"a my hf_{BODY[:34]} is b", f"a {KEPT} b"),
        (f"hf_{BODY[:34]}", f"a hf_{BODY[:34]} b x_hf_{BODY[:34]}", f"a {KEPT} b x_{KEPT}"),
    ],
)
def test_what_is_kept_is_found_beside_what_looks_like_a_credential(
    known: str, text: str, clean: str
) -> None:
    redactor = Redactor((known,))
    assert redactor.text(text) == clean
    stream = redactor.stream()
    assert "".join([*map(stream.grow, text), stream.rest()]) == clean


def test_keys_of_a_user_are_learnt_in_no_time() -> None:
    begun = time.process_time()
    for number in range(100):
        Redactor((f"hf_{number:034}",))
    assert time.process_time() - begun < 0.5, "a hundredth of what the formats take to compile"


PIECES = st.sampled_from([*SECRETS.values(), *WORDS, *(p for f in FORMATS for p in f.prefixes)])


@given(st.lists(PIECES | st.text(max_size=6), max_size=8), st.data())
def test_a_text_that_grows_is_cleaned_as_if_it_were_whole(
    pieces: list[str], data: st.DataObject
) -> None:
    text = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    stream = REDACTOR.stream()
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join([*map(stream.grow, parts), stream.rest()]) == REDACTOR.text(text)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_no_part_of_a_credential_is_shown_while_it_grows(secret: str) -> None:
    stream = REDACTOR.stream()
    shown = [*(stream.grow(c) for c in f"it is {secret} indeed"), stream.rest()]
    assert BODY[:4] not in "".join(shown)
    assert "".join(shown).startswith("it is [hidden: ")


def test_words_are_shown_at_once() -> None:
    stream = REDACTOR.stream()
    assert [stream.grow(word) for word in ("Use", " load_", "dataset", "(x)")] == [
        "Use", " load_", "dataset", "(x)",
    ]  # fmt: skip


def test_what_is_held_back_is_bounded() -> None:
    stream = REDACTOR.stream()
    shown = sum(len(stream.grow("sk-" + "x" * 97)) for _ in range(1000))
    assert shown >= 100_000 - 2 * LONGEST


HOSTILE = [p + end for f in FORMATS for p, end in product(f.prefixes, ("", "-", "aaaaaaaaa."))]


@pytest.mark.parametrize("unit", [*HOSTILE, "-----BEGIN PRIVATE KEY-----", "-----BEGIN A"])
def test_no_text_holds_up_the_server(unit: str) -> None:
    """Milliseconds; where each place was tried anew it was up to a minute."""
    text = unit * (40_000 // len(unit)) + " -----END"
    stream = REDACTOR.stream()
    begun = time.process_time()
    whole = REDACTOR.text(text)
    assert stream.grow(text) + stream.rest() == whole
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("size", [100, 3_000])
def test_hostile_texts_are_cleaned_in_pieces_as_if_they_were_whole(unit: str, size: int) -> None:
    text = unit * (9_000 // len(unit)) + SECRETS["hugging face"] + " " + unit * 30
    stream = REDACTOR.stream()
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join([*map(stream.grow, parts), stream.rest()]) == REDACTOR.text(text)


def test_an_event_is_cleaned_in_all_its_parts() -> None:
    token = SECRETS["openai"]
    made = ToolCall("t1", "c1", "bash", {"command": f"echo {token}", token: [{"n": token}]}, "read")
    assert REDACTOR.event(made).arguments == {
        "command": "echo [hidden: API key]",
        "[hidden: API key]": [{"n": "[hidden: API key]"}],
    }


def test_an_event_without_credentials_is_the_same_event() -> None:
    for text in ("hf_hub_download", "plain"):
        output = ToolOutput("t1", "c1", "ok", text, False, len(text), 0.1)
        assert REDACTOR.event(output) is output


# ---- what is learnt later ----------------------------------------------------------------------

LATE = "nobody knew of this at first"


def test_what_is_learnt_is_hidden_from_then_on() -> None:
    redactor = Redactor(("known from the start",))
    assert redactor.text(LATE) == LATE
    redactor.learn((LATE, "short"))
    assert (
        redactor.text(f"{LATE}, known from the start, short")
        == "[hidden: key], [hidden: key], short"
    )


@pytest.mark.parametrize("cut", range(len(LATE)))
def test_a_text_that_grows_already_hides_it_too(cut: int) -> None:
    redactor = Redactor()
    stream = redactor.stream()
    shown = stream.grow("It is: ")
    redactor.learn((LATE,))
    shown += stream.grow(LATE[:cut]) + stream.grow(LATE[cut:] + ".") + stream.rest()
    assert shown == "It is: [hidden: key]."
