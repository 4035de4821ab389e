"""How a list is cut into bands: as many as the limit needs, begun with the pages that its length took."""

from urllib.parse import parse_qs

import pytest

from kommo.sandbox import make_world, serve
from kommo.services import Services
from kommo.sync import bands
from tests.sync.accounts import connect, difference, run


@pytest.mark.parametrize(
    ("rate", "elapsed", "number"),
    [
        (7, 0.15, 2),
        (7, 0.01, 2),
        (1, 0.15, 2),
        (7, 0.4, 4),
        (7, 0.7, 6),
        (7, 20.0, bands.MAX_BANDS),
        (0, 5.0, bands.UNLIMITED),
    ],
)
def test_slow_answers_take_more_bands(rate: float, elapsed: float, number: int) -> None:
    assert bands.needed(rate, elapsed) == number


def test_the_last_page_counted_is_not_asked_for_again_to_be_read(services: Services) -> None:
    """Of three pages the last one is asked for twice: to find the end, and to prove the count."""
    with serve(make_world(contacts=700, deals=10)) as server:
        connection = connect(services, server)
        server.world.reset()
        assert run(services, connection).proved
        asked = [parse_qs(one.query) for one in server.world.log if one.path == "/api/v4/contacts"]
        assert difference(services, connection, server.world) == []
    pages = [one["page"][0] for one in asked if one.get("order[id]") == ["asc"] and "filter[id][]" not in one]
    assert pages.count("3") == 2
    assert {"1", "2", "3"} == set(pages)


def test_a_list_that_moves_while_it_is_counted_is_whole(services: Services) -> None:
    """Rows of the last page move to the one before it, after the last page was read to find the end."""
    with serve(make_world(contacts=1300, deals=10)) as server:
        connection = connect(services, server)
        ids, asked = server.world.ids("contacts"), []

        def move(_method: str, path: str, query: str) -> None:
            if path == "/api/v4/contacts" and parse_qs(query).get("order[id]") == ["asc"]:
                asked.append(query)
                if len(asked) == 3:  # page 1, the last page, and now the first one of the reading
                    server.world.delete("contacts", *ids[:300])

        server.world.before_request = move
        run(services, connection)
        assert len(asked) > 3
        assert difference(services, connection, server.world) == []
