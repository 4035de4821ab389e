"""Logging: one line an event, and one step that every line passes, whichever library it comes from.

The step takes out what could be a token, and makes harmless what would end a line, move a terminal's cursor or turn
the direction of writing round: people elsewhere choose the names that end up in a log.
"""

import contextlib
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

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
_SECRET_NAME = re.compile(r"(?i)token|password|senha|secret|segredo|api_?key|authorization|cookie|encryption_key")
_LARGEST = 2**63  # JSON has no larger numbers that everybody reads
_FIRST = ("timestamp", "level", "event")
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


def harmless(text: str) -> str:
    """`text` on one line: control characters, ANSI sequences and what turns the direction of writing as escapes."""
    if text.isprintable() and "\\" not in text:
        return text
    kept = (char.isprintable() and char != "\\" for char in text)
    return "".join(char if keep else _escaped(char) for char, keep in zip(text, kept, strict=True))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def clean(value: Any, name: str = "") -> Any:
    """A value as a log may show it, under the name it is logged by; lists and mappings through and through."""
    if isinstance(value, float) or value is None or (isinstance(value, int) and abs(value) < _LARGEST):
        return value
    if _SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, Mapping):
        return {harmless(str(key)): clean(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(each, name) for each in value]
    return harmless(redact(value if isinstance(value, str) else repr(value)))


def bind(**ids: object) -> None:
    """Put ids (request, account, run) into every line of this thread from here on."""
    bind_contextvars(**ids)


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """The same for a block: what was bound before counts again behind it."""
    with bound_contextvars(**ids):
        yield


def forget() -> None:
    """Nothing is bound any more: what a thread does next has nothing to do with what it did."""
    structlog.contextvars.clear_contextvars()


def carrier() -> Callable[[], None]:
    """What a thread begins with, so that its lines bear the ids of the one that starts it."""
    ids = get_contextvars()
    return lambda: bind(**ids)


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
    """Send every log line of this process, cleaned, to standard error: as text, or as JSON (KOMMO_LOG_FORMAT)."""
    level = logging.DEBUG if settings.debug else logging.INFO
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: logging.getLogger("kommo"),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(cast(TextIO, Lasting(sys.stderr)))
    handler.setFormatter(formatter(settings.log_format, [*shared, structlog.stdlib.add_logger_name]))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("kommo").setLevel(level)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a call that waits a moment is no event
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def formatter(kind: str, foreign: list[Any]) -> ProcessorFormatter:
    """What makes a line of a record, ours or another library's (which passes `foreign` first)."""
    return ProcessorFormatter(
        foreign_pre_chain=foreign,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _clean_event,
            _as_json if kind == "json" else _as_text,
        ],
    )


def _clean_event(_logger: Any, _name: str, event: EventDict) -> MutableMapping[str, Any]:
    """The one step."""
    cleaned: MutableMapping[str, Any] = clean(event)
    return cleaned


def _as_json(_logger: Any, _name: str, event: EventDict) -> str:
    return orjson.dumps(_ordered(event)).decode()


def _as_text(_logger: Any, _name: str, event: EventDict) -> str:
    return " ".join(f"{key}={_quoted(value)}" for key, value in _ordered(event).items())


def _ordered(event: EventDict) -> dict[str, Any]:
    return {key: event[key] for key in (*_FIRST, *event) if key in event}


def _quoted(value: Any) -> str:
    """Text between quotes that it cannot end by itself; a list or mapping as one."""
    if isinstance(value, str):
        return "'" + value.replace("'", "\\'") + "'"
    return str(value) if isinstance(value, int | float) or value is None else _quoted(orjson.dumps(value).decode())


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """What nobody caught: its traceback may hold a token or a name, too."""
    if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    structlog.get_logger("kommo").critical("uncaught", exc_info=(kind, error, trace))
