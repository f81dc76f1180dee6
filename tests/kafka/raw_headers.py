"""Produces headers whose names are any bytes, which confluent_kafka's producer cannot: by librdkafka itself."""

import ctypes
from pathlib import Path

import confluent_kafka
import pytest

_TOPIC, _PARTITION, _VALUE, _HEADERS, _END = 1, 3, 4, 10, 0
_FLAGS, _COPY = 7, 2


def produce_raw(
    bootstrap_servers: str, topic: str, value: bytes, headers: list[tuple[bytes, bytes | None]]
) -> None:
    """Puts one record on partition 0, acknowledged."""
    library = _library()
    failure = ctypes.create_string_buffer(512)
    configuration = library.rd_kafka_conf_new()
    for name, text in ((b"bootstrap.servers", bootstrap_servers.encode()), (b"log_level", b"0")):
        library.rd_kafka_conf_set(ctypes.c_void_p(configuration), name, text, failure, len(failure))
    producer = ctypes.c_void_p(library.rd_kafka_new(0, ctypes.c_void_p(configuration), failure, len(failure)))
    list_of_headers = ctypes.c_void_p(library.rd_kafka_headers_new(len(headers)))
    for header_name, header_value in headers:
        library.rd_kafka_header_add(
            list_of_headers,
            header_name,
            ctypes.c_ssize_t(len(header_name)),
            header_value,
            ctypes.c_ssize_t(len(header_value or b"")),
        )
    refused = library.rd_kafka_producev(
        producer,
        *(ctypes.c_int(_TOPIC), ctypes.c_char_p(topic.encode())),
        *(ctypes.c_int(_PARTITION), ctypes.c_int32(0)),
        *(ctypes.c_int(_FLAGS), ctypes.c_int(_COPY)),
        *(ctypes.c_int(_VALUE), ctypes.c_char_p(value), ctypes.c_size_t(len(value))),
        *(ctypes.c_int(_HEADERS), list_of_headers),
        ctypes.c_int(_END),
    )
    assert refused == 0
    assert library.rd_kafka_flush(producer, 10_000) == 0
    library.rd_kafka_destroy(producer)


def _library() -> ctypes.CDLL:
    packages = Path(confluent_kafka.__file__).parent.parent
    found = sorted(packages.glob("confluent_kafka.libs/librdkafka*"))
    if not found:
        pytest.skip("librdkafka does not come with confluent_kafka here")
    library = ctypes.CDLL(str(found[0]))
    for made in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
        getattr(library, made).restype = ctypes.c_void_p
    return library
