"""What is due, and who is told: buckets that are planned by themselves, never executed.

In comes a store and a clock; out go plans, ticks and messages. The words:

    schedule   when a bucket is due: a text `[schedule]` a bucket, kept in the store
    tick       what came of a time at which it was due, or of a look at its bands
    breach     a holding, a class or cash outside its band
    channel    a way to tell somebody, set in `notify.toml`: smtp, webhook, apprise
    delivery   what came of telling a channel of a tick
    look       one round over all schedules; the scheduler looks again and again, one at a time

    schedule.py   the text, read and judged · days.py  which days count · due.py  when it is due
    look.py       what is due is planned and written down, once
    telling.py    who is still to be told is told, up to three times
    message.py    what they are told · channels/  how
    scheduler.py  one process looks, again and again · turn.py  its lease · desk.py  what it has
    board.py      what pages and commands show and change:

        rows(store, variables) -> list[Row]         every bucket: schedule, last tick, next due
        put(store, bucket, text, by) -> Schedule    of a TOML text
        put_schedule(store, bucket, schedule, by)   of a Schedule
        remove(store, bucket, by)                   its ticks stay
        mute(store, bucket, until or None, by)      nothing planned, nobody told until then
        ticks(store, bucket or None, most) -> list[Tick]    newest first
        channels(store, variables) -> (Way, …)      name and where, without secrets
        try_channel(store, variables, name or None)     a test message: {channel: None or error}

    `channels.change.put(home, name, values or None)` sets one table of `notify.toml` for an admin.
    `schedule.of_values({"every": …, "at": …})` reads the fields of a form; every refusal is a
    SettingsError, InputError or NotStored whose words a person can be shown. `turn.looking(store)`
    says who looks now. `Tick.deliveries` has what came of each channel, `message.why(tick)` and
    `message.in_words(breach)` say it. Times are UTC; `Schedule.where` is the zone of its own.
"""
