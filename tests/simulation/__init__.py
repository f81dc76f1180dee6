"""The whole in virtual time, from one seed: `python -m tests.simulation SEED` replays a run and tells what happened.

The real core and the real decoder work against a simulated Kafka (`kafka.py`, `group.py`), a simulated Customer.io
(`customerio.py`) and a simulated dead-letter topic (`dead_letters.py`); `member.py` stands for the shells around a
core. `scenario.py` draws sizes, options and faults from the seed, `publisher.py` what is published. `truth.py` knows
what really became of every record, and `checks/` hold every step against it.
"""
