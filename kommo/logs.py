"""Logging: one line an event, and one place where whatever could be a token is taken out."""

import contextlib
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from kommo.settings import Settings

HIDDEN = "[oculto]"
# By its usual beginning, or by its three long parts: the JSON of its header may begin otherwise (a line break: `ewog`).
_PART = "[A-Za-z0-9_-]"
_TOKEN = re.compile(
    rf"eyJ{_PART}{{8,}}(?:\.{_PART}*){{0,2}}|(?<![A-Za-z0-9_-]){_PART}{{16,}}\.{_PART}{{16,}}\.{_PART}{{16,}}"
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


class Lasting:
    """A stream that outlives its reader: a line that nobody takes (a closed pipe, a full disk) stops no work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Send on what can be sent."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def tell(sentence: object) -> None:
    """A line for the person at the console, whether or not somebody still reads it."""
    print(sentence, file=cast(TextIO, Lasting(sys.stderr)), flush=True)


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


def _redact_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def configure(settings: Settings) -> None:
    """Send every log line of this process, redacted, to standard error."""
    level = logging.DEBUG if settings.debug else logging.INFO
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Lasting(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a call that waits a moment is no event
