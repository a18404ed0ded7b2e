"""Small logs for tests: believable rows as NDJSON or CSV."""

import csv
import io
import json
from collections.abc import Iterable


def row(number: int = 1, **changes: object) -> dict[str, object]:
    return {
        "interaction_id": f"T-{number}",
        "channel": "email",
        "status": "resolved",
        "opened_at": f"2026-10-01T09:{number % 60:02}:00+07:00",
        "first_reply_at": "2026-10-01T10:05:00+07:00",
        "resolved_at": "2026-10-01T15:00:00+07:00",
        "agent_id": "linh",
        "customer_ref": f"customer {number}",
        "topic": "returns",
        **changes,
    }


def ndjson(rows: Iterable[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in rows)


def csv_file(rows: Iterable[dict[str, object]]) -> bytes:
    """Columns are those of the first row; None is an empty cell."""
    listed = list(rows)
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(listed[0]))
    writer.writeheader()
    writer.writerows({name: "" if v is None else v for name, v in each.items()} for each in listed)
    return buffer.getvalue().encode()
