"""What the sandbox says: HAL on success, problem+json on errors, the gateway's HTML where Kommo's gateway speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

HAL = "application/hal+json"
PROBLEM = "application/problem+json"
HTML = "text/html"
_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 415: "Unsupported Media Type", 422: "Unprocessable Entity",
    429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Time-out",
}  # fmt: skip


@dataclass(slots=True)
class Answer:
    """A response before it goes on the wire. `wire` names a way to break the connection, `chunks` replaces `body`."""

    status: int
    body: bytes = b""
    content_type: str = HAL
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunks: Iterator[bytes] | None = None
    length: int | None = None
    wire: str = ""


class Refused(Exception):
    """A request that is not carried out: an HTTP status and what Kommo says about it. 204 is one too: nothing there."""

    def __init__(self, status: int, detail: str, errors: list[Any] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


def hal(value: Any, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(status, orjson.dumps(value))


def nothing() -> Answer:
    """204: an empty list, a page past the end, no such record."""
    return Answer(204)


def problem(status: int, detail: str, errors: list[Any] | None = None) -> Answer:
    """An error as problem+json; `errors` is the value of `validation-errors`."""
    body: dict[str, Any] = {"validation-errors": errors} if errors is not None else {}
    body |= {"title": _TITLES[status], "type": f"https://httpstatus.es/{status}", "status": status, "detail": detail}
    return Answer(status, orjson.dumps(body), PROBLEM)


def refusal(refused: Refused) -> Answer:
    """The answer that a Refused stands for."""
    return nothing() if refused.status == 204 else problem(refused.status, refused.detail, refused.errors)


def gateway(status: int) -> Answer:
    """An error that the gateway in front of Kommo gives: nginx's HTML."""
    title = f"{status} {_TITLES[status]}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    return Answer(status, f"{page}<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n".encode(), HTML)


def unauthorized() -> Answer:
    """401, as for a token that is not one, has expired or was revoked."""
    return problem(401, "Invalid user name or password")


def not_found() -> Answer:
    """404 for a route or sub-resource that does not exist."""
    return problem(404, "Not Found")
