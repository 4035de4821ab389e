"""The rules of our own hold in all of the product's code, and each of them sees what it is there to see."""

from pathlib import Path

import pytest

from kommo.settings import ROOT
from tests.ground.rules import RULES, broken

SOURCES = [
    ROOT / "app.py",
    *sorted(path for room in ("kommo", "bench", "migrations") for path in (ROOT / room).rglob("*.py")),
]
_SQL, _BEGIN, _TOLD = "SQL put together", "BEGIN without IMMEDIATE", "a secret told"
#: What breaks a rule and may: by rule and file, a piece of each line, behind which only constants of ours stand.
KNOWN: dict[tuple[str, str], set[str]] = {
    (_SQL, "kommo/db.py"): {"PRAGMA {pragma}", "idle_in_transaction_session_timeout"},
    (_SQL, "kommo/store/move.py"): {"SET LOCAL lock_timeout", "LOCK TABLE {names}"},  # names of our tables, quoted
    (_SQL, "kommo/sandbox/storage.py"): {
        "application_id =",
        "insert or replace",
        "select {columns}",
        "select {wanted}",
    },
    (_SQL, "migrations/versions/0002_marks_and_schedules.py"): {"UPDATE connection SET claims", "ALTER SEQUENCE"},
    (_BEGIN, "kommo/db.py"): {'"BEGIN IMMEDIATE" if immediate else "BEGIN"', 'event.listen(engine, "begin"'},
    (_BEGIN, "bench/ingest.py"): {'execute("BEGIN")'},  # the bare loop, on a file of its own
    ("text as markup", "kommo/pages/format.py"): {"Markup(text.EMPTY)"},
    (_TOLD, "kommo/sandbox/__main__.py"): {"server.token"},  # of an account that does not exist
    (_TOLD, "bench/world.py"): {"server.token"},
}
BAD = {
    "a request without timeout": [
        "requests.get('https://x')", "requests.post(url, json={})", "requests.Session().get(url)",
        "requests.request('GET', url)", "urllib.request.urlopen(url)",
    ],
    "TLS without checking": [
        "requests.get(url, timeout=1, verify=False)", "session.verify = False", "context.check_hostname = False",
        "context.verify_mode = ssl.CERT_NONE", "ssl._create_unverified_context()",
    ],
    "text as markup": [
        "Markup(name)", "Markup(f'<b>{name}</b>')", "markupsafe.Markup('<b>' + name)", "html.unescape(name)",
    ],
    "SQL put together": [
        "session.execute(f'SELECT * FROM a WHERE b = {name}')", "connection.exec_driver_sql('DELETE FROM ' + table)",
        "text(f\"UPDATE a SET b = '{name}'\")", "cursor.execute('SELECT %s FROM a' % name)",
        "cursor.execute('select {} from a'.format(name))", "statement = f'INSERT OR IGNORE INTO a VALUES ({name})'",
        "cursor.execute(' '.join(parts))", "op.execute(f'{what}')",
    ],
    "BEGIN without IMMEDIATE": [
        "cursor.execute('BEGIN')", "cursor.execute('begin transaction;')", "c.exec_driver_sql('BEGIN DEFERRED')",
        "with engine.begin() as connection: pass", "services.engine.begin()",
    ],
    "a secret told": [
        "print(token)", "log.info('read', token=claims.jwt_token)", "click.echo(f'senha: {password}')",
        "print(settings.secret_key.get_secret_value())", "log.exception(self.api_key)", "flash('Token ' + form.token)",
        "log.warning('x', n=len(token))",
    ],
    "a shell": [
        "subprocess.run('ls', shell=True)", "subprocess.Popen(x, shell=True)", "os.system(command)", "os.popen('ls')",
    ],
    "a redirect to anywhere": [
        "redirect(request.args['next'])", "flask.redirect(target, 303)", "redirect(location=form.next.data)",
        "answer.headers['HX-Redirect'] = request.referrer", "redirect(f'/contatos/{name}')",
        "answer.headers['Location'] = there",
    ],
}  # fmt: skip
GOOD = {
    "a request without timeout": ["requests.get(url, timeout=30)", "found.get('a')", "client.get('/')"],
    "TLS without checking": ["requests.get(url, timeout=1, verify=True)", "verify(False)"],
    "text as markup": ["Markup('<b>{}</b>').format(name)", "escape(name)"],
    "SQL put together": [
        "session.execute(select(Wallet))", "text('SELECT 1')", "print(f'atualizado: {name}')", "text(f'{name}')",
        "cursor.execute('SELECT ?', (name,))",
    ],
    "BEGIN without IMMEDIATE": ["c.execute('BEGIN IMMEDIATE')", "session.begin_nested()", "print('begin with it')"],
    "a secret told": ["print('Cole o token.')", "log.info('token_refused', code=error.code)", "keep(token)"],
    "a shell": ["subprocess.run(['ls'])", "subprocess.run(x, shell=False)", "update(shell=shell)"],
    "a redirect to anywhere": [
        "redirect(url_for('sync.page'), 303)", "redirect(safe_next(request.args.get('next')))",
        "answer.headers['HX-Refresh'] = 'true'",
    ],
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_the_product_keeps_the_rule(rule: str) -> None:
    """What is known is there, too: an exception that nothing needs any more is none."""
    found = {}
    for path in SOURCES:
        name, source = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        known = KNOWN.get((rule, name), set())
        lines = [statement(source, line) for line, _ in broken(rule, source)]
        assert {piece for piece in known if not any(piece in line for line in lines)} == set(), name
        if others := [line for line in lines if not any(piece in line for piece in known)]:
            found[name] = others
    assert found == {}


def statement(source: str, line: int) -> str:
    """A line and the next one: a call's arguments may stand below it."""
    return "\n".join(source.splitlines()[line - 1 : line + 1]).strip()


@pytest.mark.parametrize(("rule", "snippet"), [(rule, each) for rule, snippets in BAD.items() for each in snippets])
def test_the_rule_sees(rule: str, snippet: str) -> None:
    assert broken(rule, snippet)


@pytest.mark.parametrize(("rule", "snippet"), [(rule, each) for rule, snippets in GOOD.items() for each in snippets])
def test_the_rule_lets_through(rule: str, snippet: str) -> None:
    assert broken(rule, snippet) == []


def test_every_rule_is_proved() -> None:
    assert set(BAD) == set(GOOD) == set(RULES)
    assert len(SOURCES) > 150


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_no_template_takes_text_as_html(path: Path) -> None:
    """A second look at what tests/pages/test_templates.py forbids: by Jinja's own reading of the template."""
    assert trusting(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "snippet",
    ["{{ name|safe }}", "{{ name | upper | safe }}", "{% autoescape false %}{{ name }}{% endautoescape %}",
     "{% filter safe %}{{ name }}{% endfilter %}", "{{ Markup(name) }}"],
)  # fmt: skip
def test_trust_in_a_template_is_seen(snippet: str) -> None:
    assert trusting(snippet)


def trusting(template: str) -> list[str]:
    """What in a template takes text as HTML."""
    import jinja2

    tree = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.do"]).parse(template)
    found = [node.name for node in tree.find_all(jinja2.nodes.Filter) if node.name == "safe"]
    found += [type(node).__name__ for node in tree.find_all(jinja2.nodes.ScopedEvalContextModifier)]
    found += [node.node.name for node in tree.find_all(jinja2.nodes.Call) if getattr(node.node, "name", "") == "Markup"]
    return found
