"""A month in an address."""

from vendorwatch.errors import NotFound
from vendorwatch.periods import Month


def month_in(text: str) -> Month:
    """What names no month names nothing. Raises NotFound."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise NotFound("There is no such month.") from error
