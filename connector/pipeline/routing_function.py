"""Finds a person's own routing function."""

import importlib
from importlib.metadata import entry_points
from typing import cast

from connector.core.routing import Route
from connector.errors import ConfigurationError

ENTRY_POINT_GROUP = "cio_connector.routing"


def load_routing_function(name: str | None) -> Route | None:
    """`package.module:name`, or the name of an entry point. Raises ConfigurationError where it cannot be had."""
    if name is None:
        return None
    try:
        found = _import(name) if ":" in name else _entry_point(name)
    except ConfigurationError:
        raise
    except Exception as error:  # a module may raise anything when it is imported
        raise ConfigurationError(
            f"routing.function: {name} cannot be imported: {type(error).__name__}: {error}",
            "Install its package beside the connector and check the spelling",
        ) from error
    if not callable(found):
        raise ConfigurationError(f"routing.function: {name} is not callable", "Name a function")
    return cast(Route, found)


def _import(name: str) -> object:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _entry_point(name: str) -> object:
    found = entry_points(group=ENTRY_POINT_GROUP, name=name)
    if not found:
        raise ConfigurationError(
            f"routing.function: there is no entry point {name} in the group {ENTRY_POINT_GROUP}",
            "Install the package that declares it, or write package.module:name",
        )
    return next(iter(found)).load()
