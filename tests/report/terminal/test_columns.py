"""Columns: nothing is cut, and no line is wider than its window."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from steelyard.report.terminal.columns import Column, Row, fitting, grid, wrap


@given(
    st.lists(
        st.tuples(
            st.text(max_size=30),
            st.from_regex(r"[0-9,.]{0,12}", fullmatch=True),
            st.text(max_size=40),
        ),
        max_size=5,
    ),
    st.integers(min_value=40, max_value=140),
)
def test_columns_never_cut_a_cell_and_never_pass_the_window(cells, width):
    columns = (Column("A"), Column("B", "right"), Column("C", drop=1))
    rows = [Row(row, under=(row[0],)) for row in cells]

    lines = [line.plain for line in grid(*fitting(columns, rows, width), width)]

    assert all(cell_len(line) <= width for line in lines)


@given(st.text(), st.integers(min_value=8, max_value=40))
def test_wrapping_loses_nothing_but_spaces(text, width):
    lines = wrap(text, width)

    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(wrap(text, 10_000)).replace(" ", "")
