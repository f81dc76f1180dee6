"""Hostile records through decoder, routing and core, against the stand-in's judgement.

`case.py` is what is played and how it is kept in `corpus/`, `generation.py` makes cases, `play.py` plays one and says
what must hold. `python -m tests.fuzz SECONDS` looks for new ones.
"""
