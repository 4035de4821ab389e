"""Closed by default: what is refused before any route is reached.

A caller is direct (no proxy in between), from this machine, and not a page of somewhere else. A reverse proxy left at
its defaults shows itself by a forwarding header, a foreign Host or HTTP/1.0, and so does not open us to the world.
"""

import ipaddress
import re

import orjson
from flask import Flask, Request, Response, request

API = "/api/"
Refused = tuple[int, str, str]  # HTTP status, stable code, Portuguese sentence
_FORWARDING = (
    "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port",
    "X-Forwarded-Server", "X-Forwarded-By", "X-Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Original-Host",
    "X-Original-Forwarded-For", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Cf-Ray",
    "Fastly-Client-Ip", "X-Envoy-External-Address", "X-Azure-Clientip", "X-ProxyUser-Ip", "Client-Ip",
)  # fmt: skip
_HOST = re.compile(r"(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_OWN = ("same-origin", "none")


_PROXY = "Este painel ainda não pode ficar atrás de um proxy: acesse-o diretamente neste computador."
_ELSEWHERE = "Este painel só atende a chamadas feitas neste computador."
_UNKNOWN_HOST = "Endereço desconhecido: abra o painel por http://127.0.0.1 ou http://localhost."
_OTHER_SITE = "O pedido veio de outro site e foi recusado."


def register(app: Flask) -> None:
    """Put the guard before every route, the unknown ones and static files included."""
    app.before_request(check)


def check() -> Response | None:
    """The refusal of what may not call, in words and without anything of the account; None for who may."""
    found = _not_direct(request) or _foreign_host(request) or _other_site(request)
    return _refusal(*found) if found else None


def _refusal(status: int, code: str, sentence: str) -> Response:
    if not request.path.startswith(API):
        return Response(sentence, status, mimetype="text/plain")
    body = {"success": False, "message": sentence, "error": sentence, "code": code}
    return Response(orjson.dumps(body), status, mimetype="application/json")


def _not_direct(call: Request) -> Refused | None:
    try:
        local = ipaddress.ip_address(call.environ.get("REMOTE_ADDR") or "").is_loopback
    except ValueError:
        local = False
    if not local:
        return 403, "not_local", _ELSEWHERE
    if call.environ.get("SERVER_PROTOCOL") == "HTTP/1.0" or any(name in call.headers for name in _FORWARDING):
        return 403, "not_direct", _PROXY
    return None


def _foreign_host(call: Request) -> Refused | None:
    return None if _HOST.fullmatch(call.environ.get("HTTP_HOST", "")) else (400, "unknown_host", _UNKNOWN_HOST)


def _other_site(call: Request) -> Refused | None:
    site, origin = call.headers.get("Sec-Fetch-Site"), call.headers.get("Origin")
    if site is not None:
        allowed = site in _OWN or _follows_a_link(call)
    else:
        allowed = origin is None or origin.lower() == f"{call.scheme}://{call.host}".lower()
    return None if allowed else (403, "cross_site", _OTHER_SITE)


def _follows_a_link(call: Request) -> bool:
    """A person followed a link to one of our pages: the one thing another site may cause."""
    return (
        call.method in ("GET", "HEAD")
        and call.headers.get("Sec-Fetch-Mode") == "navigate"
        and call.headers.get("Sec-Fetch-Dest") == "document"
        and not call.path.startswith(API)
    )
