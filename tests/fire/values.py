"""Bad inputs: the schedule's form, settings of the environment, arguments of the shell."""

from tests.fire.rows import Row, Setting, Shell, Web

_EVERY = "Escolha um intervalo de 5 minutos a 1 dia."
_TIME = "Escreva a hora como 22:00."
_BOTH = "Preencha as duas horas do silêncio, ou deixe as duas vazias."
FORMS: tuple[tuple[dict[str, str], str], ...] = (
    ({"intervalo": "0"}, _EVERY),
    ({"intervalo": "-1"}, _EVERY),
    ({"intervalo": "abc"}, _EVERY),
    ({"intervalo": "1000000000"}, _EVERY),
    ({"intervalo": "15.5"}, _EVERY),
    ({"intervalo": "١٥"}, _EVERY),
    ({"intervalo": ""}, _EVERY),
    ({"intervalo": "15", "silencio_de": "25:00", "silencio_ate": "06:00"}, _TIME),
    ({"intervalo": "15", "silencio_de": "22:00"}, _BOTH),
    ({"intervalo": "15", "silencio_de": '"><script>', "silencio_ate": "06:00"}, _TIME),
    ({"intervalo": "15", "leitura": "1", "leitura_as": ""}, _TIME),
    ({"intervalo": "15", "leitura": "1", "leitura_as": "3h"}, _TIME),
    ({"intervalo": "15", "leitura": "1", "leitura_as": "9" * 5000}, _TIME),
    ({"intervalo": "15", "leitura": "1", "leitura_as": "03:00\0"}, _TIME),
)
SETTINGS: tuple[tuple[str, str], ...] = (
    ("PORT", "0"), ("PORT", "65536"), ("PORT", "abc"), ("PORT", "3000; rm -rf /"), ("KOMMO_THREADS", "1"),
    ("DATABASE_URL", "mysql://a/b"), ("DATABASE_URL", "kommo.sqlite3"), ("KOMMO_QUEUE_URL", "amqp://a"),
    ("SECRET_KEY", "curta"), ("KOMMO_ENCRYPTION_KEY", "não é hexadecimal"), ("KOMMO_ENCRYPTION_KEY", "ab" * 31),
    ("KOMMO_API_URL", "http://evil.com"), ("KOMMO_API_URL", "https://a.kommo.com/caminho"),
    ("KOMMO_API_URL", "https://user:senha@a.kommo.com"), ("KOMMO_API_URL", "file:///etc/passwd"),
    ("KOMMO_BASE_DOMAIN", "com"), ("KOMMO_BASE_DOMAIN", "kommo.com/evil"), ("KOMMO_TIMEOUT", "-1"),
    ("KOMMO_TIMEOUT", "1e9"), ("KOMMO_RETRY_ATTEMPTS", "1000"), ("KOMMO_RETRY_DELAY", "-5"),
    ("KOMMO_RATE_LIMIT", "50"), ("KOMMO_RATE_LIMIT", "nan"), ("KOMMO_RATE_SCOPE", "mundo"), ("KOMMO_LEASE", "0"),
    ("KOMMO_LEASE", "inf"), ("KOMMO_SYNC_WAIT", "-1"), ("KOMMO_ASSETS", "https://evil.com"), ("KOMMO_DEBUG", "talvez"),
)  # fmt: skip
SHELLS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("apagar",), "Não conheço o comando apagar."),
    (("--x",), "Não conheço a opção --x."),
    (("sync", "--x"), "Não conheço a opção --x."),
    (("sync", "--account", "abc"), "--account: abc não é um número inteiro."),
    (("sync", "--account", "30002000"), "Nenhuma conta conectada"),
    (("sync", "--user", "carla"), "Nenhuma conta conectada"),
    (("sync", "a", "b"), "Há texto a mais: a b."),
    (("sync", "--full=sim"), "A opção --full não leva valor."),
    (("schedule", "--every", "4"), "--every: 4 não está entre 5 e 1440."),
    (("schedule", "--every", "abc"), "--every: abc não é um número inteiro."),
    (("schedule", "--every"), "Falta o valor da opção --every."),
    (("schedule", "--every", "15", "--sweep", "3h"), "--sweep: escreva a hora como 22:00."),
    (("schedule", "--every", "15", "--quiet-from", "22:00"), "Informe --quiet-from e --quiet-to"),
    (("schedule", "--off", "--pause"), "--off desliga a agenda"),
    (("schedule", "--pause"), "Não há agenda: ligue-a com --every."),
    (("schedule", "--user", "a\0b", "--every", "15"), "Nenhuma conta conectada"),
    (("schedule", "--account", "9" * 30, "--every", "15"), "Nenhuma conta conectada"),
    (("move-to",), "Falta URL."),
    (("move-to", "mysql://a/b"), "O endereço não serve; use"),
    (("move-to", "postgresql+psycopg://ninguem:segredo@127.0.0.1:1/b"), "O destino não pôde ser preparado"),
)


def rows() -> list[Row]:
    """The form keeps what was typed; the start and the shell say one line."""
    found: list[Row] = [
        Web(name=f"formulário {form}"[:70], path="/sincronizacao/agenda", method="POST", status=422, says=says,
            form=form, kept='value="06:00"' if form.get("silencio_ate") == "06:00" else "")
        for form, says in FORMS
    ]  # fmt: skip
    found += [Setting(variable=name, value=value, secret=_secret(name, value)) for name, value in SETTINGS]
    found += [
        Shell(name=f"flask kommo {' '.join(words)}"[:70], arguments=words, says=says, secret="segredo@")
        for words, says in SHELLS
    ]
    return found


def _secret(name: str, value: str) -> str:
    return value if name in ("SECRET_KEY", "KOMMO_ENCRYPTION_KEY", "KOMMO_API_URL") else ""


ROWS = tuple(rows())
