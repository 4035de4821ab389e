"""What the command says when it cannot start: the system's and argparse's English as one Portuguese line."""

from __future__ import annotations

import argparse
import errno
import re
import sys
from typing import NoReturn

_REASONS = {
    errno.EACCES: "sem permissão",
    errno.EPERM: "sem permissão",
    errno.EADDRINUSE: "já está em uso",
    errno.EADDRNOTAVAIL: "o endereço não é deste computador",
    errno.EEXIST: "já existe",
    errno.EISDIR: "é uma pasta",
    errno.ENOENT: "a pasta não existe",
    errno.ENOSPC: "o disco está cheio",
    errno.ENOTDIR: "uma parte do caminho não é uma pasta",
    errno.EROFS: "o disco é só para leitura",
}
_SENTENCES = (
    (r"unrecognized arguments: ", "não conheço: "),
    (r"ambiguous option: (\S+) could match (.*)", r"\1 pode ser \2"),
    (r"invalid choice: ", "valor não aceito: "),
    (r"choose from", "escolha entre"),
    (r"expected one argument", "falta o valor"),
    (r"ignored explicit argument (.*)", r"não leva valor (\1)"),
    (r"argument ", ""),
)


def reason(error: OSError) -> str:
    """Why the system refused something, in Portuguese; an error without a name here is given by its number."""
    return _REASONS.get(error.errno or 0, f"erro {error.errno} do sistema")


def fail(sentence: str) -> NoReturn:
    """Say in one line why it does not start, and end with exit code 2."""
    print(sentence, file=sys.stderr)  # noqa: T201
    raise SystemExit(2)


class Parser(argparse.ArgumentParser):
    """One Portuguese line instead of argparse's English usage."""

    def error(self, message: str) -> NoReturn:
        """End with what is wrong with the arguments."""
        for english, portuguese in _SENTENCES:
            message = re.sub(english, portuguese, message)
        fail(f"Argumentos inválidos: {message}. Veja --help.")
