"""Whose credentials tools may use, and whose they never get."""

from server.identity.gate import DEV
from server.identity.keyring import KeyRing

MINE = {"HF_TOKEN": "hf_mine", "GITHUB_TOKEN": "ghp_mine", "OPENAI_API_KEY": "sk-mine"}


class Pockets:
    """Implements Purses: what users keep, and what log-ins brought."""

    def __init__(self, kept: dict[str, dict[str, str]] | None = None, **brought: str) -> None:
        self.kept = kept or {}
        self.brought = brought

    def secret(self, owner: str, name: str) -> str | None:
        return self.kept.get(owner, {}).get(name)

    def names(self, owner: str) -> tuple[str, ...]:
        return tuple(self.kept.get(owner, ()))

    def hub(self, owner: str) -> str | None:
        return self.brought.get(owner)


class Nobody:
    """Implements ToolLogins."""

    def of(self, owner: str, server: str) -> None:
        return None


def test_the_one_user_of_dev_mode_has_what_the_server_was_started_with() -> None:
    keys = KeyRing(MINE, Pockets(), Nobody()).of(DEV.id)
    assert (keys.hub(), keys.github()) == ("hf_mine", "ghp_mine")
    assert keys.names() == ("HF_TOKEN", "GITHUB_TOKEN")
    assert (keys.secret("HF_TOKEN"), keys.secret("OPENAI_API_KEY")) == ("hf_mine", None)


def test_nobody_else_gets_them() -> None:
    keys = KeyRing(MINE, Pockets(), Nobody()).of("ada")
    assert (keys.hub(), keys.github(), keys.names()) == (None, None, ())


def test_an_empty_variable_is_none() -> None:
    keys = KeyRing({"HF_TOKEN": "", "GITHUB_TOKEN": ""}, Pockets(), Nobody()).of(DEV.id)
    assert (keys.hub(), keys.github()) == (None, None)


def test_everybody_has_what_they_keep_and_nobody_what_others_do() -> None:
    ring = KeyRing(
        {}, Pockets({"ada": {"HF_TOKEN": "hf_ada", "WANDB": "w"}, "bob": {"X": "x"}}), Nobody()
    )
    ada, bob = ring.of("ada"), ring.of("bob")
    assert (ada.hub(), ada.github(), ada.secret("WANDB")) == ("hf_ada", None, "w")
    assert set(ada.names()) == {"HF_TOKEN", "WANDB"}
    assert (bob.hub(), bob.secret("WANDB"), bob.names()) == (None, None, ("X",))


def test_what_a_login_brought_is_used_where_nothing_was_chosen() -> None:
    pockets = Pockets(ada="hf_oauth_ada")
    keys = KeyRing(MINE, pockets, Nobody()).of("ada")
    assert (keys.hub(), keys.secret("HF_TOKEN")) == ("hf_oauth_ada", "hf_oauth_ada")
    pockets.kept["ada"] = {"HF_TOKEN": "hf_chosen"}
    assert keys.hub() == "hf_chosen"
