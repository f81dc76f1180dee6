"""One trace of an event's whole way, made by two commands that know nothing of each other."""

import json
import subprocess
from typing import Any

import pytest

from tests.parts.end_to_end.process import COMMAND, environment
from tests.parts.end_to_end.scene import Scene
from tests.parts.provision.jaeger import Jaeger

pytestmark = pytest.mark.parts

EVENT = {
    "type": "track",
    "messageId": "order-7",
    "userId": "42",
    "event": "Ordered",
    "properties": {"number": 7},
}


def spans_of(trace: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By name; the process span is that of the region's own group, the other's has filtered the record."""
    return {
        span["operationName"]: span
        for span in trace["spans"]
        if tags_of(span).get("cio_connector.outcome") != "filtered"
    }


def parent_of(span: dict[str, Any]) -> str | None:
    parents = [each["spanID"] for each in span["references"] if each["refType"] == "CHILD_OF"]
    return parents[0] if parents else None


def tags_of(span: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def test_publish_process_and_delivery_are_one_trace(scene: Scene, jaeger: Jaeger) -> None:
    services = {"publish": f"{scene.topic}-publisher", "run": f"{scene.topic}-connector"}
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_http, "OTEL_METRICS_EXPORTER": "none"}
    connector = scene.run(variables=exporting | {"OTEL_SERVICE_NAME": services["run"]})
    subprocess.run(
        [*COMMAND, "publish", "--config", str(scene.configuration())],
        input=json.dumps(EVENT).encode(),
        env=environment(**exporting, OTEL_SERVICE_NAME=services["publish"]),
        check=True,
        timeout=60,
    )
    scene.wait_until_committed()
    assert connector.stop() == 0

    names = {f"send {scene.topic}", f"process {scene.topic}", "POST /api/v2/batch"}

    def complete() -> list[dict[str, Any]]:
        return [trace for trace in jaeger.traces(services["publish"]) if spans_of(trace).keys() == names]

    scene.wait_until(lambda: len(complete()) == 1, "the trace is in Jaeger")
    (trace,) = complete()
    send, process, delivery = (
        spans_of(trace)[name]
        for name in (f"send {scene.topic}", f"process {scene.topic}", "POST /api/v2/batch")
    )
    assert (parent_of(process), parent_of(delivery)) == (send["spanID"], process["spanID"])
    told = {
        span["operationName"]: trace["processes"][span["processID"]]["serviceName"] for span in trace["spans"]
    }
    assert told[f"send {scene.topic}"] == services["publish"]
    assert told[f"process {scene.topic}"] == told["POST /api/v2/batch"] == services["run"]
    assert tags_of(process)["messaging.message.id"] == "order-7"
    assert tags_of(process)["cio_connector.outcome"] == "accepted"
    assert tags_of(delivery)["http.response.status_code"] == 200
    assert tags_of(delivery)["url.full"] == f"{scene.customerio.url('us')}/api/v2/batch"
