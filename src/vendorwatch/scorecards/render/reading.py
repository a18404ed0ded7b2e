"""What the glyphs of a PDF read as, so that Thai can be searched, copied and read aloud.

WeasyPrint lets a glyph read as the text of the cluster in which it is first met. In a cluster of
several glyphs, as in น้ำ, all but the last read as nothing and the last one as everything: from
then on, on every page, tones are missing and vowels doubled. A font's own tables know better.
And as Thai is drawn otherwise than it is written (ำ in two parts, marks moved to where they fit),
what is drawn gets the text that it stands for beside it, as ActualText.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from typing import Any

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # it has no types
from typing_extensions import override

_SINGLE, _LIGATURE, _EXTENSION = 1, 4, 7  # types of lookups in a font's table of substitutions
_THAI = re.compile("[\u0e00-\u0e7f]")
_SARA_AM_DRAWN = re.compile("([\u0e48-\u0e4b]?)\u0e4d([\u0e48-\u0e4b]?)\u0e32")
_GLYPHS = re.compile(rb"<([0-9a-f]+)>")


class Fonts(dict[str, Any]):
    """Takes the place of `weasyprint.Document.fonts`, before anything is drawn."""

    @override
    def __setitem__(self, key: str, font: Any) -> None:
        font.to_unicode = _Readings(font)
        super().__setitem__(key, font)


class _Readings(dict[int, str]):
    """By glyph. Where Thai is met, what the font says holds, not what the cluster was."""

    def __init__(self, font: Any) -> None:
        super().__init__()
        self._font = font

    @override
    def __setitem__(self, glyph: int, text: str) -> None:
        doubtful = not text or _THAI.search(text)
        super().__setitem__(glyph, self._of_the_font.get(glyph, text) if doubtful else text)

    @cached_property
    def _of_the_font(self) -> dict[int, str]:
        with TTFont(BytesIO(self._font.file_content), fontNumber=self._font.index) as font:
            return {font.getGlyphID(name): text for name, text in _thai(font).items()}


def _thai(font: Any) -> dict[str, str]:
    """Of every glyph that stands for Thai characters; forms for narrow places read as their base,
    ligatures as their parts.
    """
    texts = {name: chr(at) for at, name in font.getBestCmap().items() if _THAI.match(chr(at))}
    substitutions = [*_substitutions(font)]
    known = 0
    while known < len(texts):  # forms have forms of their own
        known = len(texts)
        for glyphs, form in substitutions:
            if all(glyph in texts for glyph in glyphs):
                texts.setdefault(form, "".join(texts[glyph] for glyph in glyphs))
    return texts


def _substitutions(font: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Which glyphs are replaced by which one."""
    lookups = font["GSUB"].table.LookupList.Lookup if "GSUB" in font else ()
    for table in (table for lookup in lookups for table in lookup.SubTable):
        found = table.ExtSubTable if table.LookupType == _EXTENSION else table
        if found.LookupType == _SINGLE:
            yield from (((glyph,), form) for glyph, form in found.mapping.items())
        if found.LookupType == _LIGATURE:
            for first, ligatures in found.ligatures.items():
                yield from (((first, *each.Component), each.LigGlyph) for each in ligatures)


def spell_out(document: Any, pdf: Any) -> None:
    """Puts beside the Thai of every page how it is written. For `finisher` of `write_pdf`."""
    fonts = {b"/" + font.hash.encode(): font for font in document.fonts.values()}
    for drawn in pdf.objects:
        if b"BT" in getattr(drawn, "stream", ()):
            drawn.stream = [*_spelt_out(drawn.stream, fonts)]


def _spelt_out(operations: Sequence[Any], fonts: dict[bytes, Any]) -> Iterator[Any]:
    """Runs of one font on one line stay what they are; those in Thai are put in a span."""
    font, run, text = None, list[Any](), ""
    for operation in operations:
        operator = operation.rsplit(b" ", 1)[-1] if isinstance(operation, bytes) else None
        if operator in {b"TJ", b"Ts"}:
            run.append(operation)
            text += _read(operation, font) if operator == b"TJ" else ""
            continue
        yield from _span(run, text)
        run, text = [], ""
        if operator == b"Tf":
            font = fonts[operation.split(b" ", 1)[0]]
        yield operation
    yield from _span(run, text)


def _read(operation: bytes, font: Any) -> str:
    digits = 2 if font.bitmap else 4
    return "".join(
        font.to_unicode[int(glyphs[at : at + digits], 16)]
        for glyphs in _GLYPHS.findall(operation)
        for at in range(0, len(glyphs), digits)
    )


def _span(run: list[Any], text: str) -> list[Any]:
    if not _THAI.search(text):
        return run
    written = _SARA_AM_DRAWN.sub("\\1\\2\u0e33", text).encode("utf-16-be").hex()
    return [f"/Span <</ActualText <feff{written}>>> BDC".encode(), *run, b"EMC"]
