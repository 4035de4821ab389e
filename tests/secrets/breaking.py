"""`python -m tests.secrets.breaking`: a process that has a token in its hands (from its input) and breaks in every way.

First the shell's commands as they are; then a line for each way in which something may be told, the token in it; in the
end an error that nobody catches.
"""

import logging
import sys
import threading
import warnings

import structlog
from flask import Flask
from flask.cli import ScriptInfo

WAYS = 14  # places below from which a token would be told


def commands(made: Flask, token: str) -> None:
    """What works, and what is refused: click repeats the word that it does not know."""
    for words in (
        ["kommo", "sync", "--no-wait"],
        ["kommo", "backup"],
        ["kommo", "rotate-keys"],
        ["kommo", token],
        ["kommo", "sync", token],
        ["kommo", "sync", "--account", token],
        ["kommo", "sync", f"--{token}"],
    ):
        try:
            made.cli.main(words, prog_name="flask", obj=ScriptInfo(create_app=lambda: made))
        except SystemExit:
            continue


def logs(token: str) -> None:
    """Every logger there is, the token in a message, an argument, a mapping, a list, an error."""
    error = RuntimeError(f"Invalid header value: 'Bearer {token}'")
    log = structlog.get_logger()
    log.error("a", header={"Authorization": f"Bearer {token}"}, body=[token], raw=token.encode(), cause=error)
    for name in ("waitress", "kommo", "sqlalchemy.engine", "huey"):
        logging.getLogger(name).error("b %s %r", token, {"token": token})
    try:
        raise error
    except RuntimeError:
        log.exception("c")
        logging.getLogger("waitress").exception("d")
    warnings.warn(token, stacklevel=1)
    print(token, file=sys.stderr)


def page(made: Flask, token: str) -> None:
    """A page that breaks: what the caller gets, and what is logged of it."""

    def broken(*_arguments: object) -> str:
        raise RuntimeError(token)

    made.view_functions["home.page"] = broken
    made.view_functions["api.budget"] = broken
    client = made.test_client()
    client.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    for path in ("/", "/api/kommo/budget"):
        answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
        print(answer.status_code, answer.headers, answer.text)


def fall(token: str) -> None:
    """What nobody catches, in a thread."""
    raise RuntimeError(token)


def main() -> None:
    token = sys.stdin.read()
    import app

    made = app.app
    commands(made, token)
    logs(token)
    page(made, token)
    thread = threading.Thread(target=fall, args=(token,))
    thread.start()
    thread.join()
    fall(token)


if __name__ == "__main__":
    main()
