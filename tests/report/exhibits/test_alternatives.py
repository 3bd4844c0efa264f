"""Alternatives: points and labels of the chart, and what each does otherwise."""

from itertools import combinations

from builders import plans as sample
from steelyard.report.exhibits import alternatives


@sample.every_plan
def test_labels_of_the_scatter_do_not_cover_each_other(make):
    def box(point):
        x = point.x * alternatives.WIDTH / 100 + point.label_dx
        width = alternatives.LETTER * len(point.label)
        edge = {"start": x, "middle": x - width / 2, "end": x - width}[point.anchor]
        y = point.y + point.label_dy
        return edge, y - 10, edge + width, y + 4

    boxes = [box(point) for point in alternatives.weighed(make()).scatter.points]

    for first, second in combinations(boxes, 2):
        assert not (
            first[0] < second[2]
            and second[0] < first[2]
            and first[1] < second[3]
            and second[1] < first[3]
        )


@sample.every_plan
def test_points_carry_the_numbers_of_the_table_and_stand_inside_the_chart(make):
    weighed = alternatives.weighed(make())

    assert (
        [point.row.n for point in weighed.scatter.points]
        == [row.n for row in weighed.rows]
        == list(range(1, len(weighed.rows) + 1))
    )
    assert all(point.label.startswith(str(point.row.n)) for point in weighed.scatter.points)
    assert all(
        0 <= point.x <= 100 and 0 <= point.y <= alternatives.HEIGHT
        for point in weighed.scatter.points
    )


def test_what_an_alternative_does_otherwise_is_told():
    rows = {row.name: row.note for row in alternatives.weighed(sample.growth()).rows}

    assert rows["Hold"] == "no trades"
    assert rows["Runner-up 1"] == "AAPL 250 for 249; not LLY, PG"
    assert rows["Best of the candidates"] == (
        "the best set of at most five of the calculators’ orders; AAPL 210 for 249, JPM 36 for 37, "
        "MSFT 18 for 19; not LLY, HD, WMT, KO, PG, UNH"
    )
    assert rows["Unrestricted"] == "any quantity, any number of orders: a bound, not a plan"


def test_the_heading_of_the_alternatives_counts_what_can_be_traded():
    assert alternatives.weighed(sample.growth()).heading.endswith(
        " alternatives that can be traded, none gains more"
    )
