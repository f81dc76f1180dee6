"""What the pages say can be done can be done, and what they name is there."""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote
from urllib.request import Request, urlopen

import msgspec
import pytest
import yaml

from connector.cli.main import BROKEN_PIPE, COMMANDS, command_parser
from connector.errors import ExitCode
from connector.events.decode import Decoder
from connector.events.event import Event
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from connector.kafka.configuration import FETCH_WAIT_MS
from connector.settings.load import load_settings
from connector.settings.model import Settings
from connector.simulator import Fault, Simulator, SimulatorOptions, run_in_thread
from connector.simulator.console import _introduction

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
SIMULATOR = (ROOT / "docs" / "simulator.md").read_text()
PAGES = {
    str(page.relative_to(ROOT)): page.read_text()
    for page in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("helm/*/*.md"),
        *ROOT.glob("schemas/*.md"),
    ]
}
PLACES = {"SITE:KEY": "site:key", "connector.yaml": "config/example.yaml"}


def _anchors(page: str) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands(page: str) -> list[str]:
    """Whole lines of examples that run the connector."""
    return re.findall(r"^ *(?:\$ )?(?:\.venv/bin/)?cio-connector ([a-z]+ .*)$", page, re.MULTILINE)


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if "://" in target:
            continue
        file, _, anchor = unquote(target).partition("#")
        page = (ROOT / name).parent / file if file else ROOT / name
        assert page.exists(), target
        assert not anchor or anchor in _anchors(page.read_text()), target


@pytest.mark.parametrize("command", [line for page in PAGES.values() for line in _commands(page)])
def test_commands_can_be_given(command: str) -> None:
    arguments = [PLACES.get(word, word) for word in shlex.split(command, comments=True)]
    assert command_parser(arguments).parse_args(arguments).command


def test_the_readme_names_every_command() -> None:
    named = set(re.findall(r"(?:cio-connector|make) ([a-z]+)\b", README))
    assert COMMANDS.keys() - named == {"config"}


def test_make_knows_what_it_is_asked_for() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    modules = [*ROOT.glob("connector/**/*.py"), *ROOT.glob("bench/**/*.py"), *ROOT.glob("tests/**/*.py")]
    texts = [*PAGES.values(), *(module.read_text() for module in modules)]
    named = {target for text in texts for target in re.findall(r"(?:`|\$ )make ([a-z][a-z-]+)", text)}
    assert {"demo", "test", "test-all"} <= named <= targets


def test_exit_codes_are_those_there_are() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert documented == {*ExitCode, BROKEN_PIPE}


def test_the_readmes_configuration_is_enough(tmp_path: Path) -> None:
    (block,) = _blocks(README, "yaml")
    document = yaml.safe_load(block)
    for region in document["regions"].values():
        key = tmp_path / Path(region["api_key_file"]).name
        key.write_text("key")
        region["api_key_file"] = str(key)
    file = tmp_path / "connector.yaml"
    file.write_text(yaml.safe_dump(document))
    assert load_settings(file, {}).regions.keys() == {"us", "eu"}


def test_what_the_readme_tries_fits_together(tmp_path: Path) -> None:
    """The settings, what `make kafka` starts, and where the stand-in listens."""
    (written,) = re.findall(r"^\$ cat > try\.yaml <<'END'\n(.*?)^END$", README, re.MULTILINE | re.DOTALL)
    file = tmp_path / "try.yaml"
    file.write_text(written)
    settings = load_settings(file, {})
    (recipe,) = re.findall(r"provision kafka (.*)", (ROOT / "Makefile").read_text())
    words = recipe.split()
    given = [(name, value) for name, value in pairwise(words) if name in ("--port", "--topic")]
    port = settings.kafka.bootstrap_servers.partition(":")[2]
    topics = [*settings.kafka.topics, settings.dead_letters.topic]
    assert given == [("--port", port), *(("--topic", topic) for topic in topics)]
    simulator = command_parser(["simulate"]).parse_args(["simulate"])
    for name, region in settings.regions.items():
        assert region.api_key is not None
        assert region.url == f"http://localhost:{getattr(simulator, f'{name}_port')}"
        assert (region.site_id, region.api_key.reveal()) == getattr(simulator, f"{name}_credentials")
    (events,) = re.findall(r"publish --config try\.yaml --file (\S+)", README)
    assert (ROOT / events).is_file()


def test_the_readmes_events_are_events() -> None:
    decode = Decoder(EventOptions(), "identifier")
    (block,) = _blocks(README, "json")
    (published,) = re.findall(r"echo '(.*)'", README)
    decoded = [
        decode(StoredRecord("events", 0, 0, line.encode(), None, None, 0), "cluster", "")
        for line in [*block.splitlines(), published]
    ]
    assert all(isinstance(event, Event) for event in decoded)
    assert len(decoded) == 3


def test_values_that_the_readme_gives_are_the_defaults() -> None:
    settings = Settings()
    window = settings.dedup.events
    said = " ".join(README.split())
    assert f"({window.max_entries:,} ids, {window.ttl_seconds / 60:g} minutes)" in said
    assert f"an event alone is held back for {settings.batch.linger_ms + FETCH_WAIT_MS:g} ms at most" in said
    assert f"one of {settings.batch.max_events:,} events in a batch" in said
    assert f"are on port {settings.server.port}" in said


def test_how_long_the_broker_gathers_is_told_as_it_is() -> None:
    for page in ("docs/architecture.md", "docs/configuration.md"):
        assert f"up to {FETCH_WAIT_MS} ms" in PAGES[page]


def test_the_map_of_the_core_shows_every_module() -> None:
    _, _, rest = ARCHITECTURE.partition("## Inside the core")
    table, _, _ = rest.partition("\n## ")
    shown = set(re.findall(r"`(\w+\.py)`", table))
    modules = {module.name for module in (ROOT / "connector" / "core").glob("*.py")} - {"__init__.py"}
    assert shown == modules


def test_the_map_of_the_house_shows_every_room() -> None:
    shown = set(re.findall(r"^  (\w+)/ ", ARCHITECTURE, re.MULTILINE))
    rooms = {room.parent.name for room in (ROOT / "connector").glob("*/__init__.py")}
    assert shown == rooms


def test_the_stand_in_names_the_clients_that_its_page_names() -> None:
    with run_in_thread(SimulatorOptions(tls=True)) as simulator:
        said = _introduction(simulator).replace(str(simulator.port("us")), "9001").replace("'", '"')
    rows = re.findall(r"^\| `([a-z-]+)` \| `(\w+)=ca.pem` \| `(.*)` \|$", SIMULATOR, re.MULTILINE)
    assert len(rows) == 3
    for name, variable, client in rows:
        (line,) = [line for line in said.splitlines() if line.startswith(f"  {name} ")]
        assert line.split(maxsplit=2) == [name, f"{variable}=<it>", client]


def test_the_stand_ins_example_works() -> None:
    (example,) = re.findall(
        r"^(    from connector.simulator import.*?)^\S", SIMULATOR, re.MULTILINE | re.DOTALL
    )
    code = "\n".join(line.removeprefix("    ") for line in example.splitlines())
    assert code.count("    ...\n") == 1

    def send(simulator: Simulator) -> None:
        """As a client would: again until it is accepted."""
        item = {"type": "person", "action": "identify", "identifiers": {"id": "42"}}
        request = Request(
            f"{simulator.url('us')}/api/v2/entity",
            json.dumps(item).encode(),
            {"Content-Type": "application/json", "Authorization": "Basic dXMtc2l0ZTp1cy1rZXk="},
        )
        for _ in range(3):
            with pytest.raises(OSError, match="503"):
                urlopen(request)
        assert urlopen(request).status == 200

    exec(code.replace("    ...\n", "    send(simulator)\n"), {"send": send})


def test_the_stand_ins_fault_is_one() -> None:
    (fault,) = re.findall(r"^`(\{\"kind\".*\})`$", SIMULATOR, re.MULTILINE)
    assert msgspec.json.decode(fault, type=Fault).status == 429


def _incidents() -> dict[int, str]:
    """The page's row of each number."""
    page = PAGES["docs/incidents.md"]
    rows = re.findall(r"^\| (\d+) \| .* \|$", page, re.MULTILINE)
    lines = re.findall(r"^\| \d+ \| .* \|$", page, re.MULTILINE)
    assert len(set(rows)) == len(rows)
    return dict(zip(map(int, rows), lines, strict=True))


def test_incidents_and_their_tests_name_each_other() -> None:
    rows = _incidents()
    tests = [
        (str(module.relative_to(ROOT)), name)
        for module in ROOT.glob("tests/**/test_*.py")
        for name in re.findall(r"^(?:async )?def (test_incident_\d+_\w+)", module.read_text(), re.MULTILINE)
    ]
    assert tests
    shown = {
        (number, file, name)
        for number, row in rows.items()
        for file, names in re.findall(r"\[(tests/[\w/]+\.py)\]\([^)]*\): ((?:`test_\w+`(?:, )?)+)", row)
        for name in re.findall(r"`(test_\w+)`", names)
    }
    assert shown == {(int(name.split("_")[2]), file, name) for file, name in tests}
    assert {number for number, _, _ in shown} == rows.keys()
