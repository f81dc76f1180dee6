"""One run of the demo: start the parts, publish, wait until the connector has done its work, stop it, take stock."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import msgspec
from confluent_kafka import KafkaException

from connector.demo.accounting import Account, account
from connector.demo.configuration import DEAD_LETTER_TOPIC, TOPIC, connector_configuration, group_ids
from connector.demo.connector_process import ConnectorProcess
from connector.demo.embedded_kafka import EmbeddedKafka, TopicReader
from connector.demo.evidence import DeadLetter, Evidence
from connector.demo.expectations import acceptances, dead_letter, publications
from connector.demo.faults import ALL_ALONG, OUTAGE
from connector.demo.people import PARTITIONS
from connector.demo.publishing import Pace, TrafficPublisher
from connector.demo.traffic import traffic
from connector.errors import ConnectorError, ExitCode, UnavailableError
from connector.simulator import Simulator, SimulatorOptions, run_in_thread

LOOK_SECONDS = 0.2
"""How often progress is looked at."""
START_SECONDS = 60.0
STOP_SECONDS = 40.0
"""From SIGTERM to the connector's end: longer than its own deadline."""
STALL_SECONDS = 30.0
"""Without any progress for so long nothing more is waited for."""
_IDLE_SECONDS = 0.01
_READ_SECONDS = 15.0


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may choose."""

    events: int = 20_000
    rate: float | None = None
    """Records a second; None: as fast as the embedded Kafka permits."""
    seed: int = 1
    faults: bool = False


class Progress(NamedTuple):
    """How far it is."""

    doing: str
    events: int
    """Records to publish in all."""
    published: int
    operations: int
    """Those that Customer.io has accepted: some events are two."""
    dead_lettered: int
    committed: int
    """Records that every group has passed."""
    seconds: float
    """Since the first record."""


class Result(NamedTuple):
    """What came of it."""

    account: Account
    seconds: float
    """From the first record to the last acceptance."""
    requests_spoiled: int
    """Requests that an injected fault struck."""

    @property
    def events_per_second(self) -> float:
        return self.account.published / self.seconds if self.seconds > 0 else 0.0


class DemoError(ConnectorError):
    """The demo could not come to its end."""

    exit_code = ExitCode.CHECK_FAILED


class _StalledError(Exception):
    """Nothing more is to be expected. What has come about is looked at all the same."""


def run_demo(
    options: DemoOptions,
    show: Callable[[Progress], None],
    check_interrupted: Callable[[], None] = lambda: None,
) -> Result:
    """Run it. `check_interrupted` is called often, and raises what is to end it. Raises ConnectorError if a part does
    not start or the connector ends by itself."""
    show(Progress("starting", options.events, 0, 0, 0, 0, 0.0))
    with ExitStack() as stack:
        kafka = stack.enter_context(EmbeddedKafka((TOPIC, DEAD_LETTER_TOPIC)))
        customerio = stack.enter_context(run_in_thread(SimulatorOptions(seed=options.seed)))
        dead_letters = TopicReader(kafka, DEAD_LETTER_TOPIC)
        stack.callback(dead_letters.close)
        configuration = connector_configuration(kafka.bootstrap_servers, customerio)
        connector = ConnectorProcess(configuration)
        stack.callback(connector.close)
        connector.start()
        try:
            return _Run(options, show, check_interrupted, kafka, customerio, dead_letters, connector).result()
        except KafkaException as exception:
            raise UnavailableError(f"the embedded Kafka fails: {exception.args[0].str()}") from None


class _Run:
    def __init__(
        self,
        options: DemoOptions,
        show: Callable[[Progress], None],
        check_interrupted: Callable[[], None],
        kafka: EmbeddedKafka,
        customerio: Simulator,
        dead_letters: TopicReader,
        connector: ConnectorProcess,
    ) -> None:
        self._options = options
        self._show = show
        self._check_interrupted = check_interrupted
        self._kafka = kafka
        self._customerio = customerio
        self._dead_letters = dead_letters
        self._connector = connector
        self._groups = group_ids(customerio)
        self._publisher = TrafficPublisher(kafka, TOPIC)
        self._pace = Pace(options.rate)
        self._letters: list[DeadLetter] = []
        self._began_at = 0.0
        self._looked_at = 0.0
        self._progress = Progress("starting", options.events, 0, 0, 0, 0, 0.0)
        self._moved_at = time.monotonic()

    def result(self) -> Result:
        self._wait_until_reading()
        self._began_at = self._moved_at = time.monotonic()
        complaints: list[str] = []
        try:
            self._publish()
            self._wait_until_committed()
        except _StalledError as stalled:
            complaints.append(str(stalled))
            self._publisher.flush(_READ_SECONDS)
        complaints += self._stop()
        complaints += self._read_dead_letters()
        return self._take_stock(complaints)

    # ---- the phases ----

    def _wait_until_reading(self) -> None:
        """The connector commits where it begins as soon as it has partitions."""
        deadline = time.monotonic() + START_SECONDS
        while any(len(self._kafka.committed(group, TOPIC)) < PARTITIONS for group in self._groups):
            self._check_interrupted()
            self._require_connector()
            if time.monotonic() > deadline:
                raise DemoError(
                    f"the connector has not begun to read after {START_SECONDS:g} s", self._said()
                )
            time.sleep(_IDLE_SECONDS)

    def _publish(self) -> None:
        if self._options.faults:
            for fault in ALL_ALONG:
                self._customerio.inject(fault)
        for number, record in enumerate(traffic(self._options.seed, self._options.events, int(time.time()))):
            while not self._pace.is_due(time.monotonic()):
                self._turn("publishing", _IDLE_SECONDS)
                self._moved_at = time.monotonic()
            while not (self._pace.has_room(record) and self._publisher.publish(record)):
                self._turn("publishing", _IDLE_SECONDS)
            self._pace.sent(record)
            if number % 100 == 0:
                self._turn("publishing")
            if self._options.faults and number == self._options.events // 3:
                self._customerio.inject(OUTAGE)
        self._publisher.flush(_READ_SECONDS)

    def _wait_until_committed(self) -> None:
        while self._progress.committed < len(self._publisher.published):
            self._turn("delivering", LOOK_SECONDS / 2)

    def _stop(self) -> Iterator[str]:
        self._tell("stopping")
        self._connector.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        while (code := self._connector.exit_code) is None and time.monotonic() < deadline:
            self._check_interrupted()
            time.sleep(_IDLE_SECONDS)
        if code != ExitCode.DONE:
            yield f"the connector did not stop cleanly: {_ended(code)}"

    def _read_dead_letters(self) -> Iterator[str]:
        self._tell("checking")
        ends = self._kafka.ends(DEAD_LETTER_TOPIC)
        deadline = time.monotonic() + _READ_SECONDS
        while not self._dead_letters.is_at(ends):
            self._check_interrupted()
            self._take_letters(LOOK_SECONDS)
            if time.monotonic() > deadline:
                yield f"the dead letters could not be read to their end within {_READ_SECONDS:g} s"
                return

    def _take_stock(self, complaints: list[str]) -> Result:
        workspaces = self._customerio.workspaces.values()
        evidence = Evidence(
            list(publications(self._publisher.published, TOPIC, self._kafka.cluster_id)),
            list(acceptances(workspaces)),
            self._letters,
            self._kafka.ends(TOPIC),
            {group: self._kafka.committed(group, TOPIC) for group in self._groups},
            ignored=sum(workspace.counts.operations_duplicate for workspace in workspaces),
            ignored_wrongly=sum(workspace.counts.operations_conflicting for workspace in workspaces),
        )
        found = account(evidence, answers_were_lost=self._options.faults)
        invalid = [violation for violation in self._customerio.violations.kept if not violation.in_attributes]
        if invalid:
            complaints.append(
                f"broke a rule of Customer.io's API: {len(invalid)}; the first: {invalid[0].request} "
                f"{invalid[0].action} {invalid[0].field} {invalid[0].message}"
            )
        last = max(
            (workspace.operations[-1].received_at for workspace in workspaces if workspace.operations),
            default=time.monotonic(),
        )
        return Result(
            msgspec.structs.replace(found, complaints=(*found.complaints, *complaints)),
            last - self._began_at,
            sum(workspace.counts.requests_faulted for workspace in workspaces),
        )

    # ---- meanwhile ----

    def _turn(self, doing: str, wait_seconds: float = 0.0) -> None:
        """Take acknowledgements, and look around when it is time. Raises _StalledError if that is of no use."""
        self._check_interrupted()
        self._publisher.poll(wait_seconds)
        if time.monotonic() - self._moved_at > STALL_SECONDS:
            what = f"nothing moved for {STALL_SECONDS:g} s"
            raise _StalledError("; ".join([what, *self._connector.warnings()]))
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._look(doing)
            self._looked_at = time.monotonic()

    def _look(self, doing: str) -> None:
        self._require_connector()
        self._take_letters()
        committed = [self._kafka.committed(group, TOPIC) for group in self._groups]
        passed = {
            partition: min(offsets.get(partition, 0) for offsets in committed)
            for partition in range(PARTITIONS)
        }
        self._pace.committed(passed)
        before = self._progress
        self._progress = Progress(
            doing,
            self._options.events,
            len(self._publisher.published),
            sum(workspace.counts.operations_accepted for workspace in self._customerio.workspaces.values()),
            len(self._letters),
            sum(passed.values()),
            time.monotonic() - self._began_at,
        )
        if self._progress._replace(doing=before.doing, seconds=before.seconds) != before:
            self._moved_at = time.monotonic()
        self._show(self._progress)

    def _tell(self, doing: str) -> None:
        self._progress = self._progress._replace(doing=doing)
        self._show(self._progress)

    def _take_letters(self, timeout_seconds: float = 0.0) -> None:
        self._letters += map(dead_letter, self._dead_letters.take(timeout_seconds))

    def _require_connector(self) -> None:
        code = self._connector.exit_code
        if code is not None:
            raise DemoError(f"the connector has ended by itself with {_ended(code)}", self._said())

    def _said(self) -> str:
        return "\n  ".join(["Its last words:", *self._connector.last_words()])


def _ended(code: int | None) -> str:
    return "it is still running" if code is None else f"exit code {code}"
