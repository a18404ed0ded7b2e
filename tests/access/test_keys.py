"""The text of a key: told apart from an invented one without a database, and never stored."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorwatch.access import keys

SECRET = b"the server's own"


@pytest.mark.parametrize("environment", ["live", "test"])
def test_a_key_is_read_back(environment: keys.Environment) -> None:
    made = keys.make(environment)
    assert str(made).startswith(f"vw_{environment}_{made.key_id}_{made.secret}")
    assert keys.parse(str(made)) == made


def test_keys_differ() -> None:
    made = [keys.make() for _ in range(200)]
    assert len({key.key_id for key in made}) == 200
    assert len({key.secret for key in made}) == 200


@given(st.data())
def test_one_wrong_letter_breaks_the_checksum(data: st.DataObject) -> None:
    text = str(keys.make())
    position = data.draw(st.integers(min_value=0, max_value=len(text) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda c: c != text[position]))
    assert keys.parse(text[:position] + letter + text[position + 1 :]) is None


@given(st.text())
def test_other_texts_are_no_keys(text: str) -> None:
    assert keys.parse(text) is None


@pytest.mark.parametrize("change", [str.upper, lambda text: text + "0", lambda text: f" {text}"])
def test_nothing_is_forgiven(change: Callable[[str], str]) -> None:
    assert keys.parse(change(str(keys.make()))) is None


def test_what_is_stored_depends_on_everything() -> None:
    key, other = keys.make(), keys.make()
    stored = keys.digest(key, secret=SECRET)
    assert len(stored) == 32
    assert key.secret.encode() not in stored
    assert keys.matches(key, stored, secret=SECRET)
    assert not keys.matches(other, stored, secret=SECRET)
    assert not keys.matches(key, stored, secret=b"another server's")
    moved = keys.KeyText(other.key_id, key.secret)
    assert not keys.matches(moved, stored, secret=SECRET)


def test_a_key_does_not_print_its_secret_by_accident() -> None:
    made = keys.make()
    assert made.secret not in repr(made)
