"""Whose credentials tools may use, and whose they never get."""

from server.identity.gate import DEV
from server.identity.keyring import KeyRing

MINE = {"HF_TOKEN": "hf_mine", "GITHUB_TOKEN": "ghp_mine", "OPENAI_API_KEY": "sk-mine"}


def test_the_one_user_of_dev_mode_has_what_the_server_was_started_with() -> None:
    keys = KeyRing(MINE).of(DEV.id)
    assert (keys.hub(), keys.github()) == ("hf_mine", "ghp_mine")


def test_nobody_else_gets_them() -> None:
    keys = KeyRing(MINE).of("ada")
    assert (keys.hub(), keys.github()) == (None, None)


def test_an_empty_variable_is_none() -> None:
    keys = KeyRing({"HF_TOKEN": "", "GITHUB_TOKEN": ""}).of(DEV.id)
    assert (keys.hub(), keys.github()) == (None, None)
