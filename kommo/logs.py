"""Logging: one line an event, and one place where whatever could be a token is taken out."""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO, cast

import structlog

from kommo.settings import Settings

HIDDEN = "[oculto]"
# By its usual beginning, or by its three long parts: the JSON of its header may begin otherwise (a line break: `ewog`).
_PART = "[A-Za-z0-9_-]"
_DOT = r"(?:\.|%2[eE])"  # as an address may have it
_TOKEN = re.compile(
    rf"eyJ{_PART}{{8,}}(?:{_DOT}{_PART}*){{0,2}}|(?<![A-Za-z0-9_-]){_PART}{{16,}}{_DOT}{_PART}{{16,}}{_DOT}{_PART}{{16,}}"
)
_QUOTE = r"\\*[\"']"  # a backslash before it, where JSON stands in JSON
_NAMED = re.compile(
    rf"(?i)((?:jwt_?token|access_token|api_key|token)(?:(?:=|%3d)(?:{_QUOTE})?|{_QUOTE}\s*:\s*\[?\s*{_QUOTE}))"
    r"[^&\s\"'\\]+"
)
_BEARER = re.compile(r"(?i)(bearer(?:\s|%20)+)[^\s\"',;]+")


def redact(text: str) -> str:
    """`text` with everything that looks like a token, or stands where one belongs, taken out."""
    text = _TOKEN.sub(HIDDEN, text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    return _NAMED.sub(rf"\1{HIDDEN}", text)


class RedactingFilter(logging.Filter):
    """Takes tokens out of a standard record: its message, its arguments and its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: the record is kept, redacted."""
        record.msg = redact(record.getMessage())
        record.args = ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


_render = structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])


def _rendered(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
    """The event as its line, redacted as a whole: a token may stand in a list, a mapping or an error, too."""
    safe = {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}
    return redact(_render(logger, name, safe))


class _Guarded:
    """A text stream that takes tokens out of whatever is written to it; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text` without tokens; gives how many characters the caller need not write again."""
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write all of `lines`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard() -> None:
    """Redact, from here on, what does not go through logging: a crash's traceback, what the shell's commands refuse."""
    if not isinstance(sys.stderr, _Guarded):
        sys.stderr = cast(TextIO, _Guarded(sys.stderr))


def configure(settings: Settings) -> None:
    """Send every log line of this process, redacted, to standard error."""
    level = logging.DEBUG if settings.debug else logging.INFO
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a call that waits a moment is no event
