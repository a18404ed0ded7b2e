"""One language's words, numbers, dates and durations, for people."""

import gettext
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from io import BytesIO

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from vendorwatch.periods import Micros, Month, load_zone, to_datetime
from vendorwatch.resources import REPORTS
from vendorwatch.scorecards.render.names import displayable

SOURCE_LANGUAGE = "en"
_LOCALES = {SOURCE_LANGUAGE: "en_GB"}  # 24-hour clock, and the day before the month
_DOMAIN = "vendorwatch"
_COARSEST_DIGITS, _FINEST_DIGITS = 1, 4


def msgid(message: str) -> str:
    """Marks a constant for the catalogues; it is translated where it is shown."""
    return message


_UNITS = (
    (Decimal(86_400), msgid("%(n)s d")),
    (Decimal(3_600), msgid("%(n)s h")),
    (Decimal(60), msgid("%(n)s min")),
    (Decimal(1), msgid("%(n)s s")),
)
_STEPS = (  # below so many seconds, durations are shown in steps of so many
    (Decimal(60), Decimal("0.1")),
    (Decimal(3_600), Decimal(1)),
    (Decimal(86_400), Decimal(60)),
    (Decimal("Infinity"), Decimal(3_600)),
)


def capital(text: str) -> str:
    """As it begins a line: "tháng 10 năm 2026" is lower-case only within a sentence."""
    return text[0].upper() + text[1:]


def languages() -> tuple[str, ...]:
    """Adding one is adding a catalogue."""
    folders = (REPORTS / "locales").glob(f"*/LC_MESSAGES/{_DOMAIN}.po")
    return (SOURCE_LANGUAGE, *sorted(folder.parent.parent.name for folder in folders))


@dataclass(frozen=True)
class Wording:
    language: str
    locale: Locale
    catalogue: gettext.NullTranslations

    def gettext(self, message: str, **values: object) -> str:
        translated = self.catalogue.gettext(message)
        return translated % values if values else translated

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        return self.catalogue.ngettext(one, many, n) % {"n": self.count(n), **values}

    def count(self, n: int) -> str:
        return format_decimal(n, locale=self.locale)

    def score(self, text: str) -> str:
        """Scores and points are written with two decimals in the document, and shown so."""
        return format_decimal(Decimal(text), format="0.00", locale=self.locale)

    def plain_number(self, text: str) -> str:
        return format_decimal(Decimal(text), locale=self.locale, decimal_quantization=False)

    def rate(self, value: Decimal, *, beside: Decimal | None = None) -> str:
        """One decimal; more where it would otherwise look equal to `beside` and is not."""
        digits = _COARSEST_DIGITS
        while (
            beside is not None
            and value != beside
            and digits < _FINEST_DIGITS
            and self._percent(value, digits) == self._percent(beside, digits)
        ):
            digits += 1
        return self._percent(value, digits)

    def written_rate(self, value: Decimal) -> str:
        """As many decimals as somebody wrote, no more."""
        exponent = (value * 100).normalize().as_tuple().exponent
        return self._percent(value, max(-exponent, 0) if isinstance(exponent, int) else 0)

    def duration(self, seconds: Decimal, *, beside: Decimal | None = None) -> str:
        """Two units; every unit where it would otherwise look equal to `beside` and is not."""
        text = self._duration(_coarse(seconds))
        if beside is not None and seconds != beside and text == self._duration(_coarse(beside)):
            return self._duration(seconds)
        return text

    def month(self, month: str) -> str:
        return format_skeleton("yMMMM", _first_day(month), locale=self.locale)

    def short_month(self, month: str) -> str:
        return format_skeleton("yMMM", _first_day(month), locale=self.locale)

    def instant(self, instant: Micros, zone: str) -> str:
        local = to_datetime(instant).astimezone(load_zone(zone))
        date = format_date(local, "long", locale=self.locale)
        return self.gettext(
            "%(date)s, %(time)s", date=date, time=format_time(local, "HH:mm", locale=self.locale)
        )

    def listed(self, items: Iterable[str]) -> str:
        """Where a language parts items by bare spaces, as Thai does, commas keep names whole."""
        listed = list(items)
        patterns = self.locale.list_patterns["standard"]
        if _between(patterns["middle"]) or len(listed) < 2:  # noqa: PLR2004 - one makes no list
            return format_list(listed, locale=self.locale)
        return f"{', '.join(listed[:-1])} {_between(patterns['end'])} {listed[-1]}"

    def _percent(self, value: Decimal, digits: int) -> str:
        pattern = "#,##0%" if digits == 0 else f"#,##0.{'0' * digits}%"
        return format_percent(value, format=pattern, locale=self.locale)

    def _duration(self, seconds: Decimal) -> str:
        parts = []
        for size, unit in _UNITS:
            amount = seconds if size == 1 else seconds // size
            seconds -= amount * size
            if amount:
                shown = self.plain_number(f"{amount.normalize():f}")
                parts.append(self.gettext(unit, n=shown))
        text = " ".join(parts) if parts else self.gettext(_UNITS[-1][1], n="0")
        return text.replace(" ", "\u00a0")


@lru_cache(maxsize=16)
def wording(language: str) -> Wording:
    """Raises LookupError if there is no catalogue for the language."""
    if language not in languages():
        raise LookupError(f"no catalogue for {displayable(language)!r}")
    locale = Locale.parse(_LOCALES.get(language, language))
    return Wording(language, locale, _catalogue(language))


def _between(pattern: str) -> str:
    return pattern.removeprefix("{0}").removesuffix("{1}").strip()


def _coarse(seconds: Decimal) -> Decimal:
    for limit, step in _STEPS:
        rounded = (seconds / step).to_integral_value(ROUND_HALF_EVEN) * step
        if rounded < limit:
            return rounded
    return seconds


def _first_day(month: str) -> date:
    parsed = Month.parse(month)
    return date(parsed.year, parsed.month, 1)


def _catalogue(language: str) -> gettext.NullTranslations:
    """Compiled in memory, so that a catalogue is one text file and there is no build step."""
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    compiled = BytesIO()
    path = REPORTS / "locales" / language / "LC_MESSAGES" / f"{_DOMAIN}.po"
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
