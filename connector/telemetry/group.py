"""One consumer group's telemetry: what the pipeline tells becomes spans, measures and log lines."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence

from opentelemetry.trace import Span, Tracer

from connector.core.answers import Answer
from connector.core.effects import (
    Commit,
    Dropped,
    Ended,
    Noted,
    Outcome,
    PartitionStopped,
    RegionChanged,
    RegionState,
    Send,
    TopicPartition,
    Trace,
)
from connector.core.inputs import CommitFailure, Snapshot
from connector.events.record import Record
from connector.telemetry.activity import Activity
from connector.telemetry.endpoint import Endpoint
from connector.telemetry.outcome import request_outcome
from connector.telemetry.request_metrics import RequestMetrics
from connector.telemetry.sampling import RecordSampler, SpanBudget
from connector.telemetry.spans import (
    ProcessSpans,
    RequestSpans,
    end_dropped_span,
    end_process_span,
    end_request_span,
    record_commit_span,
)

logger = logging.getLogger("connector")


class GroupTelemetry:
    """Implements `interface.Telemetry`. `tracer` is None where no spans are exported: then none are made."""

    def __init__(
        self,
        group: str,
        serves: Collection[str],
        tracer: Tracer | None,
        budget: SpanBudget,
        share: float,
        endpoints: Mapping[str, Endpoint],
        metrics: RequestMetrics,
        monotonic: Callable[[], float],
    ) -> None:
        self.consumed_records = 0
        """Records taken from Kafka, read when metrics are collected."""
        self._group = group
        self._serves = serves
        self._activity = Activity(group, monotonic)
        self._tracer = tracer
        self._budget = budget
        self._metrics = metrics
        self._process_spans = ProcessSpans(tracer, group, RecordSampler(budget, share)) if tracer else None
        self._request_spans = RequestSpans(tracer, endpoints) if tracer else None

    def traces_for(self, records: Sequence[Record]) -> Mapping[int, Trace] | None:
        self.consumed_records += len(records)
        if self._process_spans is None or not self._budget.is_left():
            return None
        return self._process_spans.begin(records)

    def request_started(self, send: Send) -> object:
        return self._request_spans.begin(send) if self._request_spans is not None else None

    def request_finished(self, token: object, send: Send, answer: Answer, seconds: float) -> None:
        self._metrics.record(send, answer, seconds)
        self._activity.request_finished(send.region, answer)
        outcome = request_outcome(answer)
        if outcome.error_type is not None and logger.isEnabledFor(logging.DEBUG):
            fields = {
                "region": send.region,
                "path": send.path,
                "attempt": send.attempt,
                "error_type": outcome.error_type,
            }
            logger.debug("a request failed", extra={"fields": fields, "span": token})
        if isinstance(token, Span):
            end_request_span(token, answer)

    def ended(self, ended: Ended) -> None:
        if not isinstance(ended.trace, Span):
            return
        if ended.outcome is Outcome.FILTERED and ended.region not in self._serves:
            # Another group's, whose span tells of it. One that never ends is never exported.
            self._budget.give_back()
        else:
            end_process_span(ended.trace, ended)

    def dropped(self, dropped: Dropped) -> None:
        if isinstance(dropped.trace, Span):
            end_dropped_span(dropped.trace)

    def committed(self, commit: Commit, failures: Sequence[CommitFailure], seconds: float) -> None:
        if self._tracer is not None:
            record_commit_span(self._tracer, self._group, commit, failures, seconds)

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        self._activity.assigned(partitions)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        self._activity.revoked(partitions)

    def looked(self, snapshot: Snapshot, last: bool = False) -> None:
        self._activity.looked(snapshot, last)

    def noted(self, noted: Noted) -> None:
        level = logging.getLevelNamesMapping().get(noted.level.upper(), logging.WARNING)
        logger.log(level, noted.message, extra={"fields": {"group": self._group}})

    def region_changed(self, changed: RegionChanged) -> None:
        healthy = changed.state is RegionState.HEALTHY
        fields = {
            "region": changed.region,
            "operation": changed.operation,
            "state": changed.state.value,
            "detail": changed.detail,
            "group": self._group,
        }
        level = logging.INFO if healthy else logging.WARNING
        logger.log(level, f"region {changed.region} is {changed.state.value}", extra={"fields": fields})

    def partition_stopped(self, stopped: PartitionStopped) -> None:
        topic, partition = stopped.partition
        fields = {
            "topic": topic,
            "partition": partition,
            "offset": stopped.offset,
            "detail": stopped.detail,
            "group": self._group,
        }
        logger.error(
            f"partition {topic}-{partition} is stopped: too many dead letters", extra={"fields": fields}
        )
