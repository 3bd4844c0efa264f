"""Targets: weights by symbol."""

from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.files import written
from steelyard.importers import read_targets
from steelyard.portfolio import Security
from steelyard.targets import Band


def test_targets_are_weights_by_symbol_and_0_is_one(tmp_path: Path):
    file = read_targets(written(tmp_path, "weight,symbol\n0.25,aaa\n0,BBB\n1e-2,CCC\n"))

    assert dict(file.weights) == {"AAA": 0.25, "BBB": 0.0, "CCC": 0.01}


def test_what_weights_cannot_mean_is_refused_with_its_lines_and_what_to_write(tmp_path: Path):
    wrong = []
    for rows, code, parts in (
        ("AAA,30%\nBBB,0.3", "mixed_percent", ("line 2", "write 0.3")),
        ("AAA,33\nBBB,33", "weight_over_1", ("line 2", "33% is 0.33")),
        ("AAA,0.7\nBBB,0.5", "targets_over_1", ("lines 2 to 3", "1.2", "0.2 over 1")),
        ("AAA,120%\nBBB,1%", "weight_over_1", ("line 2", "120%")),
        ("AAA,0.6\nCASH,0.1", "cash_target", ("line 3", "0.7", "0.3 under 1")),
        ("AAA,-0.1", "negative_weight", ("line 2", "0 or more")),
        ("AAA,x", "no_number", ("line 2", "not a number")),
        ("BRK.B,0.1\nBRK-B,0.2", "two_spellings", ("line 3", "BRK.B on line 2")),
        ("AAA,0.1\naaa,0.2", "twice", ("line 3", "line 2")),
        ("CASH,0.1\ncash:usd,0.2", "twice", ("line 3", "line 2")),
        ("class:,0.1", "no_class", ("line 2", "class:NAME")),
        ("class:A,0.1\nclass:A,0.2", "twice", ("line 3", "class:A", "line 2")),
        ("class:A,0.1\nclass.r:B,0.2", "two_dimensions", ("line 3", "class.r", "line 2")),
    ):
        file = read_targets(written(tmp_path, f"symbol,weight\n{rows}\n"))
        faults = [row.fault for row in file.rejected] + (
            list(file.refused.faults) if file.refused else []
        )
        if faults[0].code != code or not all(part in faults[0].message for part in parts):
            wrong.append((rows, faults[0]))
    assert not wrong


def test_weights_of_classes_are_read_by_name_with_their_dimension_and_lines(tmp_path: Path):
    file = read_targets(
        written(
            tmp_path, "symbol,weight\nclass.Region:US: large,40%\nAAA,20%\nCLASS.region:Asia,10%\n"
        )
    )

    assert dict(file.classes) == {"US: large": 0.4, "Asia": 0.1}
    assert (file.dimension, dict(file.class_lines)) == ("region", {"US: large": 2, "Asia": 4})
    assert dict(file.weights) == {"AAA": 0.2}


def test_bands_are_fractions_or_percent_of_a_symbol_a_class_or_cash(tmp_path: Path):
    file = read_targets(
        written(
            tmp_path,
            "symbol,weight,band,band_relative\n"
            "AAA,0.2,0.05,25%\nBBB,0.2,,\nCCC,0.2,1 %,\nclass:A,0.3,,0.5\nCASH,0.1,0,\n",
        )
    )

    assert dict(file.bands) == {"AAA": Band(0.05, 0.25), "CCC": Band(0.01), "CASH": Band(0.0)}
    assert dict(file.class_bands) == {"A": Band(None, 0.5)}


def test_rows_of_members_that_sum_to_their_class_are_counted_once(tmp_path: Path):
    listed = [Security(name, "USD", classes={"": name[0]}) for name in ("AA", "AB", "BA")]
    wrong = []
    for rows, due in (
        ("class:A,.4\nAA,.1\nAB,.3\nclass:B,.6", {"A": 0.4, "B": 0.6}),
        ("class:A,40\nAA,10\nAB,30\nclass:B,60", {"A": 0.4, "B": 0.6}),
        ("class:A,40%\nAA,10%\nAB,30%\nCASH,60%", {"A": 0.4}),
        ("class:A,.4005\nAA,.1\nAB,.3005\nclass:B,.6", {"A": 0.4005, "B": 0.5995}),
        ("class:B,.4\nclass:A,.6005\nAA,.6005", {"A": 0.6, "B": 0.4}),
    ):
        path = written(tmp_path, f"symbol,weight\n{rows}\n")
        file = read_targets(path, securities=listed)
        if file.rejected or file.refused or dict(file.classes) != due:
            wrong.append((rows, file.rejected, file.refused, dict(file.classes)))
    assert not wrong


def test_a_band_outside_0_to_1_is_refused_with_its_line_and_what_to_write(tmp_path: Path):
    wrong = []
    for cells, parts in (
        ("-0.05,", ("band '-0.05'", "0 to 1", "of value")),
        (",1.5", ("band_relative '1.5'", "the target", "write 0.015 or 1.5%")),
        ("5,", ("write 0.05 or 5%",)),
        ("101%,", ("band '101%'",)),
        ("x,", ("not a number",)),
    ):
        file = read_targets(
            written(tmp_path, f"symbol,weight,band,band_relative\nAAA,0.5,{cells}\n")
        )
        reason = str(file.rejected[0]) if file.rejected else ""
        if not all(part in reason for part in ("line 2", *parts)):
            wrong.append((cells, reason))
    assert not wrong


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=8),
    st.sampled_from(["", "%", "percent"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_weights_are_read_exactly_in_either_form_or_refused(
    tmp_path: Path, parts: list[int], form: str
):
    total = sum(parts)
    unit = Decimal(100) if form else Decimal(1)
    weights = [Decimal(part) * unit / 10_000 for part in parts]
    sign = "%" if form == "%" else ""
    rows = "".join(f"S{k},{weight:f}{sign}\n" for k, weight in enumerate(weights))

    file = read_targets(written(tmp_path, f"symbol,weight\n{rows}"))

    in_percent = form == "%" or (9_950 <= total <= 10_050 and max(weights) > 1)
    if form == "percent" and not in_percent:
        assert file.rejected or file.refused or max(weights) <= 1
    elif total > 10_010 or max(parts) > 10_000:
        assert file.rejected or file.refused
    else:
        read = [Decimal(repr(weight)) for weight in file.weights.values()]
        assert max(
            abs(a - Decimal(p) / 10_000) for a, p in zip(read, parts, strict=True)
        ) <= Decimal("0.001")
        assert sum(read) <= 1 + Decimal("1e-9")
