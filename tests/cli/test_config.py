import json
from pathlib import Path

import pytest
import yaml

from connector.cli.main import main
from connector.settings.schema import json_schema

FILE = """
kafka:
  bootstrap_servers: localhost:9092
  topics: [customer-events]
  properties: {sasl.password: planted-1}
regions:
  eu: {site_id: eu-site, api_key: planted-2}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    written = tmp_path / "connector.yaml"
    written.write_text(FILE)
    return str(written)


def test_show_prints_what_is_in_effect(
    file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CIO_DELIVERY__CONCURRENCY", "3")
    assert main(["config", "show", "--config", file]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["delivery"]["concurrency"] == 3
    assert shown["kafka"]["topics"] == ["customer-events"]
    assert shown["dead_letters"]["topic"] == "customer-events.dead-letters"
    assert shown["routing"]["default"] == "eu"
    assert shown["regions"]["eu"]["url"] == "https://track-eu.customer.io"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_show_hides_secrets(file: str, form: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["config", "show", "--config", file, *form]) == 0
    printed = capsys.readouterr().out
    assert "planted" not in printed
    assert "***" in printed
    assert "eu-site" in printed


def test_show_as_json_and_as_yaml_say_the_same(file: str, capsys: pytest.CaptureFixture[str]):
    main(["config", "show", "--config", file])
    as_yaml = yaml.safe_load(capsys.readouterr().out)
    main(["config", "show", "--config", file, "--json"])
    assert json.loads(capsys.readouterr().out) == as_yaml


def test_show_of_a_wrong_configuration_is_an_error(file: str, capsys: pytest.CaptureFixture[str]):
    Path(file).write_text("batch: {max_event: 1}")
    assert main(["config", "show", "--config", file]) == 2
    assert capsys.readouterr().err == (
        f"error: batch.max_event: unknown setting; did you mean batch.max_events? ({file}, line 1)\n"
    )


def test_several_problems_are_each_on_a_line(file: str, capsys: pytest.CaptureFixture[str]):
    Path(file).write_text("batch: {max_event: 1}\nlog: {level: 1}")
    assert main(["config", "show", "--config", file]) == 2
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "error: 2 problems in the configuration"
    assert [line.split(":")[0] for line in rest] == ["  batch.max_event", "  log.level"]


def test_show_needs_no_complete_configuration(capsys: pytest.CaptureFixture[str]):
    assert main(["config", "show"]) == 0
    assert "max_events" in capsys.readouterr().out


def test_show_says_where_no_file_was_read(
    file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CIO_CONFIG", raising=False)
    assert main(["config", "show", "--json"]) == 0
    shown = capsys.readouterr()
    assert "no file was read: neither --config nor CIO_CONFIG is given" in shown.err
    json.loads(shown.out)
    monkeypatch.setenv("CIO_CONFIG", file)
    assert main(["config", "show"]) == 0
    assert not capsys.readouterr().err


def test_schema_is_the_one_of_the_settings(capsys: pytest.CaptureFixture[str]):
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(json_schema()))
