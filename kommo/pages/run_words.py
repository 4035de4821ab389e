"""A run in words: what each bar says, what is spoken, what came of it. Pure functions of a `RunView`."""

from dataclasses import dataclass

from kommo.store.progress import RunView, StreamView
from kommo.text import duration, number, plural

TRIGGERS = {
    "page": "página", "api": "API", "shell": "comando", "connect": "conexão", "confirm": "confirmação",
    "schedule": "agenda",
}  # fmt: skip
_STOPPING = "Termina a página que está lendo e para."
_UNDER_WAY = {"queued": "Na fila", "running": "Em andamento", "paused": "Em pausa", "cancelling": "Cancelando"}
_SPOKEN_STEPS = 25  # percent between two announcements: a screen reader is not to talk every second


@dataclass(frozen=True, slots=True)
class Noun:
    """How a stream's records are called, and the endings that go with it."""

    label: str
    one: str
    many: str
    ending: str  # "o" or "a": novo, nova

    def done(self, count: int, stem: str) -> str:
        """A count with a participle that agrees: "1 nova", "14 alterados"."""
        return f"{number(count)} {stem}{self.ending}{'' if count == 1 else 's'}"


NOUNS = {
    "contacts": Noun("Contatos", "contato", "contatos", "o"),
    "deals": Noun("Negociações", "negociação", "negociações", "a"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One stream's bar: its percent and the words beside it."""

    key: str
    label: str
    percent: float
    words: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one stream: the changes, and the two counts."""

    label: str
    changes: str
    counts: str
    proved: bool


def badge(run: RunView) -> tuple[str, str]:
    """Kind and text of the badge beside the title."""
    kind, text = outcome(run)
    return kind, f"{text} há {since(run.seconds)}" if run.standing == "running" else text


def outcome(run: RunView) -> tuple[str, str]:
    """Kind and word of the badge in the history."""
    if run.active:
        return "warning", _UNDER_WAY[run.standing]
    if run.state == "failed":
        return "bad", "Parou"
    if run.state == "cancelled":
        return "", "Cancelada"
    return ("good", "Conferida") if run.proved else ("warning", "Parcial")


def bars(run: RunView) -> list[Bar]:
    """The bars in the order of the run."""
    return [_catalogues(run, view) if view.stream == "catalogues" else _bar(run, view) for view in run.streams]


def activity(run: RunView) -> str:
    """What happens right now beside the bars, or what the run waits for; empty when the bars say it all."""
    if run.standing == "cancelling" and not run.silent:
        return _STOPPING
    if run.waiting:
        return run.waiting
    if run.state == "queued":
        return "Esperando um trabalhador livre; começa em instantes."
    changes = (
        "Trazendo o que mudou no Kommo desde a última vez"
        if run.mode == "delta"
        else ("Trazendo o que mudou no Kommo durante a leitura")
    )
    phases = {
        "companies": "Lendo os nomes das empresas.",
        "settling": f"{changes} e procurando exclusões.",
        "proof": "Comparando as contagens e alguns registros daqui com os do Kommo.",
    }
    return phases.get(run.phase, "") if run.active else ""


def spoken(run: RunView) -> tuple[str, str]:
    """A key that changes seldom, and the sentence that a screen reader says when it does."""
    if not run.active:
        title = "A sincronização parou" if run.state == "failed" else f"Sincronização {outcome(run)[1].lower()}"
        line = summary(run)
        return f"{run.state}", f"{title}. {line[:1].upper()}{line[1:].removesuffix('.')}."
    if run.standing != "running" or run.phase not in NOUNS:
        return f"{run.standing}-{run.phase}", activity(run) or "Sincronização em andamento."
    view = run.stream(run.phase)
    step = int(view.percent // _SPOKEN_STEPS) * _SPOKEN_STEPS
    text = f"{NOUNS[run.phase].label}: {step} por cento." if step else f"Lendo {NOUNS[run.phase].many}."
    return f"{run.state}-{run.phase}-{step}", text


def results(run: RunView) -> list[Result]:
    """What came of each stream, once the run is over."""
    make = _result if run.state == "done" else _remains
    return [make(NOUNS[view.stream], view) for view in run.streams if view.stream in NOUNS]


@dataclass(frozen=True, slots=True)
class SecondLook:
    """The proof beside the counts: when it was (Unix seconds), and what was looked at again, in words."""

    at: float
    words: str
    good: bool


def second_look(run: RunView) -> SecondLook | None:
    """What the proof compared field by field, and its cost; None for a run that did not come to it."""
    looked = [view for view in run.streams if view.proved_at is not None]
    if not looked:
        return None
    sampled, differed = (sum(getattr(view, name) for view in looked) for name in ("sampled", "differed"))
    outcome = (
        f"{number(differed)} não {'era igual' if differed == 1 else 'eram iguais'}" if differed else "todos iguais"
    )
    cost = plural(sum(view.proof_requests for view in looked), "requisição", "requisições")
    words = f"{plural(sampled, 'registro comparado', 'registros comparados')} campo a campo, {outcome}; {cost}"
    if not sampled:
        words = f"nada havia a comparar; {cost}"
    return SecondLook(max(view.proved_at or 0.0 for view in looked), words, not differed)


def summary(run: RunView) -> str:
    """The run in one line, for the history."""
    if run.active:
        return ""
    if run.state == "failed":
        return run.errors[0] if run.errors else "não chegou ao fim"
    if run.errors:
        return run.errors[0]
    totals = {name: sum(getattr(view, name) for view in run.streams) for name in ("created", "updated", "deleted")}
    found = [
        f"{number(totals['created'])} {'novo' if totals['created'] == 1 else 'novos'}" if totals["created"] else "",
        plural(totals["updated"], "alterado", "alterados") if totals["updated"] else "",
        plural(totals["deleted"], "excluído no Kommo", "excluídos no Kommo") if totals["deleted"] else "",
    ]
    said = ", ".join(filter(None, found))
    if run.state == "cancelled":
        if not any(view.rows for view in run.streams):
            return "nada tinha sido lido"
        return f"ficou o que já tinha sido lido{': ' + said if said else ''}"
    return said or "nada mudou"


def since(seconds: float) -> str:
    """How long something has been going on, in whole seconds: it is shown while it grows."""
    return duration(round(seconds)) if seconds >= 60 else f"{int(seconds)} s"


def left(seconds: float) -> str:
    """The time that is left, as exactly as it can be known."""
    if seconds < 10:
        return f"faltam cerca de {max(1, round(seconds))} s"
    if seconds < 90:
        return f"faltam cerca de {5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"faltam cerca de {round(seconds / 60)} min"
    return f"faltam cerca de {plural(round(seconds / 3600), 'hora', 'horas')}"


def _catalogues(run: RunView, view: StreamView) -> Bar:
    words = {"done": "pronto", "reading": "lendo"}.get(view.state, "a seguir" if run.active else "não foram lidos")
    return Bar("catalogues", "Funis, usuários e campos", view.percent, words)


def _bar(run: RunView, view: StreamView) -> Bar:
    noun = NOUNS[view.stream]
    kind = "bad" if run.state == "failed" and view.state not in ("read", "done") else ""
    return Bar(view.stream, noun.label, view.percent, " · ".join(_words(run, view, noun)), kind)


def _words(run: RunView, view: StreamView, noun: Noun) -> list[str]:
    if view.state == "done" and run.mode == "delta" and not view.pages:
        return [noun.done(view.created + view.updated, "alterad")]
    if view.state in ("read", "done"):
        return [_read(view, noun), plural(view.pages, "página", "páginas")]
    if view.state == "waiting" and run.mode == "delta":
        return [noun.done(view.rows, "alterad") if view.rows else "só o que mudou"]
    if view.state == "waiting" and not view.rows:
        return ["a seguir" if run.active else f"não foram lid{noun.ending}s"]
    if view.state == "counting":
        return [f"contando {noun.many}"]
    if view.percent >= 100:
        return [_read(view, noun), "segunda leitura, para conferir"]
    return list(filter(None, _reading(view, noun)))


def _read(view: StreamView, noun: Noun) -> str:
    if not view.rows:
        return f"nenh{'um' if noun.ending == 'o' else 'uma'} {noun.one}"
    return noun.done(view.rows, "lid")


def _reading(view: StreamView, noun: Noun) -> list[str]:
    rows = f"{number(view.rows)} de {number(view.total)}" if view.total else noun.done(view.rows, "lid")
    pages = f"{number(view.pages)} de {plural(view.pages_total, 'página', 'páginas')}" if view.pages_total else ""
    rate = f"{number(view.rate)} por segundo" if view.rate >= 1 and view.seconds_left is not None else ""
    return [rows, pages, rate, left(view.seconds_left) if view.seconds_left is not None else ""]


def _remains(noun: Noun, view: StreamView) -> Result:
    """What is known of a stream whose run was cancelled or stopped: nothing is said of what it did not get to."""
    counts = _counts(view, f"não foram contad{noun.ending}s no fim")
    if not view.rows:
        return Result(noun.label, "nenhum lido" if noun.ending == "o" else "nenhuma lida", *counts)
    gone = [f"{noun.done(view.deleted, 'excluíd')} no Kommo"] if view.deleted else []
    whole = view.state in ("read", "done") or view.percent >= 100
    rest = "" if whole else "; o resto não foi comparado"
    if not (view.created or view.updated or view.unchanged or gone):  # a run from before this was counted
        return Result(noun.label, _read(view, noun) + rest, *counts)
    return Result(noun.label, ", ".join(_changes(noun, view) + gone) + rest, *counts)


def _result(noun: Noun, view: StreamView) -> Result:
    changes = [*_changes(noun, view), f"{noun.done(view.deleted, 'excluíd')} no Kommo"]
    return Result(noun.label, ", ".join(changes), *_counts(view, "sem contagem no Kommo"))


def _changes(noun: Noun, view: StreamView) -> list[str]:
    return [
        noun.done(view.created, "nov"),
        noun.done(view.updated, "alterad"),
        f"{number(view.unchanged)} sem mudança",
    ]


def _counts(view: StreamView, otherwise: str) -> tuple[str, bool]:
    """The two counts in words and whether they are equal; `otherwise` where Kommo's was not taken."""
    if view.remote_count is None:
        return otherwise, False
    erased = f" e {plural(view.erased, 'apagado a pedido', 'apagados a pedido')}" if view.erased else ""
    return f"{number(view.remote_count)} no Kommo, {number(view.local_count or 0)} aqui{erased}", view.proved
