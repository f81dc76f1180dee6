"""A person's own routing function is found, or the error says why not."""

import pytest

from connector.errors import ConfigurationError
from connector.pipeline.routing_function import load_routing_function


def test_no_name_is_no_function() -> None:
    assert load_routing_function(None) is None


def test_a_function_is_found_by_its_import_path() -> None:
    assert load_routing_function("json:loads") is not None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_such_module:route", "cannot be imported"),
        ("json:no_such_function", "cannot be imported"),
        ("json:__name__", "not callable"),
        ("nobody-declared-this", "no entry point"),
    ],
)
def test_a_function_that_cannot_be_had_is_one_clear_line(name: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load_routing_function(name)
