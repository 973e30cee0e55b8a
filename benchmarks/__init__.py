"""What the site costs, each time beside a baseline measured in the same run: only ratios mean anything.

One module per benchmark with `run(*, seconds, rounds, size) -> dict`; `manage.py bench NAME` makes a database for it
and drops it afterwards. `serving` starts servers and drives them, `town` fills the database, `bare` is the plain Django
view that pages are compared with.
"""
