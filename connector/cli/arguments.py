"""Types of arguments that several commands take."""

import argparse

from connector.settings.brokers import servers_wrong


def rate(text: str) -> float:
    """Records a second."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of records a second")
    return number


def bootstrap_servers(text: str) -> str:
    """`HOST:PORT,...`."""
    wrong = servers_wrong(text)
    if wrong:
        raise argparse.ArgumentTypeError(wrong)
    return text


def librdkafka_property(text: str) -> tuple[str, str]:
    """`PROPERTY=VALUE`."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form PROPERTY=VALUE")
    return name.strip(), value


def count(text: str) -> int:
    """A number from 0 on."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)
