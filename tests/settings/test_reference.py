from pathlib import Path

import jsonschema
import pytest
import yaml

from connector.settings.model import Settings
from connector.settings.reference import REFERENCE_FILE, SCHEMA_FILE, main, reference, schema_text
from connector.settings.schema import json_schema
from connector.settings.tree import (
    description,
    dotted,
    environment_variable,
    fields,
    setting_paths,
    structure,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "text"), [(REFERENCE_FILE, reference()), (SCHEMA_FILE, schema_text())])
def test_committed_file_is_what_the_settings_say(name: str, text: str):
    assert (ROOT / name).read_text(encoding="utf-8") == text, "run: python -m connector.settings.reference"


def test_every_setting_and_its_variable_is_in_the_reference():
    text = reference()
    for path in setting_paths(("<name>",)):
        assert f"`{dotted(path)}`" in text
        assert f"`{environment_variable(path)}" in text


def test_every_setting_has_a_description():
    def check(section, path):
        assert section.__doc__, path
        for name, field in fields(section).items():
            inner = structure(field.type)
            if inner is not None:
                check(inner, (*path, name))
            elif (*path, name) != ("regions",):
                assert description(field.type), (*path, name)

    check(Settings, ())


def test_what_a_description_refers_to_is_explained():
    introduction, _, sections = reference().partition("## ")
    assert "the recipe's value" in sections
    assert "**The recipe's value**" in introduction


def test_files_are_written(capsys: pytest.CaptureFixture[str]):
    main()
    assert Path(REFERENCE_FILE).read_text() == reference()
    assert Path(SCHEMA_FILE).read_text() == schema_text()
    assert capsys.readouterr().out == f"wrote {REFERENCE_FILE}\nwrote {SCHEMA_FILE}\n"


def test_schema_is_valid_and_takes_the_example():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    example = yaml.safe_load((ROOT / "config/example.yaml").read_text())
    example["kafka"]["properties"] = {
        "client.id": "x",
        "socket.keepalive.enable": True,
        "fetch.wait.max.ms": 5,
    }
    jsonschema.validate(example, schema)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch": {"max_event": 1}},
        {"batch": {"max_events": 0}},
        {"regions": {"US": {}}},
        {"kafka": {"properties": {"a": []}}},
        {"nonsense": 1},
    ],
)
def test_schema_refuses_what_loading_refuses(wrong: dict[str, object]):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json_schema())
