import re
from decimal import Decimal
from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from vendorwatch import mailing, scorecards
from vendorwatch.resources import REPORTS
from vendorwatch.scorecards.render.wording import SOURCE_LANGUAGE, languages, wording

KEYWORDS = {"gettext": None, "ngettext": (1, 2), "_": None, "msgid": None}
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%")


def words_used() -> set[str]:
    """The message ids in the code and in the templates, plural ones by their singular."""
    code = [Path(package.__path__[0]) for package in (scorecards, mailing)]
    templates = [(f"**.{form}", "jinja2.ext:babel_extract") for form in ("html", "txt")]
    found = [
        *(
            message
            for folder in code
            for message in extract_from_dir(folder, [("**.py", "python")], keywords=KEYWORDS)
        ),
        *extract_from_dir(REPORTS, templates, keywords=KEYWORDS),
    ]
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def catalogue(language: str) -> Catalog:
    with (REPORTS / "locales" / language / "LC_MESSAGES" / "vendorwatch.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


TRANSLATIONS = [language for language in languages() if language != SOURCE_LANGUAGE]


def test_the_languages_of_our_readers_are_there() -> None:
    assert {"en", "hu", "th", "vi"} <= {*languages()}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_text_is_translated_and_none_is_left_over(language: str) -> None:
    messages = [message for message in catalogue(language) if message.id]
    translated = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in messages
        if message.string and not message.fuzzy
    }

    assert translated == words_used()


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_keeps_every_placeholder(language: str) -> None:
    for message in catalogue(language):
        source = message.id if isinstance(message.id, str) else message.id[-1]
        texts = [message.string] if isinstance(message.string, str) else message.string or []
        for text in texts if message.id else []:
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source)), source


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_form_of_a_plural_is_there_and_chosen_as_the_language_chooses(language: str) -> None:
    """Against the rules of CLDR: whole numbers of one category have one form, and no other."""
    kept = catalogue(language)
    category = Locale.parse(language).plural_form
    choose = c2py(kept.plural_expr)
    chosen = {(category(n), choose(n)) for n in range(1_000)}

    assert len(chosen) == len({form for _, form in chosen}) == kept.num_plurals
    for message in kept:
        if message.pluralizable:
            assert len(message.string) == kept.num_plurals, message.id
            assert all(message.string), message.id


def test_hungarian_counts_in_the_singular() -> None:
    one, many = (
        "%(num)s more metric is in the attached CSV.",
        "%(num)s more metrics are in the attached CSV.",
    )
    told = [wording("hu").ngettext(one, many, n, num=n) for n in (1, 5)]

    assert told == [f"További {n} mutató a csatolt CSV-fájlban található." for n in (1, 5)]


@pytest.mark.parametrize(
    ("language", "listed"),
    [
        ("en", "Lê Na, a b and c"),
        ("vi", "Lê Na, a b và c"),
        ("hu", "Lê Na, a b és c"),
        ("th", "Lê Na, a b และ c"),  # CLDR parts Thai items by spaces, which names have, too
    ],
)
def test_a_list_keeps_names_with_spaces_apart(language: str, listed: str) -> None:
    assert wording(language).listed(["Lê Na", "a b", "c"]) == listed
    assert wording(language).listed(["c"]) == "c"
    assert wording(language).listed([]) == ""


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(LookupError):
        wording("../../etc")


@pytest.mark.parametrize(
    ("seconds", "in_languages"),
    [
        ("0", ("0 s", "0 giây", "0 mp", "0 วิ.")),
        ("45", ("45 s", "45 giây", "45 mp", "45 วิ.")),
        ("0.48", ("0.5 s", "0,5 giây", "0,5 mp", "0.5 วิ.")),
        ("59.96", ("1 min", "1 phút", "1 perc", "1 นาที")),
        ("320.4", ("5 min 20 s", "5 phút 20 giây", "5 perc 20 mp", "5 นาที 20 วิ.")),
        ("3599.7", ("1 h", "1 giờ", "1 óra", "1 ชม.")),
        ("8041", ("2 h 14 min", "2 giờ 14 phút", "2 óra 14 perc", "2 ชม. 14 นาที")),
        ("86399", ("1 d", "1 ngày", "1 nap", "1 วัน")),
        ("273600", ("3 d 4 h", "3 ngày 4 giờ", "3 nap 4 óra", "3 วัน 4 ชม.")),
    ],
)
def test_durations_are_for_people(seconds: str, in_languages: tuple[str, ...]) -> None:
    shown = [wording(each).duration(Decimal(seconds)) for each in ("en", "vi", "hu", "th")]

    assert tuple(text.replace("\u00a0", " ") for text in shown) == in_languages


def test_a_duration_that_misses_its_target_never_looks_equal_to_it() -> None:
    shown = wording("en").duration(Decimal("14400.25"), beside=Decimal(14400))

    assert shown.replace("\u00a0", " ") == "4 h 0.25 s"


def test_a_rate_that_misses_its_target_never_looks_equal_to_it() -> None:
    words = wording("en")

    assert words.rate(Decimal("0.912346")) == "91.2%"
    assert words.rate(Decimal("0.899960"), beside=Decimal("0.90")) == "89.996%"
    assert words.rate(Decimal("0.900000"), beside=Decimal("0.90")) == "90.0%"


@pytest.mark.parametrize(
    ("language", "rate", "target", "score", "count", "month"),
    [
        ("en", "91.2%", "92.5%", "71.40", "15,310", "October 2026"),
        ("vi", "91,2%", "92,5%", "71,40", "15.310", "tháng 10 năm 2026"),
        ("hu", "91,2%", "92,5%", "71,40", "15\u00a0310", "2026. október"),
        ("th", "91.2%", "92.5%", "71.40", "15,310", "ตุลาคม 2026"),
    ],
)
def test_figures_are_written_as_the_language_writes_them(
    language: str, rate: str, target: str, score: str, count: str, month: str
) -> None:
    words = wording(language)

    assert words.count(15_310) == count

    assert words.rate(Decimal("0.912346")) == rate
    assert words.written_rate(Decimal("0.925")) == target
    assert words.score("71.40") == score
    assert words.month("2026-10") == month


def test_an_instant_is_told_on_the_clock_of_the_engagement() -> None:
    midnight = 1_794_070_800_000_000  # 2026-11-07T17:00:00Z

    assert wording("en").instant(midnight, "Asia/Ho_Chi_Minh") == "8 November 2026, 00:00"
    assert wording("vi").instant(midnight, "Asia/Ho_Chi_Minh") == "00:00 ngày 8 tháng 11, 2026"
    assert wording("hu").instant(midnight, "Asia/Ho_Chi_Minh") == "2026. november 8., 00:00"
    thai = "8 พฤศจิกายน ค.ศ. 2026 เวลา 00:00 น."  # of the Gregorian calendar, and says so
    assert wording("th").instant(midnight, "Asia/Ho_Chi_Minh") == thai
