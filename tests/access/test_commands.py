"""`vendorwatch key ...`."""

from collections.abc import Callable

import pytest

from conftest import Ran
from vendorwatch.access import keys
from vendorwatch.vendors.model import Engagement

Command = Callable[..., Ran]


def test_a_key_is_made_listed_and_revoked(command: Command, engagement: Engagement) -> None:
    made = command(
        "key", "create", "--engagement", engagement.engagement_id, "--scope", "upload", "--json"
    )
    assert made.exit_code == 0
    assert set(made.json) == {"key_id", "key"}
    parsed = keys.parse(made.json["key"])
    assert parsed is not None
    assert parsed.key_id == made.json["key_id"]

    listed = command("key", "list", "--engagement", engagement.engagement_id, "--json")
    [shown] = listed.json
    assert (shown["key_id"], shown["state"], shown["scopes"]) == (
        parsed.key_id,
        "live",
        ["upload"],
    )
    assert parsed.secret not in listed.out

    for _ in range(2):
        revoked = command("key", "revoke", parsed.key_id, "--json")
        assert (revoked.exit_code, revoked.json["state"]) == (0, "revoked")
    table = command("key", "list", "--engagement", engagement.engagement_id).out
    assert "revoked" in table


def test_the_key_alone_is_on_standard_output(command: Command, engagement: Engagement) -> None:
    made = command("key", "create", "--engagement", engagement.engagement_id)
    assert keys.parse(made.out.strip()) is not None
    assert "cannot be shown again" in made.err


def test_scopes_and_an_expiry(command: Command, engagement: Engagement) -> None:
    asked = ("key", "create", "--engagement", engagement.engagement_id, "--scope", "read")
    later = ("--scope", "score", "--expires-at", "2999-01-31T00:00:00+07:00", "--json")
    assert command(*asked, *later).exit_code == 0
    [shown] = command("key", "list", "--engagement", engagement.engagement_id, "--json").json
    assert shown["scopes"] == ["read", "score"]
    assert shown["expires_at"] == "2999-01-30T17:00:00Z"


def test_a_key_is_rotated(command: Command, engagement: Engagement) -> None:
    made = command(
        "key", "create", "--engagement", engagement.engagement_id, "--scope", "read", "--json"
    ).json
    new = command("key", "rotate", made["key_id"], "--overlap", "12h", "--json").json
    assert keys.parse(new["key"]) is not None
    listed = command("key", "list", "--engagement", engagement.engagement_id, "--json").json
    old, successor = sorted(listed, key=lambda each: str(each["key_id"] == new["key_id"]))
    assert (old["state"], successor["state"]) == ("live", "live")
    assert old["expires_at"] is not None
    assert (successor["scopes"], successor["expires_at"]) == (["read"], None)
    assert command("key", "revoke", made["key_id"]).exit_code == 0
    again = command("key", "rotate", made["key_id"])
    assert (again.exit_code, again.out) == (2, "")
    assert "revoked" in again.err


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (("create", "--engagement", "nothing"), 3, "nothing"),
        (("create", "--engagement", "00000000-0000-0000-0000-000000000000"), 3, "0000"),
        (("list", "--engagement", "nothing"), 3, "nothing"),
        (("revoke", "nothing"), 3, "nothing"),
        (("rotate", "nothing"), 3, "nothing"),
        (("rotate", "nothing", "--overlap", "soon"), 2, "7d"),
        (("create", "--engagement", "{id}", "--scope", "root"), 2, "root"),
        (("create", "--engagement", "{id}", "--expires-at", "2020-01-01T00:00:00Z"), 2, "past"),
        (("create", "--engagement", "{id}", "--expires-at", "2999-01-01T00:00:00"), 2, "Z"),
        (("create",), 2, "--engagement"),
    ],
)
def test_refusals(
    command: Command,
    engagement: Engagement,
    arguments: tuple[str, ...],
    exit_code: int,
    told: str,
) -> None:
    given = [argument.format(id=engagement.engagement_id) for argument in arguments]
    ran = command("key", *given)
    assert (ran.exit_code, ran.out) == (exit_code, "")
    assert told in ran.err
    assert "Traceback" not in ran.err
