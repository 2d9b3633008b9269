"""A table of shared versions: it is a dict in the order of first coming, and a change costs one path of nodes."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.members import Members
from alerting.table import WIDTH, Summary, Table
from tests.unit.alerting.world import WEATHER, World

KEYS = st.integers(0, 99).map(str)
PUTS = st.lists(st.dictionaries(KEYS, st.integers(0, 9), max_size=40), max_size=8)
#: Joining texts minds the order of the rows, and not how they are divided.
TEXT: Summary[int, str] = Summary("text", str, "".join)
LEAST: Summary[int, int] = Summary("least", lambda value: value, min)


@settings(deadline=None)
@given(PUTS)
def test_every_version_is_the_dict_that_the_same_puts_make(puts: list[dict[str, int]]) -> None:
    table, dicts = [Table[int]()], [dict[str, int]()]
    for rows in puts:
        table[-1].summed(TEXT)  # what a node remembers must not be taken for another version's
        table.append(table[-1].put(rows))
        dicts.append(dicts[-1] | rows)
    for made, plain in zip(table, dicts, strict=True):
        assert list(made.rows()) == list(plain.items()) == list(made.items())
        assert (len(made), made == plain, made.get("no")) == (len(plain), True, None)
        assert [made.place(key) for key in plain] == list(range(len(plain)))
        assert made.summed(TEXT) == "".join(map(str, plain.values()))


@settings(deadline=None)
@given(PUTS)
def test_the_least_come_first_and_equal_ones_in_order(puts: list[dict[str, int]]) -> None:
    table, plain = Table[int](), dict[str, int]()
    for rows in puts:
        table, plain = table.put(rows), plain | rows
    paired = Table.of({key: (key, value) for key, value in plain.items()})
    said: Summary[tuple[str, int], int] = Summary("said", lambda pair: pair[1], min)
    expected = sorted(plain.items(), key=lambda pair: pair[1])
    assert [pair for _, pair in paired.least(said)] == expected
    assert [found for found, _ in table.least(LEAST, lambda found: found // 4)] == sorted(
        plain.values(), key=lambda v: v // 4
    )


@settings(deadline=None)
@given(PUTS, PUTS)
def test_what_differs_is_what_is_not_the_identical_value(
    puts: list[dict[str, int]], more: list[dict[str, int]]
) -> None:
    before, values = Table[list[int]](), dict[str, list[int]]()
    for rows in puts:
        before = before.put({key: [value] for key, value in rows.items()})
    after = before
    for rows in more:
        changes = {key: [value] for key, value in rows.items()}
        after, values = after.put(changes), values | changes
    assert dict(after.differing(before)) == values
    assert dict(after.differing(Table.of(dict(after)))) == {}
    assert dict(before.differing(after)) == {key: value for key, value in before.items() if key in values}


def large(size: int) -> Table[int]:
    return Table.of({str(number): number for number in range(size)})


def test_a_change_of_one_row_of_ten_thousand_is_summed_along_one_path() -> None:
    looked: list[int] = []
    joined: list[int] = []

    def of(value: int) -> int:
        looked.append(value)
        return value

    def join(parts: Sequence[int]) -> int:
        joined.append(len(parts))
        return sum(parts)

    total: Summary[int, int] = Summary("total", of, join)
    table = large(10_000)
    assert (table.summed(total), len(looked)) == (49_995_000, 10_000)
    looked.clear()
    joined.clear()
    assert table.put({"77": 0}).summed(total) == 49_995_000 - 77
    assert sorted(looked) == [0, *(n for n in range(72, 80) if n != 77)]
    assert joined == [8, 8, 8, 8, 3], "five heights: 8 ** 5 rows have room"
    assert (table.summed(total), len(joined)) == (49_995_000, 5), "the version before remembers its own"


def test_the_first_ten_of_ten_thousand_are_found_without_a_look_at_the_others() -> None:
    looked: list[int] = []

    def of(value: int) -> int:
        looked.append(value)
        return -value

    lowest: Summary[int, int] = Summary("lowest", of, min)
    table = large(10_000)
    table.summed(lowest)
    looked.clear()
    found = table.least(lowest)
    assert [next(found)[1] for _ in range(10)] == list(range(9_999, 9_989, -1))
    assert len(looked) < 10 + 3 * WIDTH


def test_what_a_sum_depends_on_besides_the_rows_is_told_apart_by_identity() -> None:
    table = large(100)

    def times(by: list[int]) -> Summary[int, int]:
        return Summary("times", lambda value: by[0] * value, sum, by=by)

    twice, thrice = [2], [3]
    assert [table.summed(times(by)) for by in (twice, thrice, twice)] == [9_900, 14_850, 9_900]


def test_what_holds_the_rows_are_nodes_of_a_few_each() -> None:
    table, members = large(100), Members()
    assert (len(list(table.pieces())), len({id(one) for one in table.pieces()})) == (-(-100 // WIDTH),) * 2
    assert len(list(members.pieces())) == 1
    world = World()
    for feature in WEATHER:
        world.fire(f"a/{feature}")
    [incident] = world.state.incidents.values()
    assert len(list(incident.members.pieces())) == 2, "one of the table, one of its model's"
