"""Who of those whom a provider vouches for is let in, as whom, and as what."""

from typing import Any

import pytest

from server.errors import Refusal
from server.identity.admission import (
    Claims,
    admitted,
    claims_of,
    is_enough,
    joined,
    policy_of,
)
from server.login_settings import Allowed, LoginSettings


def settings(**more: Any) -> LoginSettings:
    return LoginSettings(client_id="c", issuer="https://idp.example", **more)


def claims(**said: Any) -> Claims:
    return claims_of({"sub": "1", "preferred_username": "ada", **said}, settings())


NOBODY = Allowed()
LAB, AT_LAB = Allowed(domains=("lab.example",)), Allowed(domains=("@lab.example",))


@pytest.mark.parametrize(
    ("allow", "said", "is_in"),
    [
        (NOBODY, {}, False),
        (Allowed(anyone=True), {}, True),
        (Allowed(users=("ada",)), {}, True),
        (Allowed(users=("bob",)), {}, False),
        (Allowed(groups=("lab",)), {"groups": ["lab", "x"]}, True),
        (Allowed(groups=("lab",)), {"groups": "lab"}, False),
        (Allowed(groups=("lab",)), {"groups": [7, None]}, False),
        (Allowed(orgs=("lab",)), {"orgs": [{"preferred_username": "lab", "name": "x"}]}, True),
        (Allowed(orgs=("lab",)), {"orgs": [{"name": "lab"}]}, False),
        (LAB, {"email": "a@LAB.example", "email_verified": True}, True),
        (AT_LAB, {"email": "a@lab.example", "email_verified": True}, True),
        (LAB, {"email": "a@lab.example"}, False),
        (LAB, {"email": "a@lab.example", "email_verified": "yes"}, False),
        (LAB, {"email": "a@evil-lab.example", "email_verified": True}, False),
        (LAB, {"email": "lab.example", "email_verified": True}, False),
    ],
)
def test_one_match_lets_somebody_in(allow: Allowed, said: dict[str, Any], is_in: bool) -> None:
    if is_in:
        visitor = admitted(claims(**said), settings(allow=allow))
        assert (visitor.user, visitor.role) == ("ada", "user")
    else:
        with pytest.raises(Refusal, match="not among those") as refusal:
            admitted(claims(**said), settings(allow=allow))
        assert (refusal.value.status, refusal.value.code) == (403, "not_admitted")


@pytest.mark.parametrize("name", [None, "", "mooring", "dev", "a b", "-a", "a" * 65, "ä", 7])
def test_a_name_that_cannot_be_a_users_is_not_let_in(name: Any) -> None:
    strange = claims_of({"sub": "1", "preferred_username": name}, settings())
    with pytest.raises(Refusal, match="cannot be a user's"):
        admitted(strange, settings(allow=Allowed(anyone=True)))


def test_operators_are_let_in_and_are_operators() -> None:
    visitor = admitted(claims(name="Ada"), settings(operators=("ada",)))
    assert (visitor.role, visitor.name, visitor.subject) == ("operator", "Ada", "1")


def test_without_a_name_one_is_called_by_the_users_and_a_long_one_is_cut() -> None:
    open_to_all = settings(allow=Allowed(anyone=True))
    assert admitted(claims(), open_to_all).name == "ada"
    assert admitted(claims(name="A" * 200), open_to_all).name == "A" * 100


def test_an_account_keeps_the_name_it_first_came_by() -> None:
    assert claims().called(None).user == "ada"
    assert claims().called("countess").user == "countess"


def test_another_claim_may_be_the_name() -> None:
    by_mail = settings(user_claim="email", groups_claim="roles")
    found = claims_of({"sub": "1", "email": "ada@lab.example", "roles": ["lab"]}, by_mail)
    assert (found.user, found.groups) == ("ada@lab.example", frozenset({"lab"}))


@pytest.mark.parametrize(
    ("said", "allow", "enough"),
    [
        ({"name": "Ada"}, NOBODY, True),
        ({}, NOBODY, False),
        ({"name": "Ada", "preferred_username": None}, NOBODY, False),
        ({"name": "Ada"}, Allowed(domains=("x",)), False),
        ({"name": "Ada"}, Allowed(groups=("x",)), False),
        ({"name": "Ada"}, Allowed(orgs=("x",)), False),
        ({"name": "Ada", "groups": ["y"]}, Allowed(groups=("x",)), True),
    ],
)
def test_what_is_missing_is_asked_for(said: dict[str, Any], allow: Allowed, enough: bool) -> None:
    assert is_enough(claims(**said), settings(allow=allow)) is enough


def test_what_was_said_first_counts_and_the_rest_fills_in() -> None:
    first = claims(groups=["a"])
    second = claims_of(
        {"sub": "2", "preferred_username": "eve", "name": "Eve", "groups": ["b"]}, settings()
    )
    assert joined(first, second) == Claims("1", "ada", "Eve", None, frozenset({"a", "b"}))


def test_other_rules_are_another_policy_and_the_order_of_words_is_not() -> None:
    same = policy_of(settings(scopes=("openid", "email"), operators=("a", "b")))
    assert same == policy_of(settings(scopes=("email", "openid"), operators=("b", "a")))
    for other in (
        settings(scopes=("openid",), operators=("a", "b")),
        settings(scopes=("openid", "email"), operators=("a",)),
        settings(scopes=("openid", "email"), operators=("a", "b"), allow=Allowed(anyone=True)),
    ):
        assert policy_of(other) != same
