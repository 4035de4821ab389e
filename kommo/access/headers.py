"""What every answer tells the browser: no inline code, no framing, no guessing of types, no copies of people's data."""

from flask import Flask, Response, request

UNKEPT = {"Cache-Control": "no-store"}
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}  # a year; for who came by HTTPS already
HTMX_VERSION = "2.0.11"
#: The one file that a page may take from elsewhere. Its host alone would be too much: the CDN serves anybody's code.
HTMX_URL = f"https://cdn.jsdelivr.net/npm/htmx.org@{HTMX_VERSION}/dist/htmx.min.js"
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def policy(assets: str) -> str:
    """The Content-Security-Policy; the CDN's file is in it only when htmx comes from there."""
    scripts = f"'self' {HTMX_URL}" if assets == "cdn" else "'self'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; object-src 'none'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def fixed(assets: str) -> dict[str, str]:
    """The headers that every answer has."""
    return _FIXED | {"Content-Security-Policy": policy(assets)}


def register(app: Flask, assets: str) -> None:
    """Add the headers to every answer, errors included."""
    usual = fixed(assets)

    def add(answer: Response) -> Response:
        for name, value in usual.items():
            answer.headers.setdefault(name, value)
        if request.is_secure:
            answer.headers.update(HTTPS_ONLY)
        if request.endpoint not in ("static", "assets.file"):
            answer.headers.update(UNKEPT)
        return answer

    app.after_request(add)
