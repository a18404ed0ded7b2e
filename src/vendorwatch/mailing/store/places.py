"""Where a page of recipients or deliveries begins."""

from typing import Any

from sqlalchemy import literal, tuple_

from vendorwatch.db import models
from vendorwatch.periods import Micros

Place = tuple[Micros, str]
"""created_at and id of the last one of a page."""


def compared(place: Place) -> Any:
    """To compare the two columns with, as one value.

    Ids have another form in each database; without a type they would be compared as they stand.
    """
    instant, name = place
    return tuple_(literal(instant), literal(name, models.Delivery.delivery_id.type))
