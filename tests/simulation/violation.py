"""A broken promise: what every check raises."""


class Violation(Exception):  # noqa: N818 - it is the subject's fault, not an error of the simulation
    """One of the connector's promises does not hold."""
