"""Jaeger with its traces in memory: takes OTLP, answers what it has received."""

import json
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.parts.provision.cache import cached, run
from tests.parts.provision.errors import require
from tests.parts.provision.ports import free_ports
from tests.parts.provision.process import Process

VERSION = "1.76.0"
_START_SECONDS = 30
_PACKAGE = "github.com/jaegertracing/jaeger/cmd/jaeger"


def executable() -> Path:
    """The program, built with Go when it is not in the cache yet."""

    def build(folder: Path) -> None:
        require("Jaeger", "go")
        source = Path(tempfile.mkdtemp(prefix="jaeger-"))
        try:
            (source / "go.mod").write_text("module parts\n\ngo 1.25.0\n")
            run(["go", "get", "-tool", f"{_PACKAGE}@v{VERSION}"], source)
            run(["go", "build", "-ldflags", "-s -w", "-o", str(folder / "jaeger"), _PACKAGE], source)
        finally:
            shutil.rmtree(source, ignore_errors=True)

    return cached("jaeger", VERSION, build, seconds_cold=240) / "jaeger"


class Jaeger(AbstractContextManager["Jaeger"]):
    """One process on loopback. `otlp_http`, `otlp_grpc`: what `OTEL_EXPORTER_OTLP_ENDPOINT` may be set to."""

    def __init__(self) -> None:
        query, query_grpc, grpc, http = free_ports(4)
        self.query_url = f"http://127.0.0.1:{query}"
        self.otlp_http = f"http://127.0.0.1:{http}"
        self.otlp_grpc = f"http://127.0.0.1:{grpc}"
        self._folder = Path(tempfile.mkdtemp(prefix="jaeger-"))
        configuration = self._folder / "jaeger.json"
        configuration.write_text(json.dumps(_configuration(query, query_grpc, grpc, http)))
        # JSON is YAML.
        command = [str(executable()), "--config", str(configuration)]
        self.process = Process("Jaeger", command, self._folder / "jaeger.log")

    def services(self) -> list[str]:
        """The services that have sent spans."""
        return sorted(self._get("/api/services") or [])

    def traces(self, service: str, **query: str) -> list[dict[str, Any]]:
        """Traces with a span of `service`, newest first, each with its `spans` and `processes`."""
        parameters = urllib.parse.urlencode({"service": service, "limit": "1000", **query})
        return list(self._get(f"/api/traces?{parameters}") or [])

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        """One trace by its id in hexadecimal; None as long as nothing of it has arrived."""
        try:
            found = self._get(f"/api/traces/{trace_id}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        return dict(found[0]) if found else None

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.query_url + path, timeout=10) as answer:
            return json.load(answer)["data"]

    def _answers(self) -> bool:
        try:
            self.services()
        except OSError:
            return False
        return True

    def __enter__(self) -> "Jaeger":
        self.process.start()
        try:
            self.process.wait_until(self._answers, _START_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        # Its traces are in memory, and in order it would take ten seconds.
        self.process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _configuration(query: int, query_grpc: int, grpc: int, http: int) -> dict[str, Any]:
    def endpoint(port: int) -> dict[str, str]:
        return {"endpoint": f"127.0.0.1:{port}"}

    return {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
            "telemetry": {"metrics": {"level": "none"}},
        },
        "extensions": {
            "jaeger_query": {
                "storage": {"traces": "memory"},
                "http": endpoint(query),
                "grpc": endpoint(query_grpc),
            },
            "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 10_000}}}},
        },
        "receivers": {"otlp": {"protocols": {"grpc": endpoint(grpc), "http": endpoint(http)}}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
    }
