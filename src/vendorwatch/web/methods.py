"""OPTIONS for addresses with several handlers: the framework's own answer names the methods of the
first one only.
"""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus

from litestar import Response
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler


def options_for(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """One for each address, to be registered before `handlers`: then the framework adds none."""
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for handler in handlers:
        for path in handler.paths:
            methods[path] |= {str(method) for method in handler.http_methods}
    return [_options(path, found | {"OPTIONS"}) for path, found in methods.items()]


def _options(path: str, methods: set[str]) -> HTTPRouteHandler:
    allow = ", ".join(sorted(methods))

    def tell_methods() -> Response[None]:
        return Response(None, status_code=HTTPStatus.NO_CONTENT, headers={"Allow": allow})

    handler = HTTPRouteHandler(
        path, http_method=HttpMethod.OPTIONS, include_in_schema=False, sync_to_thread=False
    )
    return handler(tell_methods)
