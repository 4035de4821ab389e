"""Settings: typed, checked once, named when bad, and each of them documented."""

from pathlib import Path

import pytest

from kommo.settings import ROOT, SettingError, load, variables


def test_the_defaults_are_those_of_the_contract() -> None:
    found = load(_env_file=None)
    assert (found.host, found.port, found.rate_limit, found.rate_scope) == ("127.0.0.1", 3000, 6.0, "installation")
    assert (found.timeout_ms, found.retry_attempts, found.retry_delay_ms) == (30000, 3, 1000)
    assert (found.api_url, found.base_domain, found.sync_wait, found.debug) == (None, "kommo.com", 600, False)
    assert found.database == f"sqlite:///{ROOT / 'instance' / 'kommo.sqlite3'}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("KOMMO_TIMEOUT", "30s"),
        ("KOMMO_TIMEOUT", "10"),
        ("KOMMO_RETRY_ATTEMPTS", "-1"),
        ("KOMMO_RETRY_DELAY", "1e400"),
        ("KOMMO_RATE_LIMIT", "8"),
        ("KOMMO_RATE_LIMIT", "nan"),
        ("KOMMO_RATE_SCOPE", "planet"),
        ("KOMMO_LEASE", "0"),
        ("KOMMO_SYNC_WAIT", "inf"),
        ("KOMMO_ASSETS", "inline"),
        ("KOMMO_DEBUG", "talvez"),
        ("KOMMO_API_URL", "http://api-c.kommo.com"),
        ("KOMMO_API_URL", "http://127.0.0.1:99999"),
        ("KOMMO_API_URL", "https://kommo.example.com:0"),
        ("KOMMO_API_URL", "https://api-c.kommo.com/api/v4"),
        ("KOMMO_API_URL", "https://user:segredo@api-c.kommo.com"),
        ("KOMMO_BASE_DOMAIN", "kommo.com/evil"),
        ("KOMMO_BASE_DOMAIN", "a." * 100 + "com"),
        ("DATABASE_URL", "mysql://host/banco"),
        ("KOMMO_QUEUE_URL", "amqp://host"),
        ("SECRET_KEY", "curta"),
        ("KOMMO_ENCRYPTION_KEY", "segredo-que-nao-serve"),
        ("KOMMO_THREADS", "1"),
        ("KOMMO_LOG_FORMAT", "xml"),
        ("KOMMO_REQUEST_LIMIT", "-1"),
        ("KOMMO_REQUEST_LIMIT", "muitos"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as refused:
        load(_env_file=None)
    sentence = str(refused.value)
    assert sentence.startswith(f"{name} tem um valor que não serve; use ")
    assert "\n" not in sentence
    assert len(value) < 6 or value not in sentence  # it may be a secret


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOMMO_API_URL", "")
    monkeypatch.setenv("PORT", "")
    found = load(_env_file=None)
    assert (found.api_url, found.port) == (None, 3000)


def test_files_are_read_and_env_local_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=4000\nKOMMO_LEASE=7\n", encoding="utf-8")
    (tmp_path / ".env.local").write_text("PORT=5000\n", encoding="utf-8")
    found = load(_env_file=(tmp_path / ".env", tmp_path / ".env.local"))
    assert (found.port, found.lease) == (5000, 7.0)
    monkeypatch.setenv("PORT", "6000")
    assert load(_env_file=(tmp_path / ".env",)).port == 6000


@pytest.mark.parametrize(("encoding", "name"), [("utf-16", ".env"), ("latin-1", ".env.local")])
def test_a_file_that_is_not_utf_8_is_named_in_one_line(tmp_path: Path, encoding: str, name: str) -> None:
    """PowerShell's `>` writes UTF-16; an old editor's comment may be Latin-1."""
    (tmp_path / ".env").write_text("PORT=4000\n", encoding="utf-8")
    (tmp_path / name).write_text("# Endereço do servidor\nPORT=4000\n", encoding=encoding)
    with pytest.raises(SettingError) as refused:
        load(_env_file=(tmp_path / ".env", tmp_path / ".env.local"))
    assert str(refused.value).startswith(f"O arquivo {name} não está em UTF-8: ")
    assert "\n" not in str(refused.value)


def test_a_mark_before_the_first_line_is_no_part_of_it(tmp_path: Path) -> None:
    """Windows' editors write it."""
    (tmp_path / ".env").write_text("PORT=4000\n", encoding="utf-8-sig")
    assert load(_env_file=tmp_path / ".env").port == 4000


def test_the_tokens_order_and_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOMMO_LONG_LIVED_TOKEN", "eyJ.segundo.x")
    assert load(_env_file=None).environment_token == "eyJ.segundo.x"
    monkeypatch.setenv("KOMMO_JWT_TOKEN", "eyJ.primeiro.x")
    found = load(_env_file=None)
    assert found.environment_token == "eyJ.primeiro.x"
    assert "primeiro" not in repr(found)
    monkeypatch.setenv("KOMMO_JWT_TOKEN", "   ")
    assert load(_env_file=None).environment_token == "eyJ.segundo.x"


@pytest.mark.parametrize("name", list(variables()))
def test_every_setting_is_documented(name: str) -> None:
    """docs/operation.md has a row for each, with its meaning."""
    field = variables()[name]
    operation = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    row = next((line for line in operation.splitlines() if line.startswith(f"| `{name}` |")), "")
    assert row, f"{name} is not in docs/operation.md"
    assert str(field.description).rstrip(".") in row
