"""A run in words: bars, badge, what is spoken and how seldom, the result, the line in the history."""

from typing import Any

import pytest

from kommo.pages import run_words
from kommo.store.progress import RunView, StreamView


def make_view(state: str = "running", phase: str = "contacts", **changes: Any) -> RunView:
    contacts = changes.pop(
        "contacts", {"state": "reading", "rows": 9750, "total": 12431, "pages": 39, "pages_total": 50}
    )
    deals = changes.pop("deals", {"state": "waiting"})
    usual: dict[str, Any] = {
        "id": 7, "connection_id": 1, "state": state, "phase": phase, "trigger": "page", "mode": "sweep",
        "requested_at": 1000.0,
        "started_at": 1001.0, "finished_at": None, "seconds": 38.2, "requests": 46, "waiting": None, "resume_at": None,
        "errors": [], "warnings": [],
        "streams": [
            StreamView("catalogues", "done", percent=100.0),
            StreamView("contacts", **contacts),
            StreamView("deals", **deals),
        ],
    }  # fmt: skip
    return RunView(**usual | changes)


def proved(name: str, count: int, **changes: int) -> dict[str, Any]:
    return {
        "state": "done",
        "rows": count,
        "pages": 1,
        "percent": 100.0,
        "remote_count": count,
        "local_count": count,
    } | changes


def words_of(view: RunView) -> dict[str, str]:
    return {bar.key: bar.words for bar in run_words.bars(view)}


def test_a_bar_tells_rows_pages_rate_and_what_is_left() -> None:
    view = make_view(
        contacts={
            "state": "reading", "rows": 9750, "total": 12431, "pages": 39, "pages_total": 50, "percent": 78.4,
            "rate": 1480.2, "seconds_left": 1.8,
        }
    )  # fmt: skip
    assert words_of(view) == {
        "catalogues": "pronto",
        "contacts": "9.750 de 12.431 · 39 de 50 páginas · 1.480 por segundo · faltam cerca de 2 s",
        "deals": "a seguir",
    }


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        ({"state": "waiting"}, "a seguir"),
        ({"state": "counting"}, "contando contatos"),
        ({"state": "reading", "rows": 250, "pages": 1}, "250 lidos"),
        ({"state": "reading", "rows": 4300, "pages": 20, "total": 4300, "percent": 100.0},
         "4.300 lidos · segunda leitura, para conferir"),
        ({"state": "read", "rows": 1, "pages": 1}, "1 lido · 1 página"),
        ({"state": "done", "rows": 0, "pages": 1}, "nenhum contato · 1 página"),
    ],
)  # fmt: skip
def test_every_state_of_a_stream_has_words(stream: dict[str, Any], words: str) -> None:
    assert words_of(make_view(contacts=stream))["contacts"] == words


def test_deals_are_feminine_and_an_unread_stream_of_a_run_that_is_over_says_so() -> None:
    view = make_view(state="failed", phase="over", deals={"state": "waiting"})
    assert words_of(view)["deals"] == "não foram lidas"
    assert words_of(make_view(deals={"state": "read", "rows": 2, "pages": 1}))["deals"] == "2 lidas · 1 página"
    assert words_of(make_view(deals={"state": "read"}))["deals"] == "nenhuma negociação · 0 páginas"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (4.4, "4 s"), (33, "35 s"), (89, "90 s"), (200, "3 min"), (5000, "83 min"), (7300, "2 horas"),
     (5401, "2 horas")],
)  # fmt: skip
def test_what_is_left_is_told_as_exactly_as_it_is_known(seconds: float, words: str) -> None:
    assert run_words.left(seconds) == f"faltam cerca de {words}"


@pytest.mark.parametrize(
    ("state", "kind", "text"),
    [
        ("queued", "warning", "Na fila"),
        ("running", "warning", "Em andamento há 38 s"),
        ("paused", "warning", "Em pausa"),
        ("cancelling", "warning", "Cancelando"),
        ("failed", "bad", "Parou"),
        ("cancelled", "", "Cancelada"),
        ("done", "warning", "Parcial"),
    ],
)
def test_the_badge_says_the_state(state: str, kind: str, text: str) -> None:
    view = make_view(state="running", cancel=True) if state == "cancelling" else make_view(state=state)
    assert run_words.badge(view) == (kind, text)
    assert run_words.outcome(view) == (kind, text.removesuffix(" há 38 s"))  # the history says the same


def test_a_run_that_is_to_end_says_what_it_still_does() -> None:
    view = make_view(cancel=True, waiting="Esperando a vez: o Kommo aceita poucas requisições por segundo.")
    assert run_words.activity(view) == "Termina a página que está lendo e para."
    assert run_words.spoken(view) == ("cancelling-contacts", "Termina a página que está lendo e para.")
    silent = make_view(cancel=True, silent=True, waiting="O trabalhador não dá sinal há 9 s.")
    assert run_words.activity(silent) == "O trabalhador não dá sinal há 9 s."
    assert make_view(state="paused", cancel=True).standing == "paused"  # it can be cancelled again, at once
    assert make_view(state="cancelled", cancel=True).standing == "cancelled"


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_what_a_run_that_was_cut_short_did_not_do_is_not_told(state: str) -> None:
    half = {"state": "reading", "rows": 900, "total": 4300, "created": 20, "updated": 1, "unchanged": 879}
    first, second = run_words.results(make_view(state, "over", contacts=half, deals={"state": "waiting"}))
    assert first.changes == "20 novos, 1 alterado, 879 sem mudança; o resto não foi comparado"
    assert first.counts == "não foram contados no fim"
    assert (second.changes, second.counts) == ("nenhuma lida", "não foram contadas no fim")
    assert not first.proved


def test_a_whole_stream_of_a_run_that_was_cut_short_has_its_numbers() -> None:
    whole = {"state": "read", "rows": 900, "created": 0, "updated": 0, "unchanged": 899, "deleted": 1}
    uncounted = {"state": "reading", "rows": 250}
    first, second = run_words.results(make_view("failed", "over", contacts=whole, deals=uncounted))
    assert first.changes == "0 novos, 0 alterados, 899 sem mudança, 1 excluído no Kommo"
    assert second.changes == "250 lidas; o resto não foi comparado"  # a run from before such runs were counted


def test_only_equal_counts_are_green() -> None:
    good = make_view("done", "over", contacts=proved("contacts", 40), deals=proved("deals", 20))
    off = make_view("done", "over", contacts=proved("contacts", 40), deals=proved("deals", 20, local_count=19))
    with_errors = make_view("done", "over", contacts=proved("c", 40), deals=proved("d", 20), errors=["Faltou algo."])
    assert run_words.badge(good) == ("good", "Conferida")
    assert run_words.badge(off) == ("warning", "Parcial")
    assert run_words.badge(with_errors) == ("warning", "Parcial")
    assert [result.proved for result in run_words.results(off)] == [True, False]


def test_the_result_tells_changes_and_both_counts() -> None:
    contacts = proved("contacts", 12431, created=2, updated=1, unchanged=12428, deleted=3)
    first, second = run_words.results(make_view("done", "over", contacts=contacts, deals={"state": "waiting"}))
    assert first.changes == "2 novos, 1 alterado, 12.428 sem mudança, 3 excluídos no Kommo"
    assert first.counts == "12.431 no Kommo, 12.431 aqui"
    assert (second.label, second.counts) == ("Negociações", "sem contagem no Kommo")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "nada mudou"),
        ({"created": 1}, "1 novo"),
        ({"created": 2, "updated": 14}, "2 novos, 14 alterados"),
        ({"deleted": 1}, "1 excluído no Kommo"),
    ],
)
def test_the_history_sums_up_in_one_line(changes: dict[str, int], line: str) -> None:
    view = make_view("done", "over", contacts=proved("contacts", 40, **changes), deals=proved("deals", 20))
    assert run_words.summary(view) == line


def test_the_history_tells_why_a_run_stopped_or_is_partial() -> None:
    assert run_words.summary(make_view("failed", "over", errors=["O Kommo recusou este token."])).startswith("O Kommo")
    assert run_words.summary(make_view("failed", "over")) == "não chegou ao fim"
    assert run_words.summary(make_view("done", "over", errors=["Faltam 3 contatos."])) == "Faltam 3 contatos."
    cancelled = make_view("cancelled", "over", contacts={"state": "reading", "rows": 250, "created": 250})
    assert run_words.summary(cancelled) == "ficou o que já tinha sido lido: 250 novos"
    assert run_words.spoken(cancelled)[1] == "Sincronização cancelada. Ficou o que já tinha sido lido: 250 novos."
    assert run_words.summary(make_view("cancelled", "over", contacts={"state": "waiting"})) == "nada tinha sido lido"
    assert run_words.spoken(make_view("failed", "over"))[1] == "A sincronização parou. Não chegou ao fim."


def test_what_it_waits_for_comes_before_what_it_does() -> None:
    assert (
        run_words.activity(make_view(waiting="O Kommo pediu uma pausa de 20 s.")) == "O Kommo pediu uma pausa de 20 s."
    )
    assert "durante a leitura" in run_words.activity(make_view(phase="settling"))
    assert "contagens" in run_words.activity(make_view(phase="proof"))
    assert "trabalhador" in run_words.activity(make_view(state="queued", phase="queued"))
    assert run_words.activity(make_view()) == ""
    assert run_words.activity(make_view(state="done", phase="proof")) == ""


def test_a_screen_reader_hears_of_a_stream_at_most_five_times() -> None:
    percents = [step / 10 for step in range(1001)]
    keys = [
        run_words.spoken(make_view(contacts={"state": "reading", "rows": 1, "percent": percent}))[0]
        for percent in percents
    ]
    assert len(dict.fromkeys(keys)) == 5
    assert [key for place, key in enumerate(keys) if place and key != keys[place - 1]] == [
        "running-contacts-25", "running-contacts-50", "running-contacts-75", "running-contacts-100",
    ]  # fmt: skip


def test_what_is_spoken_changes_with_the_state() -> None:
    views = [
        make_view(state="queued", phase="queued"),
        make_view(phase="catalogues"),
        make_view(phase="contacts"),
        make_view(state="paused", waiting="O Kommo não respondeu a tempo."),
        make_view(phase="proof"),
        make_view("done", "over", contacts=proved("c", 40), deals=proved("d", 20)),
    ]
    keys = [run_words.spoken(view)[0] for view in views]
    assert len(set(keys)) == len(keys)
    assert run_words.spoken(views[3])[1] == "O Kommo não respondeu a tempo."
    assert run_words.spoken(views[-1])[1] == "Sincronização conferida. Nada mudou."
    assert all(text for _, text in map(run_words.spoken, views))


def look(**changes: Any) -> dict[str, Any]:
    """A stream with the figures of its second look."""
    return {"state": "done", "proved_at": 1040.5, "sampled": 500, "proof_requests": 2} | changes


def test_the_second_look_tells_what_was_compared_and_its_cost() -> None:
    found = run_words.second_look(make_view(state="done", contacts=look(), deals=look(sampled=1, proved_at=1041.0)))
    assert found is not None
    assert (found.at, found.good) == (1041.0, True)
    assert found.words == "501 registros comparados campo a campo, todos iguais; 4 requisições"


@pytest.mark.parametrize(("differed", "words"), [(1, "1 não era igual"), (3, "3 não eram iguais")])
def test_the_second_look_hides_no_difference(differed: int, words: str) -> None:
    found = run_words.second_look(make_view(state="done", contacts=look(differed=differed), deals=look()))
    assert found is not None
    assert words in found.words
    assert not found.good


def test_a_run_that_did_not_come_to_it_has_no_second_look() -> None:
    assert run_words.second_look(make_view(state="cancelled")) is None
    empty = run_words.second_look(make_view(state="done", contacts=look(sampled=0), deals=look(sampled=0)))
    assert empty is not None
    assert empty.words == "nada havia a comparar; 4 requisições"
