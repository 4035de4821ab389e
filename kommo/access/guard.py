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
    "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Client-Ip",
    "X-ProxyUser-Ip", "X-Nginx-Proxy", "X-Envoy-External-Address", "X-Azure-Clientip", "X-Appengine-User-Ip",
    "Cf-Connecting-Ip", "Cf-Ray", "Cf-Visitor", "Fastly-Client-Ip", "Fly-Client-Ip",
)  # fmt: skip
_FORWARDING_STARTS = ("x-forwarded", "x-original-")  # -For, -Host, -Ssl, -Prefix, -Client-Cert, -URL, …
_HOST = re.compile(r"(localhost|[0-9.]+|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
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


def is_direct(call: Request) -> bool:
    """Whether a caller is at this machine, with nothing in between."""
    return _not_direct(call) is None


def _not_direct(call: Request) -> Refused | None:
    if not _is_loopback(call.environ.get("REMOTE_ADDR") or ""):
        return 403, "not_local", _ELSEWHERE
    if call.environ.get("SERVER_PROTOCOL") == "HTTP/1.0" or _is_forwarded(call):
        return 403, "not_direct", _PROXY
    return None


def _is_forwarded(call: Request) -> bool:
    listed = any(name in call.headers for name in _FORWARDING)
    return listed or any(name.lower().startswith(_FORWARDING_STARTS) for name, _ in call.headers)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _foreign_host(call: Request) -> Refused | None:
    """The `Host`, and the host in the request line where a client wrote the whole address into it (RFC 9112, 3.2.2)."""
    hosts = [call.environ.get("HTTP_HOST", "")]
    written = call.environ.get("REQUEST_URI") or call.environ.get("RAW_URI") or "/"
    if not written.startswith("/"):
        hosts.append(re.sub(r"^https?://|[/?#].*$", "", written, flags=re.IGNORECASE | re.DOTALL))
    return None if all(_is_own(host) for host in hosts) else (400, "unknown_host", _UNKNOWN_HOST)


def _is_own(host: str) -> bool:
    """Whether a host (with or without a port) names this machine."""
    found = _HOST.fullmatch(host)
    return found is not None and (not found[1][0].isdigit() or _is_loopback(found[1]))


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
