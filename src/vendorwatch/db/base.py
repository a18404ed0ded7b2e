"""What all tables share: one metadata with named constraints, and our column types."""

from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, LargeBinary, MetaData, String, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeEngine

from vendorwatch.periods import Micros

HIGHEST_INTEGER = 2**63 - 1
"""That a column can hold, or be compared with."""

Id = Annotated[str, mapped_column(Uuid(as_uuid=False))]
"""A random UUID as text in Python; 16 bytes on PostgreSQL."""

Instant = Annotated[Micros, mapped_column(BigInteger)]
"""Integer microseconds on both engines: SQLite drops offsets, and an integer cannot be misread."""

Name = Annotated[str, mapped_column(String(200))]
Digest = Annotated[bytes, mapped_column(LargeBinary(32))]
Json = Annotated[str, mapped_column(Text)]
"""Our own canonical JSON, kept as text so that both engines give back the same bytes."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[type, TypeEngine[Any]]] = {
        int: BigInteger(),
        str: Text(),
        bytes: LargeBinary(),
    }
