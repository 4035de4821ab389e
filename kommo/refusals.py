"""What a start that cannot succeed says: the system's and argparse's English as one Portuguese line."""

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
    errno.EEXIST: "há um arquivo com esse nome",
    errno.EISDIR: "é uma pasta",
    errno.ENOENT: "não existe",
    errno.ENOSPC: "o disco está cheio",
    errno.ENOTDIR: "uma parte do caminho não é uma pasta",
    errno.EROFS: "o disco é só para leitura",
}
_SENTENCES = (
    (r"unrecognized arguments: ", "não conheço: "),
    (r"ambiguous option: (\S+) could match (.*)", r"\1 pode ser \2"),
    (r"expected one argument", "falta o valor"),
    (r"ignored explicit argument (.*)", r"não leva valor (\1)"),
    (r"argument ", ""),
)


def reason(error: OSError) -> str:
    """Why the system refused something, in Portuguese; an error without a name here is given by its number."""
    return _REASONS.get(error.errno or 0, f"erro {error.errno} do sistema")


class Parser(argparse.ArgumentParser):
    """Arguments whose faults are one Portuguese line and exit code 2 instead of argparse's English usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and end."""
        for english, portuguese in _SENTENCES:
            message = re.sub(english, portuguese, message)
        print(f"Argumentos inválidos: {message}. Veja --help.", file=sys.stderr, flush=True)  # noqa: T201
        raise SystemExit(2)
