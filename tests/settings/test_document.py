import pytest

from connector.settings.document import DocumentError, read_document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("1_000", 1000),
        ("012", "012"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("0x1f", "0x1f"),
        ("", None),
        ("~", None),
        ("null", None),
        ('"12"', "12"),
        ("12abc", "12abc"),
    ],
)
def test_scalars_are_what_they_look_like(text: str, value: object):
    assert read_document(f"key: {text}").data == {"key": value}


def test_key_given_twice_is_named_with_both_lines():
    with pytest.raises(DocumentError, match=r"^line 4: kafka\.topics is given twice, first on line 2$"):
        read_document("kafka:\n  topics: [a]\n  group_id: g\n  topics: [b]\n")


def test_same_key_in_two_sections_is_no_duplicate():
    assert read_document("a: {x: 1}\nb: {x: 2}").data == {"a": {"x": 1}, "b": {"x": 2}}


def test_lines_of_keys_and_items_are_known():
    lines = read_document("a:\n  b: 1\n  c:\n    - x\n    - y: 2\n").lines
    assert lines[("a", "b")] == 2
    assert lines[("a", "c", "[1]")] == 5
    assert lines[("a", "c", "[1]", "y")] == 5


def test_anchors_and_merges_work():
    assert read_document("a: &x {b: 1}\nc: {<<: *x, d: 2}").data == {"a": {"b": 1}, "c": {"b": 1, "d": 2}}


@pytest.mark.parametrize(
    "text",
    [
        "api_key: *planted",
        "api_key: !planted x",
        "api_key: 'planted",
        'api_key: "planted\\z"',
        "api_key: @planted",
        "api_key: planted\n  planted: planted: planted",
        "{planted",
        "planted: [planted\n}",
        "a: 1\n--- \nplanted: 2\n",
        "%YAML 3.0\n---\nplanted",
        "? [planted]\n: 1\n? {planted: 1}\n: 2",
    ],
)
def test_error_names_the_line_and_quotes_nothing(text: str):
    with pytest.raises(DocumentError, match=r"^line \d+, column \d+: not valid YAML") as caught:
        read_document(text)
    assert "planted" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_control_character_is_named_by_its_place():
    with pytest.raises(DocumentError, match="at position 5"):
        read_document("a: bc\x00")


def test_no_python_object_is_ever_made():
    with pytest.raises(DocumentError):
        read_document("a: !!python/object/apply:os.getcwd []")
