"""What is kept between runs: strategies and their versions, buckets, plans, presets, events.

One database, SQLite in `$STEELYARD_HOME` or PostgreSQL by URL, through SQLAlchemy Core.
"""
