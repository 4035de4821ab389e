"""Every setting of the product, typed, checked once, in one place.

Values come from the environment, then `.env.local`, then `.env`; an empty value counts as not set. A bad one stops
the start with one Portuguese line that names the variable (`SettingError`). docs/operation.md lists them all, and a
test fails when one is missing there.
"""

import ipaddress
import itertools
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kommo.addresses import check_configured

ROOT = Path(__file__).resolve().parent.parent
KEY = r"[0-9a-fA-F]{64}"  # a 256-bit key as text
_SHORTEST = 32  # characters of a SECRET_KEY: 128 bits, were they hexadecimal digits
_NOT_RANDOM = re.compile(r"(?i)troque|change|replace|secret|segredo|passw|senha|exempl|example|default|padrao|kommo")


class SettingError(Exception):
    """A setting has a value the product cannot work with; the text is one Portuguese line for the person."""


def _domain(value: str) -> str:
    value = value.strip().lower()
    if len(value) > 180 or not re.fullmatch(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}", value):
        raise ValueError  # 180: with a label before it, it is still a host's name
    return value


def check_database(value: str) -> str:
    """The address of a database, as it is; raises ValueError for one of another kind than we work with."""
    if not re.match(r"(sqlite:///.+|postgresql\+psycopg://.+)", value):
        raise ValueError
    return value


def _keys(value: SecretStr) -> SecretStr:
    if not all(re.fullmatch(KEY, text.strip()) for text in value.get_secret_value().split(",")):
        raise ValueError
    return value


def _random(value: SecretStr) -> SecretStr:
    """Refuse what nobody's dice made: short, of few characters, a piece that repeats itself, an alphabet, a word.

    Of 32 hexadecimal digits one in ten thousand texts has 9 different ones, one in thirty million has 7.
    """
    text = value.get_secret_value()
    repeats = text in (text + text)[1:-1]
    steps = sum(abs(ord(one) - ord(other)) <= 1 for one, other in itertools.pairwise(text))
    if len(text) < _SHORTEST or len(set(text)) < 8 or repeats or steps > len(text) / 2 or _NOT_RANDOM.search(text):
        raise ValueError
    return value


def _hosts(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    cleaned = tuple(name.strip().lower() for name in names if name.strip())
    if not all(len(name) <= 253 and re.fullmatch(r"[a-z0-9.-]+|\[[0-9a-f:]+\]", name) for name in cleaned):
        raise ValueError
    return cleaned


def _queue(value: str) -> str:
    if not re.match(r"(sqlite:///.+|rediss?://.+|postgresql://.+)", value):
        raise ValueError
    return value


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _setting(name: str, default: Any, meaning: str, allowed: str, **limits: Any) -> Any:
    """One setting: the variable's name, its default, what it means and what is allowed (both Portuguese)."""
    return Field(default, validation_alias=name, description=meaning, json_schema_extra={"allowed": allowed}, **limits)


class Settings(BaseSettings):
    """The settings, as attributes. Times are in the unit the variable's documentation names."""

    model_config = SettingsConfigDict(
        env_file=(ROOT / ".env", ROOT / ".env.local"),
        env_file_encoding="utf-8-sig",  # Windows' editors begin a file with a mark
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        frozen=True,
    )

    host: str = _setting(
        "HOST",
        "127.0.0.1",
        "Endereço em que o servidor atende; outro que não o deste computador pede KOMMO_TRUSTED_HOSTS.",
        "127.0.0.1, ::1, localhost ou o endereço de uma placa de rede",
    )
    port: int = _setting("PORT", 3000, "Porta do servidor.", "um número de 1 a 65535", ge=1, le=65535)
    threads: int = _setting(
        "KOMMO_THREADS",
        8,
        "Linhas de execução do servidor web; no máximo metade espera por sincronizações ou pelo Kommo.",
        "um número de 2 a 64",
        ge=2,
        le=64,
    )
    trusted_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)] = _setting(
        "KOMMO_TRUSTED_HOSTS",
        (),
        "Nomes pelos quais outras máquinas abrem o painel, separados por vírgula; sem valor, só este computador.",
        "nomes como painel.exemplo.com.br, separados por vírgula",
    )
    proxy_count: int = _setting(
        "KOMMO_PROXY_COUNT",
        0,
        "Quantos proxies com HTTPS há entre as pessoas e o painel.",
        "um número de 0 a 5",
        ge=0,
        le=5,
    )
    instance: Path = _setting(
        "KOMMO_INSTANCE",
        ROOT / "instance",
        "Pasta dos dados: banco, segredos, cópias de segurança.",
        "o caminho de uma pasta em que se possa escrever",
    )
    database_url: Annotated[str, AfterValidator(check_database)] | None = _setting(
        "DATABASE_URL",
        None,
        "Banco de dados; sem valor, um arquivo SQLite em instance/.",
        "sqlite:///caminho/do/arquivo ou postgresql+psycopg://usuario:senha@servidor/banco",
    )
    queue_url: Annotated[str, AfterValidator(_queue)] | None = _setting(
        "KOMMO_QUEUE_URL",
        None,
        "Fila que avisa o trabalhador; sem valor, um arquivo SQLite em instance/.",
        "sqlite:///arquivo, redis://servidor/0 ou postgresql://servidor/banco",
    )
    secret_key: Annotated[SecretStr, AfterValidator(_random)] | None = _setting(
        "SECRET_KEY",
        None,
        "Assina os cookies; sem valor, é criada em instance/ na primeira partida.",
        "um texto aleatório de 32 caracteres ou mais, como o que `openssl rand -hex 32` escreve",
    )
    encryption_key: Annotated[SecretStr, AfterValidator(_keys)] | None = _setting(
        "KOMMO_ENCRYPTION_KEY",
        None,
        "Cifra os tokens guardados: a primeira chave cifra, todas abrem; sem valor, é criada em instance/.",
        "64 dígitos hexadecimais; ou várias chaves assim, separadas por vírgulas",
    )
    jwt_token: SecretStr | None = _setting(
        "KOMMO_JWT_TOKEN",
        None,
        "Token de longa duração usado quando nenhum outro é informado.",
        "um token do Kommo",
    )
    long_lived_token: SecretStr | None = _setting(
        "KOMMO_LONG_LIVED_TOKEN",
        None,
        "O mesmo que KOMMO_JWT_TOKEN, por compatibilidade; vale se aquele faltar.",
        "um token do Kommo",
    )
    api_url: Annotated[str, AfterValidator(check_configured)] | None = _setting(
        "KOMMO_API_URL",
        None,
        "Endereço da API; sem valor, o que o token informa e, na falta dele, https://api-c.kommo.com.",
        "https://servidor, sem caminho (http só para 127.0.0.1)",
    )
    base_domain: Annotated[str, AfterValidator(_domain)] = _setting(
        "KOMMO_BASE_DOMAIN",
        "kommo.com",
        "Domínio a que pertencem os servidores do Kommo.",
        "um domínio, como kommo.com",
    )
    timeout_ms: int = _setting(
        "KOMMO_TIMEOUT",
        30000,
        "Tempo máximo de cada requisição ao Kommo, em milissegundos.",
        "um número de 1000 a 600000",
        ge=1000,
        le=600000,
    )
    retry_attempts: int = _setting(
        "KOMMO_RETRY_ATTEMPTS",
        3,
        "Novas tentativas de cada requisição que falha por motivo passageiro.",
        "um número de 0 a 20",
        ge=0,
        le=20,
    )
    retry_delay_ms: int = _setting(
        "KOMMO_RETRY_DELAY",
        1000,
        "Espera antes da primeira nova tentativa, em milissegundos; dobra a cada uma.",
        "um número de 0 a 60000",
        ge=0,
        le=60000,
    )
    debug: bool = _setting(
        "KOMMO_DEBUG",
        False,
        "Registra cada requisição ao Kommo (nunca o token).",
        "true ou false",
    )
    log_format: Literal["text", "json"] = _setting(
        "KOMMO_LOG_FORMAT",
        "text",
        "Forma das linhas do registro: para pessoas, ou um objeto JSON por linha.",
        "text ou json",
    )
    request_limit: int = _setting(
        "KOMMO_REQUEST_LIMIT",
        100,
        "Pedidos por segundo que um mesmo endereço pode fazer a este servidor; 0 tira o limite (só em testes).",
        "um número de 0 a 10000",
        ge=0,
        le=10000,
    )
    rate_limit: float = _setting(
        "KOMMO_RATE_LIMIT",
        6.0,
        "Requisições por segundo ao Kommo, que aceita até 7; 0 tira o limite (só em testes).",
        "um número de 0 a 7",
        ge=0,
        le=7,
        allow_inf_nan=False,
    )
    rate_scope: Literal["installation", "account"] = _setting(
        "KOMMO_RATE_SCOPE",
        "installation",
        "A quem vale o limite: à instalação inteira (o Kommo conta por endereço IP) ou a cada conta.",
        "installation ou account",
    )
    lease: float = _setting(
        "KOMMO_LEASE",
        60.0,
        "Segundos sem sinal de vida até que outro trabalhador assuma uma sincronização.",
        "um número de 1 a 3600",
        ge=1,
        le=3600,
        allow_inf_nan=False,
    )
    sync_wait: float = _setting(
        "KOMMO_SYNC_WAIT",
        600.0,
        "Segundos que POST /api/kommo/sync espera antes de responder 202.",
        "um número de 0 a 3600",
        ge=0,
        le=3600,
        allow_inf_nan=False,
    )
    assets: Literal["cdn", "local"] = _setting(
        "KOMMO_ASSETS",
        "cdn",
        "De onde vem o htmx: da CDN ou de instance/assets (veja `flask assets`).",
        "cdn ou local",
    )

    @cached_property
    def database(self) -> str:
        """The database's address: the one that is set, else the SQLite file in `instance`."""
        return self.database_url or f"sqlite:///{self.instance.resolve() / 'kommo.sqlite3'}"

    @cached_property
    def queue(self) -> str:
        """The queue's address: the one that is set, else a SQLite file of its own in `instance`."""
        return self.queue_url or f"sqlite:///{self.instance.resolve() / 'queue.sqlite3'}"

    @cached_property
    def is_local(self) -> bool:
        """Whether only this machine is served, directly: then nobody needs a login until a user is made."""
        return _is_loopback(self.host) and not self.trusted_hosts and not self.proxy_count

    def require_names(self) -> None:
        """Raise SettingError where others are to be served, and the names under which they call are not said."""
        if not self.is_local and not self.trusted_hosts:
            raise SettingError(
                "O painel atenderia a outras máquinas: diga em KOMMO_TRUSTED_HOSTS por qual nome elas o abrem, "
                "como painel.exemplo.com.br."
            )

    @property
    def encryption_keys(self) -> tuple[bytes, ...]:
        """The keys of the environment, the one that seals first; empty where the ring is a file in `instance`."""
        given = self.encryption_key.get_secret_value() if self.encryption_key else ""
        return tuple(dict.fromkeys(bytes.fromhex(text) for text in given.split(",") if text.strip()))

    @property
    def environment_token(self) -> str | None:
        """The token the operator put into the environment, if any."""
        return next((text for text in self.environment_tokens.values() if text.strip()), None)

    @property
    def environment_tokens(self) -> dict[str, str]:
        """The tokens in the environment by variable, the one that counts first; blank ones too."""
        given = {"KOMMO_JWT_TOKEN": self.jwt_token, "KOMMO_LONG_LIVED_TOKEN": self.long_lived_token}
        return {name: value.get_secret_value() for name, value in given.items() if value}


def variables() -> dict[str, FieldInfo]:
    """Each environment variable's name with its pydantic field, in the order of the class."""
    return {str(field.validation_alias): field for field in Settings.model_fields.values()}


def load(**overrides: Any) -> Settings:
    """The settings of this process; raises SettingError with one Portuguese line for the first bad value."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingError(_sentence(error)) from None
    except UnicodeDecodeError:
        name = _undecodable(overrides.get("_env_file") or Settings.model_config["env_file"])
        raise SettingError(
            f"O arquivo {name} não está em UTF-8: salve-o de novo nessa codificação "
            "(no PowerShell, Set-Content -Encoding utf8)."
        ) from None


def _undecodable(files: Any) -> str:
    """The name of the first settings file that is not UTF-8."""
    for path in map(Path, [files] if isinstance(files, str | Path) else files or ()):
        try:
            path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            return path.name
        except OSError:
            continue
    return ".env"


def _sentence(error: ValidationError) -> str:
    """One line for the person: which variable, and what it takes. The bad value itself may be a secret."""
    name = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
    field = variables().get(name) or Settings.model_fields[name]
    extra = field.json_schema_extra
    allowed = extra["allowed"] if isinstance(extra, dict) else ""
    return f"{field.validation_alias} tem um valor que não serve; use {allowed}."
