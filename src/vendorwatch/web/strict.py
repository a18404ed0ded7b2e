"""What the framework takes leniently and we don't: query parameters and bodies."""

import json
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec
from litestar import Request
from litestar.routes import HTTPRoute
from typing_extensions import override

from vendorwatch.db.text import is_illegal
from vendorwatch.errors import Fault, Kind, VendorwatchError
from vendorwatch.web.problems import BadParameter, UnsupportedMediaType

__all__ = [
    "TOML",
    "BadBody",
    "BadContent",
    "StrictRequest",
    "UnsupportedMediaType",  # belongs to strictness, though problems must know it, too
    "check_query",
    "convert",
    "read_json",
    "toml_text",
]

TOML = "application/toml"
_QUERY = "vendorwatch_query_parameters"
_PLACE = re.compile(r" - at `\$(?P<path>.*)`$")
_ROW = re.compile(r"\[(\d+)\]\.?(.*)")


class BadBody(VendorwatchError):
    """The body is empty, not UTF-8 or not JSON, or has a key twice in one object.

    Send one JSON value in UTF-8; `detail` tells where reading stopped.
    """

    kind = Kind.MALFORMED
    slug = "bad-body"
    title = "The body cannot be read"


class BadContent(VendorwatchError):
    """The body is JSON, but a value in it is missing, unknown or of the wrong type.

    Correct the place that is named. Types are not bent: "5" is no number.
    """

    kind = Kind.REFUSED
    slug = "bad-content"
    title = "The body was refused"


class StrictRequest(Request[Any, Any, Any]):
    """JSON only under application/json in UTF-8, no doubled keys, no types bent into others."""

    @override
    async def body(self) -> bytes:
        if self.route_handler.parsed_data_field is None:
            return await super().body()
        _require_json(*self.content_type)
        received = await super().body()
        if not received:
            raise BadBody("The body is empty; JSON is needed.")
        return received

    @override
    async def json(self) -> Any:
        field = self.route_handler.parsed_data_field
        value = read_json(await self.body())
        return value if field is None else convert(value, field.annotation)


async def toml_text(request: Request[Any, Any, Any], what: str) -> str:
    """The body, which is `what`. Raises UnsupportedMediaType, BadBody."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != TOML:
        raise UnsupportedMediaType(f"Send the {what} as {TOML}.")
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise BadBody(f"The {what} is not UTF-8, from byte {error.start} on.") from error


def read_json(body: bytes) -> Any:
    """Numbers with a point or an exponent are read as Decimal. Raises BadBody."""
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=_exact,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError as error:
        raise BadBody(f"The body is not UTF-8, from byte {error.start} on.") from error
    except RecursionError as error:
        raise BadBody("The body is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise BadBody(
            f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from error
    except ValueError as error:  # a number of thousands of digits, or what we refuse ourselves
        raise BadBody(f"The body is not JSON: {error}.") from error


def convert(value: Any, target: Any) -> Any:
    """Raises BadContent with the place of the first value that does not fit."""
    try:
        return msgspec.convert(value, target, strict=True)
    except msgspec.ValidationError as error:
        fault = _fault(str(error))
        raise BadContent(str(fault), faults=(fault,)) from error
    except UnicodeEncodeError as error:  # a key is no field's name, and cannot be told either
        raise BadContent("A key holds half of a surrogate pair.") from error


async def check_query(request: Request[Any, Any, Any]) -> None:
    """Every parameter must be one that the handler declares, stand once, and hold no NUL."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    if not given:
        return
    known = _query_parameters(request)[request.route_handler]
    unknown = sorted(given.keys() - known.keys())
    faults = [Fault("unknown", "is not a parameter here", field=name) for name in unknown]
    faults += [
        Fault("duplicate", "stands more than once", field=name)
        for name, times in sorted(given.items())
        if times > 1 and not known.get(name, True)
    ]
    faults += [
        Fault("illegal_character", "holds NUL", field=name)
        for name, value in request.query_params.multi_items()
        if is_illegal(value)
    ]
    if faults:
        raise BadParameter("; ".join(map(str, faults)), faults=tuple(faults))


def _query_parameters(request: Request[Any, Any, Any]) -> dict[object, dict[str, bool]]:
    """For each handler: its parameters, and whether each may stand several times."""
    found: dict[object, dict[str, bool]] | None = request.app.state.get(_QUERY)
    if found is None:
        found = {
            handler: {
                parameter.field_alias: parameter.is_sequence
                for parameter in model.expected_query_params
            }
            for route in request.app.routes
            if isinstance(route, HTTPRoute)
            for handler, model in route.route_handler_map.values()
        }
        request.app.state[_QUERY] = found
    return found


def _require_json(media_type: str, options: dict[str, str]) -> None:
    charset = options.get("charset", "utf-8").lower()
    if media_type.lower() != "application/json" or charset not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("Send the body as `Content-Type: application/json`, in UTF-8.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        doubled = next(name for name, times in Counter(n for n, _ in pairs).items() if times > 1)
        raise ValueError(f"the key {doubled!r} stands twice")
    return made


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:  # an exponent beyond all bounds
        raise ValueError(f"{text[:40]} is too large or too small") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _fault(message: str) -> Fault:
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    detail = message[: place.start()] if place else message
    row, field = None, path.lstrip(".")
    if in_list := _ROW.fullmatch(path):
        row, field = int(in_list[1]) + 1, in_list[2]
    return Fault("bad_value", detail, field=field or None, row=row)
