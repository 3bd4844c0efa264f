"""The command line: arguments in; a plan on the screen, as JSON or a report, and an exit code out.

    demo.py      the bundled portfolio
    plan.py      one's own files
    rebalance.py exact trades to target weights; engines.py: the other engine beside a plan
    fleet.py     a folder of accounts, each planned by itself
    why.py       the story of one symbol
    worksheet.py orders of a stored plan changed by hand
    verify.py    the figures of a saved plan, derived anew
    import_file.py   what a file of holdings says; import_view.py shows it
    modules.py   what is registered, and what a strategy makes of it
    health.py    which modules are out of service
    perf.py      what stored plans took
    events.py    what happened to what is stored
    strategy.py  presets and strategy files: list, show, new, validate, schema
    trial.py     strategies tried out: compared, checked without planning; snapshots.py says on what
    versions.py  stored strategies: save, edit, history, rollback, assign; shared: saving.py
    exchange.py  files out and in: export, import, import-folder, clone
    differences.py   what two versions differ in: diff, plan-diff
    presets.py   the library of presets
    bucket.py    core and satellites
    batch.py     slow plans in slices that are stored as they are done
    plans.py     stored plans: list, show, what tells two apart; saved.py: a plan by id or file
    report.py    a plan that was made before, a run
    rebalance.py exact target weights, by the reference engine; engines.py: which engine plans
    execute.py   a plan traded, and a run resumed; trading.py: journal and account of it,
                 connecting.py: its broker
    runs.py      what was executed, fills handed in, books against broker
    halting.py   halt, cancel-all, flatten, arm
    runner.py    the process that holds broker keys; handing.py hands plans to it
    serve.py     the services: all on this machine, or one
    watch.py     what is due, planned and told: schedules, channels; watch_view.py shows it
    db.py        the database: upgrade, backup, restore
    token.py     tokens of the services: create, list, revoke
    stored.py    the database, opened where a command needs it; named.py: a strategy by its name
    options.py   options to a snapshot, market, targets and strategy
    commands.py  what every command shares: options given once, failures in JSON
    logs.py      the log, for whoever asks for it
    output.py    screens, pipes, files, messages, exit codes

Exit codes: 0 done (a hold plan is done), 1 refused or failed with a reason on stderr, 2 usage, and
of signals (`__main__.py`) 130 for SIGINT and 143 for SIGTERM.
To add a command: a file here with a function, its line below. Modules import what is heavy inside
their functions: `--help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer
from typer import Option

from steelyard.cli.batch import batch
from steelyard.cli.bucket import bucket
from steelyard.cli.commands import Commands
from steelyard.cli.db import db
from steelyard.cli.demo import demo
from steelyard.cli.events import events
from steelyard.cli.execute import execute, resume
from steelyard.cli.fleet import fleet
from steelyard.cli.halting import arm, cancel_all, flatten, halt
from steelyard.cli.health import health
from steelyard.cli.import_file import import_file
from steelyard.cli.modules import modules
from steelyard.cli.output import guarded, write
from steelyard.cli.perf import perf
from steelyard.cli.plan import plan
from steelyard.cli.plans import plans
from steelyard.cli.rebalance import rebalance
from steelyard.cli.report import report
from steelyard.cli.runner import runner
from steelyard.cli.runs import reconcile, runs
from steelyard.cli.serve import serve
from steelyard.cli.strategy import strategy
from steelyard.cli.token import token
from steelyard.cli.trial import ab, dry_run
from steelyard.cli.verify import verify
from steelyard.cli.watch import watch
from steelyard.cli.why import why
from steelyard.cli.worksheet import worksheet

app = Commands(
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as installed

        with guarded():
            write(f"steelyard {installed('steelyard')}\n")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool,
        Option("--version", callback=_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Plans the trades that best improve a portfolio, explains every line, states how good the plan
    is, and carries out what was approved. Only execute, runner, resume, cancel-all and flatten send
    anything.
    """


app.command()(demo)
app.command()(plan)
app.command()(rebalance)
app.command()(why)
app.command()(worksheet)
app.command()(fleet)
app.command()(verify)
app.command()(report)
app.command("import")(import_file)
app.command()(modules)
app.command()(health)
app.command()(batch)
app.command()(perf)
app.command()(events)
app.command()(execute)
app.command()(resume)
app.command()(runs)
app.command()(reconcile)
app.command()(arm)
app.command()(halt)
app.command("cancel-all")(cancel_all)
app.command()(flatten)
app.command()(runner)
app.command()(serve)
strategy.command("ab")(ab)
strategy.command("dry-run")(dry_run)
app.add_typer(strategy, name="strategy")
app.add_typer(bucket, name="bucket")
app.add_typer(plans, name="plans")
app.add_typer(watch, name="watch")
app.add_typer(db, name="db")
app.add_typer(token, name="token")
