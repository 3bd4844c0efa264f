"""`steelyard report`: a plan that was made before, in the terminal or as a page."""

from builders.commands import own_files, run
from builders.pages import read


def test_a_plan_of_a_file_is_told_in_the_terminal_as_it_was(files):
    result = run("report", files[0])

    assert result.exit_code == 0
    assert result.stdout == run("plans", "show", files[0]).stdout
    assert "Act." in result.stdout


def test_as_a_page_it_is_the_one_that_plan_writes(files, stored, folder):
    run("plan", *own_files(folder), "--report", "made.html")
    result = run("report", stored[0][:12], "--html", "again.html")

    assert result.stdout == ""
    assert "Report written: again.html" in result.stderr
    again = (folder / "again.html").read_text()
    assert again == (folder / "made.html").read_text()
    assert read(again).one("main")


def test_nothing_but_a_page_is_replaced(files, folder):
    (folder / "own.csv").write_text("symbol\n")

    result = run("report", files[0], "--html", "own.csv")

    assert result.exit_code == 1
    assert "Nothing was reported." in result.stderr
    assert (folder / "own.csv").read_text() == "symbol\n"
