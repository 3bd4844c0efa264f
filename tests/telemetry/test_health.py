"""The breaker and its file: what is out of service, how long, and what others see of it."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from steelyard.environment import home
from steelyard.errors import InputError, SettingsError
from steelyard.telemetry.breaker import (
    Circuit,
    Moment,
    Rules,
    after_failure,
    reason,
    rules_from,
    state_of,
)
from steelyard.telemetry.health import Health, this_moment

START = datetime(2026, 3, 10, 11, 5, tzinfo=UTC)
MODULE = "filters.eligibility"
VERSIONS = {MODULE: "1.0.0"}
FAILED = [(MODULE, "1.0.0", "ValueError: no")]
WORKED = [(MODULE, "1.0.0", None)]


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self):
        self.seconds, self.boot = 1000.0, "a"

    def __call__(self) -> Moment:
        return Moment(
            seconds=self.seconds, boot=self.boot, utc=START + timedelta(seconds=self.seconds - 1000)
        )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def made(tmp_path, clock, told):
    """Makes the health as another process sees it."""

    def make(**rules) -> Health:
        return Health(tmp_path / "home", Rules(**rules), warn=told.append, now=clock)

    return make


def fail(health: Health, times: int) -> None:
    for _ in range(times):
        health.record(FAILED)


# opening


def test_three_failures_in_a_row_put_a_module_out_of_service_until_five_minutes_later(made):
    health = made()

    fail(health, 2)
    assert health.out_of_service(VERSIONS) == {}

    fail(health, 1)
    assert made().out_of_service(VERSIONS) == {
        MODULE: (
            "3 failures in a row, the last ValueError: no; next try after 2026-03-10 11:10:00 UTC"
        )
    }


def test_a_success_between_failures_starts_the_row_anew(made):
    health = made()
    fail(health, 2)
    health.record(WORKED)
    fail(health, 2)

    assert health.out_of_service(VERSIONS) == {}


def test_both_rules_can_be_set(made, clock):
    health = made(failure_threshold=1, open_seconds=10)
    fail(health, 1)

    assert MODULE in health.out_of_service(VERSIONS)
    clock.seconds += 10
    assert health.out_of_service(VERSIONS) == {}


def test_the_environment_sets_the_rules():
    assert rules_from({}) == Rules(failure_threshold=3, open_seconds=300)
    assert rules_from(
        {"STEELYARD_FAILURE_THRESHOLD": "5", "STEELYARD_OPEN_SECONDS": "1.5"}
    ) == Rules(failure_threshold=5, open_seconds=1.5)


def test_a_rule_out_of_range_is_refused_with_the_name_of_its_variable():
    threshold, seconds = "STEELYARD_FAILURE_THRESHOLD", "STEELYARD_OPEN_SECONDS"
    for name, value in ((threshold, "0"), (threshold, "2.5"), (seconds, "nan"), (seconds, "soon")):
        with pytest.raises(SettingsError, match=f"{name} is '{value}'"):
            rules_from({name: value})


def test_a_new_version_starts_clean(made):
    fail(made(), 3)

    assert made().out_of_service({MODULE: "1.0.1"}) == {}
    assert MODULE in made().out_of_service(VERSIONS)


def test_the_reason_is_the_same_whenever_it_is_asked(made, clock):
    fail(made(), 3)
    first = made().out_of_service(VERSIONS)
    clock.seconds += 200

    assert made().out_of_service(VERSIONS) == first


def test_an_error_is_kept_on_one_line_and_cut():
    circuit = after_failure(
        None, "ValueError: a\n\tb" + "x" * 1000, Moment(seconds=0, boot="", utc=START)
    )

    assert circuit.error.startswith("ValueError: a bxx")
    assert len(circuit.error) == 200
    assert circuit.error.endswith("…")


# half-open


def test_after_the_wait_one_run_tries_and_the_others_wait(made, clock):
    fail(made(), 3)
    clock.seconds += 300

    trying, other = made(), made()
    assert trying.out_of_service(VERSIONS) == {}
    assert MODULE in other.out_of_service(VERSIONS)


def test_a_try_that_succeeds_closes_the_circuit(made, clock):
    fail(made(), 3)
    clock.seconds += 300
    trying = made()
    trying.out_of_service(VERSIONS)

    trying.record(WORKED)

    assert made().circuits() == {}


def test_a_try_that_fails_opens_it_again_for_as_long(made, clock):
    fail(made(), 3)
    clock.seconds += 300
    trying = made()
    trying.out_of_service(VERSIONS)
    clock.seconds += 1

    trying.record(FAILED)

    assert "4 failures in a row" in made().out_of_service(VERSIONS)[MODULE]
    clock.seconds += 299
    assert MODULE in made().out_of_service(VERSIONS)
    clock.seconds += 1
    assert made().out_of_service(VERSIONS) == {}


def test_a_try_that_never_ran_is_given_back(made, clock):
    fail(made(), 3)
    clock.seconds += 300
    trying = made()
    trying.out_of_service(VERSIONS)

    trying.record([])

    assert made().out_of_service(VERSIONS) == {}


def test_a_try_whose_process_died_is_up_again_after_the_wait(made, clock):
    fail(made(), 3)
    clock.seconds += 300
    made().out_of_service(VERSIONS)

    clock.seconds += 300
    assert made().out_of_service(VERSIONS) == {}


def test_a_strategy_without_the_module_does_not_use_up_the_try(made, clock):
    fail(made(), 3)
    clock.seconds += 300

    made().out_of_service({"filters.diversity": "1.0.0"})

    assert made().out_of_service(VERSIONS) == {}


# the clock


def test_after_a_reboot_what_was_open_may_be_tried(made, clock):
    fail(made(), 3)
    clock.boot, clock.seconds = "b", 1001.0

    assert made().out_of_service(VERSIONS) == {}


def test_a_reading_that_went_back_means_a_reboot_where_boots_have_no_name(made, clock):
    clock.boot = ""
    fail(made(), 3)
    clock.seconds = 5.0

    assert made().out_of_service(VERSIONS) == {}


def test_the_time_of_day_decides_nothing(made, clock):
    fail(made(), 3)
    health = Health(
        made().store.path.parent, Rules(), warn=print,
        now=lambda: clock().model_copy(update={"utc": START + timedelta(days=9)}),
    )  # fmt: skip

    assert MODULE in health.out_of_service(VERSIONS)


def test_two_processes_of_one_boot_read_the_same_clock():
    code = (
        "from steelyard.telemetry.health import this_moment; print(this_moment().model_dump_json())"
    )
    before = this_moment()
    between = Moment.model_validate_json(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
    )

    assert before.boot == between.boot
    assert before.seconds <= between.seconds <= this_moment().seconds


# the file


def test_no_file_is_made_while_everything_is_healthy(made):
    health = made()
    health.out_of_service(VERSIONS)
    health.record(WORKED)

    assert not health.store.path.parent.exists()


def test_the_file_is_its_owners_alone_and_no_part_of_it_is_left(made):
    health = made()
    fail(health, 1)

    assert stat.S_IMODE(health.store.path.stat().st_mode) == 0o600
    assert sorted(path.name for path in health.store.path.parent.iterdir()) == [
        "health.json",
        "health.json.lock",
    ]


def test_what_does_not_change_is_not_written(made):
    health = made()
    fail(health, 1)
    written = health.store.path.stat().st_ino

    health.record([("filters.diversity", "1.0.0", None)])
    health.out_of_service(VERSIONS)

    assert health.store.path.stat().st_ino == written


def test_a_write_that_fails_leaves_the_old_file_whole(made, told, monkeypatch):
    health = made()
    fail(health, 1)
    before = health.store.path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    fail(health, 1)

    assert health.store.path.read_bytes() == before
    assert sorted(path.name for path in health.store.path.parent.iterdir()) == [
        "health.json",
        "health.json.lock",
    ]
    assert told == [
        (
            f"The health of modules could not be written to {health.store.path}: No space left on "
            f"device. "
            "Planning goes on."
        )
    ]


def test_what_killed_writers_left_is_swept_with_the_next_write(made):
    health = made()
    fail(health, 1)
    killed = [health.store.path.with_name(f".health.json.{k}") for k in "ab"]
    for part in killed:
        part.write_text('{"version":1,"circ')
    other = health.store.path.with_name(".health.json")  # not a part: mkstemp adds to the name
    other.write_text("")

    fail(health, 1)

    assert not any(part.exists() for part in killed)
    assert other.exists()
    assert made().circuits()[f"{MODULE}@1.0.0"].failures == 2


def test_a_dict_is_a_store_too_and_holds_what_it_is_given(clock):
    circuits = {}
    health = Health(circuits, Rules(failure_threshold=1, open_seconds=10), now=clock)

    fail(health, 1)

    assert list(circuits) == [f"{MODULE}@1.0.0"]
    assert MODULE in health.out_of_service(VERSIONS)
    clock.seconds += 10
    assert health.out_of_service(VERSIONS) == {}
    health.record(WORKED)
    assert circuits == {}
    fail(health, 1)
    health.reset([f"{MODULE}@1.0.0"])
    assert circuits == {}


GOOD = {
    "failures": 3,
    "error": "e",
    "since": {"seconds": 1.0, "boot": "a", "utc": "2026-03-10T11:05:00Z"},
}
BROKEN = {
    "empty": "",
    "torn": '{"version":1,"circ',
    "a later version": '{"version":2,"circuits":{}}',
    "a list": "[]",
    "a number that is none": (
        '{"version":1,"circuits":{"a.b@1.0.0":' + json.dumps(GOOD).replace("1.0,", "NaN,") + "}}"
    ),
    "a negative count": json.dumps(
        {"version": 1, "circuits": {"a.b@1.0.0": {**GOOD, "failures": -1}}}
    ),
    "a year that no calendar has": json.dumps(
        {
            "version": 1,
            "circuits": {
                "a.b@1.0.0": {**GOOD, "since": {**GOOD["since"], "utc": "9999-12-31T23:59:59Z"}}
            },
        }
    ),
    "no bytes of text": b"\xff\x00",
    "too long": " " * (1 << 20) + "{}",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_cannot_be_understood_is_told_and_moved_aside(made, told, content):
    health = made()
    health.store.path.parent.mkdir()
    data = content if isinstance(content, bytes) else content.encode()
    health.store.path.write_bytes(data)

    assert health.out_of_service(VERSIONS) == {}

    assert len(told) == 1
    assert "it is now health.json.unreadable, and every module is tried" in told[0]
    assert health.store.path.with_name("health.json.unreadable").read_bytes() == data
    fail(health, 3)
    assert MODULE in health.out_of_service(VERSIONS)


def test_a_home_that_cannot_be_written_is_told_once_and_stops_nothing(made, told):
    health = made()
    health.store.path.parent.write_text("a file where the folder should be")

    fail(health, 3)

    assert health.out_of_service(VERSIONS) == {}
    assert all(text.endswith(("Planning goes on.", "Every module is tried.")) for text in told)
    assert len(told) == len(set(told))


def test_a_reset_that_cannot_be_written_is_an_error(made):
    health = made()
    fail(health, 1)
    health.store.path.with_name("health.json.lock").unlink()
    health.store.path.with_name("health.json.lock").mkdir()

    with pytest.raises(InputError, match="Nothing was reset"):
        health.reset([f"{MODULE}@1.0.0"])


def test_a_lock_that_is_held_for_long_is_told_and_stops_nothing(made, told):
    import fcntl  # only where files can be locked: elsewhere the state is written without

    health = made()
    fail(health, 1)
    with health.store.path.with_name("health.json.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fail(health, 1)

    assert "another process has held health.json.lock for 2 seconds" in told[0]
    assert health.circuits()[f"{MODULE}@1.0.0"].failures == 1


WRITER = """
import sys
from pathlib import Path
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health

health = Health(Path(sys.argv[1]), Rules(), warn=lambda text: sys.exit(text))
for _ in range(int(sys.argv[3])):
    health.record([("filters.shared", "1.0.0", "E: x"), (sys.argv[2], "1.0.0", "E: x")])
"""


def test_processes_that_write_at_once_lose_no_failure(made):
    health, each = made(), 25
    folder = str(health.store.path.parent)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, folder, f"filters.own_{k}", str(each)])
        for k in range(4)
    ]
    while any(writer.poll() is None for writer in writers):
        health.circuits()  # a reader in between never meets half a file: it would be moved aside

    assert [writer.returncode for writer in writers] == [0] * 4
    counts = {key: circuit.failures for key, circuit in health.circuits().items()}
    assert counts == {
        "filters.shared@1.0.0": 4 * each,
        **{f"filters.own_{k}@1.0.0": each for k in range(4)},
    }
    assert not health.store.path.with_name("health.json.unreadable").exists()


# home


def test_home_is_what_the_environment_says(tmp_path):
    assert home({"STEELYARD_HOME": str(tmp_path)}) == tmp_path
    assert home({"STEELYARD_HOME": "~/mine"}) == Path.home() / "mine"


def test_home_is_the_data_folder_of_the_platform_by_default(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert home({}).name == "steelyard"
    assert home({}) == home({"STEELYARD_HOME": ""})
    if sys.platform == "linux":
        assert home({}) == tmp_path / "steelyard"


# any order of events


class AnyOrder(RuleBasedStateMachine):
    """The breaker against a list of what happened."""

    def __init__(self):
        super().__init__()
        self.rules = Rules(failure_threshold=3, open_seconds=300)
        self.circuit: Circuit | None = None
        self.now, self.boot = 0.0, 0
        self.row: list[tuple[float, int]] = []

    def moment(self) -> Moment:
        return Moment(seconds=self.now, boot=str(self.boot), utc=START)

    def expected(self) -> str:
        if len(self.row) < 3:
            return "closed"
        at, boot = self.row[-1]
        return "open" if boot == self.boot and 0 <= self.now - at < 300 else "half-open"

    @rule()
    @precondition(lambda self: self.expected() != "open")
    def it_runs_and_fails(self):
        self.circuit = after_failure(self.circuit, "E: x", self.moment())
        self.row.append((self.now, self.boot))

    @rule()
    @precondition(lambda self: self.expected() != "open")
    def it_runs_and_works(self):
        self.circuit, self.row = None, []

    @rule(seconds=st.sampled_from([1.0, 149.0, 150.0, 299.0, 300.0, 1e6]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(seconds=st.floats(0, 1e4))
    def the_machine_starts_again(self, seconds):
        self.boot, self.now = self.boot + 1, seconds

    @invariant()
    def the_state_is_the_one_of_the_model(self):
        assert state_of(self.circuit, self.rules, self.moment()) == self.expected()
        if self.circuit is not None:
            assert self.circuit.failures == len(self.row)
            assert "next try after" in reason(self.circuit, self.rules)


TestAnyOrder = AnyOrder.TestCase


def test_an_error_is_kept_without_what_a_terminal_would_obey():
    circuit = after_failure(None, "E: \x1b[31mred\u202e", Moment(seconds=0, boot="", utc=START))

    assert circuit.error == r"E: \u001b[31mred\u202e"


def test_a_wrong_setting_of_any_length_is_shown_cut():
    with pytest.raises(SettingsError) as told:
        rules_from({"STEELYARD_OPEN_SECONDS": "9" * 5000})

    assert len(str(told.value)) < 200


@pytest.mark.parametrize("what", ["a pipe", "a device"])
def test_what_is_no_regular_file_is_not_waited_for(made, told, what):
    health = made()
    health.store.path.parent.mkdir()
    if what == "a pipe":
        os.mkfifo(health.store.path)
    else:
        health.store.path.symlink_to("/dev/zero")

    assert health.out_of_service(VERSIONS) == {}
    fail(health, 1)

    assert "it is no regular file. Every module is tried." in told[0]
    assert told[1].endswith("it is no regular file. Planning goes on.")


def test_the_home_of_nobody_is_an_error_and_no_crash():
    with pytest.raises(SettingsError, match="STEELYARD_HOME is '~no-such-user-here/x'"):
        home({"STEELYARD_HOME": "~no-such-user-here/x"})
