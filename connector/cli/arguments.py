"""Arguments that several commands take, and types of theirs."""

import argparse

from connector.settings.brokers import servers_wrong


def add_kafka(parser: argparse.ArgumentParser) -> None:
    """How Kafka is reached, over the settings: `bootstrap_servers` and `properties`."""
    parser.add_argument(
        "--bootstrap-servers",
        type=_bootstrap_servers,
        metavar="HOST:PORT",
        help="the brokers (default: kafka.bootstrap_servers)",
    )
    parser.add_argument(
        "-X",
        metavar="PROPERTY=VALUE",
        dest="properties",
        action="append",
        type=_librdkafka_property,
        default=[],
        help="a librdkafka property, over those of kafka.properties; may be repeated",
    )


def rate(text: str) -> float:
    """Records a second."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of records a second")
    return number


def _bootstrap_servers(text: str) -> str:
    """`HOST:PORT,...`."""
    wrong = servers_wrong(text)
    if wrong:
        raise argparse.ArgumentTypeError(wrong)
    return text


def _librdkafka_property(text: str) -> tuple[str, str]:
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
