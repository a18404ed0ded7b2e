"""Text from outside (names of people, vendors, merchants), made fit to be laid out and printed."""

import re
import unicodedata

LONGEST = 200  # graphemes
_MARKS_KEPT = 4  # more on one letter is no language, and costs the layout dearly
_JOINERS = "\u200c\u200d"  # the only format characters that change what a word looks like
_WRITTEN_BEFORE = re.compile("([\u0e40-\u0e44])([\u0e01-\u0e2e])")  # Thai vowels, as in เกษม
_BELOW = 103  # the combining class of Thai vowels that are written below: no accents
_UNSAFE_IN_FILE_NAMES = re.compile(r'[/\\:*?"<>|%\s]+')


def displayable(text: str, longest: int = LONGEST) -> str:
    """Without control, direction and unassigned characters, one line, at most `longest` graphemes.

    Direction controls go because they can show "91" where "19" is written.
    """
    plain = text.isascii() and text.isprintable() and len(text) <= longest
    if plain and text == " ".join(text.split()):
        return text  # as most of a document is, all of which goes through here
    kept = "".join(" " if character.isspace() else character for character in text)
    kept = "".join(character for character in kept if not _is_unprintable(character))
    clusters = _graphemes(" ".join(kept.split()))
    if len(clusters) > longest:
        clusters = [*clusters[: longest - 1], "…"]
    return "".join(clusters)


def safe_in_file_name(text: str, longest: int = 150) -> str:
    """Letters of any script stay; separators, wildcards, spaces and leading dots do not.

    `longest` is in bytes: most file systems allow 255 for a name, whatever the script.
    """
    cleaned = _UNSAFE_IN_FILE_NAMES.sub("-", displayable(text)).strip("-. ")
    return _within_bytes(cleaned, longest) or "vendor"


def alphabetical(text: str) -> tuple[str, str]:
    """A key that sorts letters with marks beside those without, as readers look names up."""
    folded = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    base = "".join(each for each in folded if unicodedata.combining(each) in {0, _BELOW})
    return _WRITTEN_BEFORE.sub(r"\2\1", base), text


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cn", "Cs"} and character not in _JOINERS


def _graphemes(text: str) -> list[str]:
    """Extended grapheme clusters, near enough: a base with its marks, joined by joiners."""
    clusters: list[str] = []
    marks = 0
    for character in text:
        continues = unicodedata.category(character).startswith("M") or character in _JOINERS
        if clusters and (continues or clusters[-1].endswith("\u200d")):
            marks += 1
            if marks <= _MARKS_KEPT:
                clusters[-1] += character
        else:
            clusters.append(character)
            marks = 0
    return clusters


def _within_bytes(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")
