"""The settings in effect for a command, with a word more where a person has forgotten to name the file."""

import argparse
import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from connector.settings.consistency import Need
    from connector.settings.model import Settings


def settings_in_effect(arguments: argparse.Namespace, needs: "Collection[Need]") -> "Settings":
    """What `load_settings` gives. Raises ConfigurationError, which says so where no file was read."""
    from connector.settings.load import NO_FILE, file_in_effect, load_settings

    try:
        return load_settings(arguments.config, os.environ, needs=needs)
    except ConfigurationError as error:
        if file_in_effect(arguments.config, os.environ) is not None:
            raise
        head, *problems = error.what.split("\n")
        raise ConfigurationError("\n".join([f"{head} ({NO_FILE})", *problems]), error.fix) from None
