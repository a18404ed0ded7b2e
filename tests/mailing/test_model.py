"""Which addresses and names are taken."""

from typing import Any

import pytest

from vendorwatch.mailing.model import Asked, BadRecipient, check_recipient

LANGUAGES = ("en", "vi")


def asked(**changes: Any) -> Asked:
    given = {"email": "linh@example.org", "name": "Linh", "language": "vi"}
    return Asked(**given | {"side": "merchant", "kind": "digest"} | changes)


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("linh@example.org", "linh@example.org"),
        (" linh@EXAMPLE.org ", "linh@example.org"),
        ("Linh.T+vw@example.org", "Linh.T+vw@example.org"),
        ("o'neill@example.org", "o'neill@example.org"),
        ("linh@bücher.example", "linh@xn--bcher-kva.example"),
        ("linh@ดอกบัว.ไทย", "linh@xn--12c1bt6c1a0a.xn--o3cw4h"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_an_address(email: str, kept: str) -> None:
    assert check_recipient(asked(email=email), LANGUAGES).email == kept


@pytest.mark.parametrize(
    "email",
    [
        "", "linh", "@example.org", "linh@", "a@b@example.org", "a@example.org,b@example.org",
        "a@example.org; b@example.org", "a b@example.org", "<a@example.org>", "An <a@example.org>",
        "a@example.org\r\nBcc: b@example.org", "a@example.org\n", "a\r\n@example.org", "a@exam ple.org",
        "linh\u202e@example.org", "linh@example.org\u202e", "lính@example.org", '"a b"@example.org',
        "a..b@example.org", ".a@example.org", "a@-example.org", "a@example..org", "a@.org",
        "a" * 65 + "@example.org", "a@" + ".".join(["b" * 60] * 5), "a@[127.0.0.1]", "a@exa_mple.org",
        "a@example.org NOTIFY=NEVER", "a@example.org>",
    ],
)  # fmt: skip
def test_what_is_not_one_address(email: str) -> None:
    with pytest.raises(BadRecipient) as raised:
        check_recipient(asked(email=email), LANGUAGES)
    assert [fault.field for fault in raised.value.faults] == ["email"]


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 201, "a\r\nBcc: b", "a\tb", "a\u202eb", "a\0b", "a\u2028b"]
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(BadRecipient) as raised:
        check_recipient(asked(name=name), LANGUAGES)
    assert [fault.field for fault in raised.value.faults] == ["name"]


def test_every_fault_is_told_at_once() -> None:
    bad = asked(email="x", name="", language="xx", side="vendor", every_vendor=True)
    with pytest.raises(BadRecipient) as raised:
        check_recipient(bad, LANGUAGES)
    assert [fault.field for fault in raised.value.faults] == [
        "email", "name", "language", "kind", "every_vendor",
    ]  # fmt: skip
