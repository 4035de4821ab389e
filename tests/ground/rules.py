"""Rules of our own that no tool has, read off the syntax tree: each gives the places where a source breaks it."""

import ast
import re
from collections.abc import Callable, Iterator

Broken = tuple[int, str]  # line, and what stands there
Rule = Callable[[ast.Module], Iterator[ast.AST]]

_HTTP = {"get", "post", "put", "patch", "delete", "head", "options", "request", "urlopen"}
_RUNS_SQL = {"execute", "executemany", "executescript", "exec_driver_sql"}
_SQL = re.compile(
    r"\s*(select\b.*\bfrom|insert\b.*\binto|update\b.*\bset|delete\s+from|(alter|drop|create|lock)\s+\w+|"
    r"set\s+(local|session|idle)|pragma)\b",
    re.IGNORECASE | re.DOTALL,
)
_BEGIN = re.compile(r"\s*BEGIN\b(?!\s+(IMMEDIATE|EXCLUSIVE))(\s+(TRANSACTION|DEFERRED))?\s*;?\s*", re.IGNORECASE)
_SECRET = re.compile(r"(^|_)(token|tokens|password|senha|secret|jwt|api_?key|encryption_key)$", re.IGNORECASE)
_TELLS = {"print", "echo", "tell", "flash", "debug", "info", "warning", "error", "exception", "critical", "bind"}
_OUR_PATHS = {"url_for", "safe_next"}
_LEADS = {"location", "hx-redirect", "hx-location"}


def called(node: ast.Call) -> str:
    """The last name of what is called: `get` of `requests.get(…)`."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Every call."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def keyword(node: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword of a call."""
    return next((each.value for each in node.keywords if each.arg == name), None)


def without_a_timeout(tree: ast.Module) -> Iterator[ast.AST]:
    """A request that may wait for ever."""
    for node in calls(tree):
        on_requests = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value).split(".")[0] == "requests"
        if called(node) in _HTTP and (on_requests or called(node) == "urlopen") and keyword(node, "timeout") is None:
            yield node


def without_checking_the_certificate(tree: ast.Module) -> Iterator[ast.AST]:
    """TLS with whoever answers."""
    for node in ast.walk(tree):
        named = [(each.arg, each.value) for each in node.keywords] if isinstance(node, ast.Call) else []
        if isinstance(node, ast.Assign):
            named = [(getattr(each, "attr", getattr(each, "id", "")), node.value) for each in node.targets]
        if any(name in ("verify", "check_hostname") and ast.unparse(value) == "False" for name, value in named):
            yield node
        if isinstance(node, ast.Attribute) and node.attr in ("CERT_NONE", "_create_unverified_context"):
            yield node


def text_as_markup(tree: ast.Module) -> Iterator[ast.AST]:
    """HTML made of anything but a text that stands in the source."""
    for node in calls(tree):
        if called(node) in ("Markup", "unescape") and node.args and not isinstance(node.args[0], ast.Constant):
            yield node


def is_put_together(node: ast.expr) -> bool:
    """Whether a text has pieces that are not in the source."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(each, ast.FormattedValue) for each in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    return isinstance(node, ast.Call) and called(node) in ("format", "join", "replace")


def begins(node: ast.expr) -> str:
    """The pieces of a text that stand in the source, a gap between them."""
    if isinstance(node, ast.JoinedStr):
        return "?".join(each.value for each in node.values if isinstance(each, ast.Constant))
    if isinstance(node, ast.BinOp):
        return begins(node.left) + begins(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return begins(node.func.value)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "?"


def sql_put_together(tree: ast.Module) -> Iterator[ast.AST]:
    """A statement with something in it that may be anybody's: executed, or only written down to be."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in (*_RUNS_SQL, "text") and node.args:
            first = node.args[0]
            if is_put_together(first) and (called(node) != "text" or _SQL.match(begins(first))):
                yield first
        elif isinstance(node, ast.JoinedStr | ast.BinOp) and is_put_together(node) and _SQL.match(begins(node)):
            yield node


def begin_without_immediate(tree: ast.Module) -> Iterator[ast.AST]:
    """A transaction that reads first and cannot write any more when it wants to (`kommo.db.writing` can)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _BEGIN.fullmatch(node.value):
            yield node
        if isinstance(node, ast.Call) and called(node) == "begin" and "engine" in ast.unparse(node.func):
            yield node


def secrets_told(tree: ast.Module) -> Iterator[ast.AST]:
    """A secret in a line of the log or of the console, by the name it bears or as it is taken out of its wrapper."""
    for node in calls(tree):
        if called(node) in _TELLS:
            for argument in [*node.args, *(each.value for each in node.keywords)]:
                yield from (each for each in ast.walk(argument) if _is_secret(each))


def _is_secret(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return called(node) == "get_secret_value"
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return bool(_SECRET.search(name))


def through_a_shell(tree: ast.Module) -> Iterator[ast.AST]:
    """A command that a shell reads."""
    for node in calls(tree):
        shell = keyword(node, "shell")
        if shell is not None and ast.unparse(shell) == "True":
            yield node
        if ast.unparse(node.func) in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"):
            yield node


def to_anywhere(tree: ast.Module) -> Iterator[ast.AST]:
    """A redirect to an address that is not made by `url_for` or let through by `safe_next`."""
    for node in ast.walk(tree):
        target: ast.expr | None = None
        if isinstance(node, ast.Call) and called(node) == "redirect":
            target = node.args[0] if node.args else keyword(node, "location")
        elif isinstance(node, ast.Assign) and any(_is_lead(each) for each in node.targets):
            target = node.value
        if target is not None and not (isinstance(target, ast.Call) and called(target) in _OUR_PATHS):
            yield node


def _is_lead(node: ast.expr) -> bool:
    """Whether something is set that sends a browser elsewhere: `answer.headers["HX-Redirect"]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Constant):
        return False
    return str(node.slice.value).lower() in _LEADS


RULES: dict[str, Rule] = {
    "a request without timeout": without_a_timeout,
    "TLS without checking": without_checking_the_certificate,
    "text as markup": text_as_markup,
    "SQL put together": sql_put_together,
    "BEGIN without IMMEDIATE": begin_without_immediate,
    "a secret told": secrets_told,
    "a shell": through_a_shell,
    "a redirect to anywhere": to_anywhere,
}


def broken(rule: str, source: str) -> list[Broken]:
    """Where a source breaks a rule."""
    return [(getattr(node, "lineno", 0), ast.unparse(node)) for node in RULES[rule](ast.parse(source))]
