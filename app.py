"""Painel Kommo. `python app.py` starts the web server and the worker; `app:app` is for any other WSGI server."""

import sys
from typing import Any


def __getattr__(name: str) -> Any:
    """`app`, made when a WSGI server or `flask` asks for it: `python app.py` makes its own."""
    if name == "app":
        return _made_app()
    raise AttributeError(name)


def _made_app() -> Any:
    """The application; what stands in its way is one Portuguese line and exit code 2, as for `python app.py`."""
    from kommo import create_app
    from kommo.settings import SettingError
    from kommo.store.schema import SchemaError

    try:
        return create_app()
    except (SettingError, SchemaError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    from kommo.launch import main

    sys.exit(main())
