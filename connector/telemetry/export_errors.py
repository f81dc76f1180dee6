"""What OpenTelemetry's exporters say of a collector that takes nothing, in one line that a person can use."""

import logging
import re

_LOGGERS = ("opentelemetry.exporter.", "opentelemetry.sdk.")
_ENDING = ("Shutdown in progress", "Exporter already shutdown", "OTLP client already shutdown")
_CAUSES = (
    re.compile(r"\[Errno -?\d+\] (?P<cause>[A-Za-z ,]+)"),
    re.compile(r"(?P<cause>timed out|timeout|certificate verify failed|Name or service not known)"),
    re.compile(r"StatusCode\.(?P<cause>[A-Z_]+)"),
    re.compile(r"code: (?P<cause>\d+, reason: [\w -]+)"),
    re.compile(r"Transient error (?P<cause>[\w -]{1,60}) encountered"),
)
_PLACE = re.compile(r"host='(?P<host>[\w.:-]+)', port=(?P<port>\d+)")


class ExportErrors(logging.Filter):
    """Puts such lines into our words, as warnings: nothing but spans and metrics is lost by it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(_LOGGERS) or record.levelno < logging.WARNING:
            return True
        said = record.getMessage()
        if said.startswith(_ENDING):
            return False
        if "export" not in said.lower():
            return True
        place = _PLACE.search(said)
        at = f" at {place['host']}:{place['port']}" if place else ""
        record.msg = f"the collector{at} does not take {_signal(record, said)}: {_cause(said)}"
        record.args = ()
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def _signal(record: logging.LogRecord, said: str) -> str:
    for word, signal in (("metric", "metrics"), ("span", "spans"), ("trace", "spans")):
        if word in said.lower() or word in record.name:
            return signal
    return "what is exported"


def _cause(said: str) -> str:
    for pattern in _CAUSES:
        if found := pattern.search(said):
            return found["cause"].strip()
    return "see OTEL_EXPORTER_OTLP_ENDPOINT"
