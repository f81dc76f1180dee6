"""`python -m tests.parts.provision`: builds the parts, or starts one and names its address until Ctrl-C."""

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.parts.provision import helm, jaeger, kafka, kubernetes_schemas, prometheus
from tests.parts.provision.errors import BrokenPartError, MissingPartError
from tests.parts.provision.kafka import KafkaCluster
from tests.parts.provision.ports import require_free

BUILDS = {
    "kafka": kafka.jars,
    "jaeger": jaeger.executable,
    "helm": helm.executable,
    "kubeconform": helm.kubeconform,
    "schemas": kubernetes_schemas.folder,
    "promtool": prometheus.promtool,
}
_UNAVAILABLE = 69


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parts.provision", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="fetch and build what is not in the cache yet")
    build.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(BUILDS)}; none: all")
    start = commands.add_parser("kafka", help="start Apache Kafka")
    start.add_argument("--nodes", type=int, default=1)
    start.add_argument("--port", type=int, help="of the first node (default: any)")
    start.add_argument(
        "--topic", action="append", default=[], metavar="NAME:PARTITIONS", help="create a topic"
    )
    commands.add_parser("jaeger", help="start Jaeger")
    chosen = parser.parse_args(arguments)
    if unknown := set(getattr(chosen, "parts", ())) - BUILDS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    try:
        if chosen.command == "build":
            return _build(chosen.parts or list(BUILDS))
        if chosen.command == "kafka":
            if chosen.port is not None:
                require_free(chosen.port)
            running = _kafka(chosen.nodes, chosen.port, chosen.topic)
        else:
            running = _jaeger()
        with running as address:
            print(address, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        pass
    except (MissingPartError, BrokenPartError) as error:
        print(error, file=sys.stderr)
        return _UNAVAILABLE
    return 0


def _build(parts: list[str]) -> int:
    """Builds one after the other and goes on past what is missing, so that the rest can be tested."""
    missing = 0
    for part in parts:
        try:
            print(f"{part}: {BUILDS[part]()}", flush=True)
        except MissingPartError as error:
            print(f"{part}: {error}", file=sys.stderr, flush=True)
            missing += 1
    return _UNAVAILABLE if missing else 0


@contextmanager
def _kafka(nodes: int, port: int | None, topics: list[str]) -> Iterator[str]:
    with KafkaCluster(nodes=nodes, port=port) as cluster:
        for topic in topics:
            name, _, partitions = topic.partition(":")
            cluster.create_topic(name, partitions=int(partitions or 4))
        yield cluster.bootstrap_servers


@contextmanager
def _jaeger() -> Iterator[str]:
    with jaeger.Jaeger() as running:
        yield f"query {running.query_url} otlp-http {running.otlp_http} otlp-grpc {running.otlp_grpc}"


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:]))
