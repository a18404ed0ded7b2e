"""A mail as bytes: what stands in its headers, whatever people and firms are called."""

import email
import email.policy
import re
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest

from mailing.sample_letter import FACTS, LINK, READER, UNSUBSCRIBE, notice_of, parts
from scorecards import sample
from vendorwatch.mailing import letter, notice
from vendorwatch.mailing.compose import Attachment, Envelope, Text, message
from vendorwatch.mailing.letter import Part, Reader
from vendorwatch.mailing.model import TOLD
from vendorwatch.scorecards.render import file_name, languages

SPLIT = "Hoa Sen\r\nBcc: evil@example.org\r\n\r\nBody"
TEXT = Text("A fact", "Text\n.\nFrom here", "<p>Text</p>")
LONGEST_LINE = 998


def envelope(**changes: Any) -> Envelope:
    return Envelope(
        **{
            "message_id": "<" + 64 * "a" + "@scores.a-rather-long-name-of-a-host.example.org>",
            "sender": Address("vendorwatch", addr_spec="vendorwatch@example.org"),
            "to": "linh@example.org",
            "name": "Linh",
            "language": "en",
            "date": 1_794_191_400_000_000,
            "unsubscribe": UNSUBSCRIBE,
        }
        | changes
    )


def parsed(content: bytes) -> EmailMessage:
    found = email.message_from_bytes(content, policy=email.policy.SMTP)
    assert isinstance(found, EmailMessage)
    return found


def test_headers() -> None:
    content = message(envelope(name="Nguyễn Thị Phương Thảo, kế toán"), TEXT, [])
    found = parsed(content)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= LONGEST_LINE
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert found["Date"] == "Mon, 09 Nov 2026 02:30:00 +0000"
    assert found["From"] == "vendorwatch <vendorwatch@example.org>"
    [to] = found["To"].addresses
    assert (to.display_name, to.addr_spec) == (
        "Nguyễn Thị Phương Thảo, kế toán", "linh@example.org",
    )  # fmt: skip
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Content-Language"] == "en"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = found.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().splitlines() == ["Text", ".", "From here"]


def test_programs_find_the_links_and_the_id_as_they_are() -> None:
    """In one piece: no program looks for them in an encoded word or behind a fold."""
    content = message(envelope(), TEXT, [])
    assert f"\r\nList-Unsubscribe: <{UNSUBSCRIBE}>\r\n".encode() in content
    assert f"Message-ID: {envelope().message_id}\r\n".encode() in content


@pytest.mark.parametrize(
    "subject",
    [
        "Công ty Hoa Sen BPO với một cái tên rất dài để xem nó gập lại, tháng 10 năm 2026: đạt 9 trên 12",
        "บริษัท ดอกบัว จำกัด, ตุลาคม 2026: บรรลุ 9 จาก 12 เป้าหมาย",
        "Árvíztűrő Tükörfúrógép Kft., 2026. október: 12-ből 9 cél teljesült",
        "Plain and long " + "word " * 30 + "end",
        "emoji 😀 in it, twice 😀",
    ],
)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    content = message(envelope(), Text(subject, "x", "<p>x</p>"), [])
    raw = content.split(b"\r\nSubject: ")[1].split(b"\r\nAuto-Submitted")[0]
    words = email.header.make_header(email.header.decode_header(raw.decode().replace("\r\n", "")))
    assert str(words) == subject


@pytest.mark.parametrize("field", ["name", "subject"])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\x0b", "\u2028", "\x85"])
def test_nobody_adds_a_header(field: str, ending: str) -> None:
    text = SPLIT.replace("\r\n", ending)
    changes = {"name": text} if field == "name" else {}
    subject = text if field == "subject" else "A fact"
    found = parsed(message(envelope(**changes), Text(subject, "x", "<p>x</p>"), []))
    assert "Bcc" not in found
    assert "Bcc: evil@example.org" in str(found["To" if field == "name" else "Subject"])
    assert found.keys() == parsed(message(envelope(), TEXT, [])).keys()


@pytest.mark.parametrize("field", ["message_id", "to", "unsubscribe", "language"])
def test_what_only_we_write_is_refused_with_a_line_end(field: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        message(envelope(**{field: "<a@example.org>\r\nBcc: evil@example.org"}), TEXT, [])


def test_controls_that_turn_text_round_are_left_out() -> None:
    found = parsed(message(envelope(name="Li\u202enh"), Text("score \u202e91\u2066", "x", "x"), []))
    assert found["Subject"] == "score 91"
    assert found["To"].addresses[0].display_name == "Linh"


def test_names_are_cut_to_what_fits() -> None:
    document = sample.document(vendor="Công ty " * 50, names=[])
    text = letter.text([Part(document, LINK, is_attached=True)], READER)
    assert len(text.subject) < 120
    assert text.subject.endswith("targets met")
    assert len(parsed(message(envelope(name="Linh " * 80), TEXT, []))["To"]) < 120


def test_files_are_named_in_any_script() -> None:
    vendor = "Công ty Hoa Sen ดอกบัว / Ltd."
    name = file_name(sample.document(vendor=vendor, names=[]))
    found = parsed(message(envelope(), TEXT, [Attachment(name, b"%PDF")]))
    [part] = found.iter_attachments()
    assert part.get_filename() == name == "Công-ty-Hoa-Sen-ดอกบัว-Ltd_2026-10_r1.pdf"
    assert part.get_content() == b"%PDF"


def test_the_same_letter_is_the_same_bytes() -> None:
    files = [Attachment("a.pdf", b"a"), Attachment("b.pdf", b"b")]
    one, other = (message(envelope(), TEXT, files) for _ in range(2))
    assert one == other
    assert one != message(envelope(message_id="<b@example.org>"), TEXT, files)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", [*TOLD, "one", "two", "revision", "nothing", "large"])
def test_every_text_in_every_language(language: str, name: str) -> None:
    reader = Reader(language, READER.address, READER.merchant, UNSUBSCRIBE)
    if name in TOLD:
        text = notice.text(notice_of(name), reader)
    else:
        text = letter.text(parts(name), reader)
    found = parsed(message(envelope(language=language), text, []))
    plain, html = (found.get_body((form,)).get_content() for form in ("plain", "html"))  # type: ignore[union-attr]  # it has both
    assert 10 < len(text.subject) < 110
    for each in (plain, html):
        assert "%(" not in each
        assert "None" not in each
        assert UNSUBSCRIBE in each
        assert "linh@trasen.vn" in each
    assert f'<html lang="{language}">' in html
    [heading] = re.findall(r"<h1>(.*?)</h1>", html)
    assert heading in plain
    assert heading.lower() in text.subject.lower()
    # Nothing is fetched: no picture, no style, no script, no font of somebody else.
    for word in ("<img", "<link", "<script", "@import", "url(", "src=", "http-equiv"):
        assert word not in html
    for fact in FACTS[name]:
        assert fact in plain
        assert fact in html


def test_markup_in_names_is_text() -> None:
    evil = '<script>alert(1)</script>"><img src=x>{{7*7}}'
    document = sample.document(vendor=evil, names=[])
    text = letter.text(
        [Part(document, LINK, is_attached=True)], Reader("en", "a@b.example", evil, UNSUBSCRIBE)
    )
    assert "<script" not in text.html
    assert "<img" not in text.html
    assert "49" not in text.subject
    assert "<script>alert(1)</script>" in text.plain  # no markup there, and the name is the name


def test_what_differs_by_no_more_than_chance_has_no_colour() -> None:
    html = letter.text(parts("one"), READER).html
    clear, noise = html.count("actual clear"), html.count("actual noise")
    assert (clear, noise) == (html.count("evidence: clear"), html.count("evidence: within noise"))
    assert clear
    assert noise


def test_clear_misses_come_first() -> None:
    plain = letter.text(parts("one"), READER).plain
    evidence = [line.rpartition("; ")[2] for line in plain.splitlines() if "evidence: " in line]
    assert evidence == sorted(evidence)
    assert len(evidence) > 5
