"""Every cell, sum and extremum that a block of rows leaves equals what one value after the other would have left."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import pytest

from stream.ingest import marks
from stream.ingest.arena import Arena
from stream.ingest.codes import ABSENT, WRONG_TYPE
from stream.ingest.compiled.values import META
from stream.ingest.counting import Rows, count
from stream.ingest.listed import Listed, Row
from stream.ingest.matrices import matrix
from stream.ingest.naming import cells_of
from stream.ingest.shape import Shape, shape_of
from stream.ingest.strict import category_of, number_of
from stream.ingest.tables import StreamTables, stream_tables
from stream.state.layout import EVENTS, CategoricalColumn, Layout, NumericColumn
from stream.state.packing import Partial, empty
from tests.support.book import Book


def layout(model: str, chance: Random) -> Layout:
    """A layout with narrow and wide, plain and detailed, named and hashed columns."""
    numeric = tuple(_numeric(f"n{at}", chance) for at in range(chance.randrange(1, 7)))
    categorical = tuple(_categorical(f"c{at}", chance) for at in range(chance.randrange(4)))
    return Layout(model, "predictions", 1000, numeric, categorical)


def _numeric(name: str, chance: Random) -> NumericColumn:
    length = chance.choice((0, 1, 2, 7, 50, 63, 64, 200))
    edges = tuple(sorted({round(chance.gauss(0, 10), chance.choice((0, 3))) for _ in range(length)}))
    sd = chance.choice((1.0, 0.3, 7.0, 1e-3))
    if len(edges) < 2:
        return NumericColumn(name, f"features.{name}", edges, mean=1.5, sd=sd)
    top = math.nextafter(edges[-1], -math.inf)
    return NumericColumn(name, f"features.{name}", edges, 1.5, sd, edges[0], top, detailed=chance.random() < 0.7)


def _categorical(name: str, chance: Random) -> CategoricalColumn:
    if chance.random() < 0.3:
        return CategoricalColumn(name, f"features.{name}", buckets=64)
    return CategoricalColumn(
        name, f"features.{name}", ("a", "b", "7", "true"), aliases=(("1", "a"), ("0", "b")), folded=("rare", "8")
    )  # fmt: skip


def a_number(column: NumericColumn, chance: Random) -> Any:
    odd: tuple[Any, ...] = (
        None,
        math.nan,
        math.inf,
        -math.inf,
        "x",
        "1.5",
        True,
        [1],
        {},
        -0.0,
        0,
        10**400,
        1e308,
        -1e308,
        5e-324,
    )
    near = [
        value
        for edge in column.edges
        for value in (edge, math.nextafter(edge, -math.inf), math.nextafter(edge, math.inf))
    ]
    away = [
        1.5 + column.sd * 64,
        1.5 - column.sd * 64.0001,
        column.minimum - column.sd / 64,
        column.maximum + column.sd * 1024,
    ]
    return chance.choice((chance.choice(odd), chance.choice(near or [0.5]), chance.choice(away), chance.gauss(0, 12)))


def a_name(chance: Random) -> Any:
    return chance.choice(
        ("a", "b", "7", 7, 7.0, True, "true", False, 1, 0, "rare", 8, "new", "", 7.5, math.nan, None, [1], "é")
    )


def counted_block(layouts: list[tuple[Layout, Shape]], rows: list[tuple[int, dict[str, Any], bool]]) -> list[Partial]:
    """Count rows (layout number, values, late), each layout in one partial."""
    tables, arena = stream_tables(layouts), Arena()
    rooms = [arena.allocate(layout, empty(layout.cells, len(layout.numeric))) for layout, _ in layouts]
    found = _rows(tables, layouts, rows, rooms)
    count(found, arena, order=np.arange(len(rows)), narrow=tables.narrow, wide=tables.wide)
    return [arena.read(room, revision=0) for room in rooms]


def codes_of(names: list[tuple[Any, ...]], layout: Any, tables: StreamTables) -> Any:
    """The cells of rows of names, by the tables of their layouts."""
    listed = Listed.of((0, 0, max(map(len, tables.codes))))
    listed.put([Row(at, (0,) * META, (), (), row) for at, row in enumerate(names)], first=0, scanned=0)
    return cells_of(listed, np.arange(len(names)), np.asarray(layout), named=tables.named)


def _rows(tables: StreamTables, layouts: list[tuple[Layout, Shape]], rows: Any, rooms: Any) -> Rows:
    number = np.array([at for at, _, _ in rows], np.int64)
    shapes = [layouts[at][1] for at, _, _ in rows]
    numbers = [
        [
            tuple(number_of(values.get(name)) for name, _ in columns)
            for columns, (_, values, _) in zip(of, rows, strict=True)
        ]
        for of in ([shape.narrow for shape in shapes], [shape.wide for shape in shapes])
    ]
    names = [
        tuple(category_of(values.get(name)) for name, _ in shape.categorical)
        for shape, (_, values, _) in zip(shapes, rows, strict=True)
    ]
    return Rows(
        number, np.array([rooms[at].cells for at in number]), np.array([rooms[at].sums for at in number]),
        matrix(numbers[0], tables.narrow.count), matrix(numbers[1], tables.wide.count),
        codes_of(names, number, tables),
        np.array([late for _, _, late in rows], np.bool_),
    )  # fmt: skip


def counted_row(of: Layout, numbers: tuple[Any, ...], names: tuple[Any, ...]) -> Partial:
    """Count one row of narrow values and categories, as they stand after decoding."""
    tables, arena, zero = stream_tables([(of, shape_of([of]))]), Arena(), np.zeros(1, np.int64)
    room = arena.allocate(of, empty(of.cells, len(of.numeric)))
    codes = codes_of([tuple(names)], zero, tables)
    rows = Rows(zero, zero, zero, matrix([numbers], len(numbers)), matrix([()], 0), codes, np.zeros(1, np.bool_))
    count(rows, arena, order=np.arange(len(rows.layout)), narrow=tables.narrow, wide=tables.wide)
    return arena.read(room, revision=0)


@pytest.mark.parametrize("seed", range(12))
def test_a_block_counts_what_one_value_after_the_other_would(seed: int) -> None:
    chance = Random(seed)
    layouts = [layout(f"m{at}", chance) for at in range(chance.choice((1, 3, 8)))]
    books = [Book(of) for of in layouts]
    rows = []
    for _ in range(400):
        at = chance.randrange(len(layouts))
        values = {c.name: a_number(c, chance) for c in layouts[at].numeric if chance.random() < 0.95}
        values |= {c.name: a_name(chance) for c in layouts[at].categorical}
        rows.append((at, values, chance.random() < 0.1))
        books[at].add(values, late=rows[-1][2])
    counted = counted_block([(of, shape_of([of])) for of in layouts], rows)
    assert [book.equals(found) for book, found in zip(books, counted, strict=True)] == [True] * len(layouts)


def test_two_layouts_of_one_model_are_counted_through_one_shape() -> None:
    """Around a switch: a column that went wide, one that came, one that went, one that changed its kind."""
    kept = NumericColumn("kept", "features.kept", (1.0, 2.0))
    grown = NumericColumn("kept", "features.kept", tuple(map(float, range(70))))
    turned = CategoricalColumn("turned", "features.turned", ("a",))
    new = Layout("m", "predictions", 1, (grown, NumericColumn("came", "features.came", ())), (turned,))
    went = (NumericColumn("went", "features.went", (5.0,)), NumericColumn("turned", "features.turned", ()))
    old = Layout("m", "predictions", 1, (kept, *went), ())
    shape = shape_of([new, old])
    values = {"kept": 2.0, "came": 1.0, "went": 5.0, "turned": "a"}
    after, before = counted_block([(new, shape), (old, shape)], [(0, values, False), (1, values, False)])
    book = Book(new)
    book.add(values, late=False)
    assert book.equals(after)
    kept_first, went_first, turned_first = old.numeric_starts
    assert {int(at): int(before.cells[at]) for at in np.flatnonzero(before.cells)} == {
        EVENTS: 1,
        kept_first + 2: 1,
        went_first + 1: 1,
    }
    assert not before.cells[turned_first:].any()


def test_a_feature_may_be_called_like_a_column_of_the_prediction() -> None:
    same = (NumericColumn("score", "features.score", (5.0,)), NumericColumn("score", "prediction.score", (0.5,)))
    both = Layout("m", "predictions", 1, same, ())
    shape = shape_of([both])
    assert shape.narrow == (("score", "features.score"), ("score", "prediction.score"))
    found = counted_row(both, (7.0, 0.1), ())
    feature, score = both.numeric_starts
    assert np.flatnonzero(found.cells).tolist() == [EVENTS, feature + 1, score]


def test_an_absent_column_counts_nothing_not_even_a_missing_value() -> None:
    one = Layout(
        "m", "features", 1, (NumericColumn("n", "features.n", (1.0,)),), (CategoricalColumn("c", "features.c"),)
    )
    found = counted_row(one, (marks.ABSENT_VALUE,), (ABSENT,))
    assert (np.flatnonzero(found.cells).tolist(), found.sums.tolist(), found.extrema.tolist()) == (
        [EVENTS],
        [0, 0],
        [math.inf, -math.inf],
    )


def test_a_mark_is_not_confused_with_a_category_of_its_name() -> None:
    named = Layout("m", "predictions", 1, (), (CategoricalColumn("c", "features.c", ("WRONG_TYPE", "None")),))
    [table] = stream_tables([(named, shape_of([named]))]).codes[0]
    first = named.categorical_starts[0]
    assert [table[value] - first for value in ("WRONG_TYPE", "None", WRONG_TYPE, None)] == [0, 1, 5, 4]


def test_the_memory_of_hashed_names_is_bounded() -> None:
    hashed = Layout("m", "predictions", 1, (), (CategoricalColumn("c", "features.c", buckets=64),))
    [table] = stream_tables([(hashed, shape_of([hashed]))]).codes[0]
    cells = [table[f"name {at}"] for at in range(20_000)]
    assert len(table) == 10_000
    assert cells == [table[f"name {at}"] for at in range(20_000)]


def test_the_arena_keeps_what_it_holds_when_it_grows_and_starts_a_freed_room_anew() -> None:
    arena, of = Arena(), layout("m", Random(3))
    start = empty(of.cells, len(of.numeric))
    first = arena.allocate(of, start)
    arena.cells[first.cells + EVENTS] = 7
    rooms = [arena.allocate(of, start) for _ in range(2 * len(arena.cells) // of.cells)]
    assert arena.read(first, revision=4).cells[EVENTS] == 7
    arena.free(first)
    again = arena.allocate(of, start)
    assert again == first
    assert again not in rooms
    assert not arena.read(again, revision=0).cells.any()
