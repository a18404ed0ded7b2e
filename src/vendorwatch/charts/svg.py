"""What every chart shares: the palette, and elements with presentation attributes.

Presentation attributes and not CSS, because WeasyPrint applies no page style inside an SVG.
"""

from html import escape

GOOD = "#0b6e99"
CONCERN = "#c2410c"
NEUTRAL = "#6b7280"
INK = "#111827"
FAINT = "#d1d5db"
FONT = "Noto Sans, sans-serif"
FONT_SIZE = 6.5


def number(value: float) -> str:
    """Two decimals are a hundredth of a unit: finer than any printer, and the same everywhere."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(tag: str, **attributes: float | str) -> str:
    """`stroke_width` is written stroke-width; numbers are shortened."""
    text = "".join(
        f' {name.replace("_", "-")}="{_attribute(value)}"' for name, value in attributes.items()
    )
    return f"<{tag}{text}/>"


def label(text: str, x: float, y: float, *, anchor: str = "start", fill: str = NEUTRAL) -> str:
    """Text with its baseline at `y`, from, around or up to `x` (start, middle, end).

    For digits and single letters only: WeasyPrint sets the text of an SVG letter by letter, which
    breaks every script whose letters depend on each other. Words belong beside the picture.
    """
    attributes = element(
        "text",
        x=x,
        y=y,
        text_anchor=anchor,
        fill=fill,
        font_family=FONT,
        font_size=FONT_SIZE,
    )
    return f"{attributes.removesuffix('/>')}>{escape(text)}</text>"


def diamond(x: float, y: float, size: float, colour: str) -> str:
    path = f"M{number(x)} {number(y - size)}l{number(size)} {number(size)}"
    path += f"l{number(-size)} {number(size)}l{number(-size)} {number(-size)}Z"
    return element("path", d=path, fill=colour)


def triangle(x: float, y: float, size: float, colour: str) -> str:
    path = f"M{number(x)} {number(y - size)}l{number(size)} {number(1.8 * size)}"
    path += f"h{number(-2 * size)}Z"
    return element("path", d=path, fill=colour)


def picture(width: float, height: float, title: str, *parts: str, name: str) -> str:
    """An <svg> whose <title> is its alternative text; `name` is its class on the page."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{escape(name)}" role="img" '
        f'width="{number(width)}" height="{number(height)}" '
        f'viewBox="0 0 {number(width)} {number(height)}" preserveAspectRatio="xMinYMid">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _attribute(value: float | str) -> str:
    return escape(value) if isinstance(value, str) else number(value)
