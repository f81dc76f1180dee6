"""A region's credentials, given directly or in files."""

from pathlib import Path
from typing import NamedTuple

from connector.errors import ConfigurationError
from connector.settings.model import RegionSettings
from connector.settings.secret import Secret

FILE_BYTES_MAX = 4096


class Credentials(NamedTuple):
    """What Customer.io's Basic authentication takes."""

    site_id: str
    api_key: Secret


def read_credentials(region: str, settings: RegionSettings) -> Credentials:
    """The credentials as they are now: files are read anew each time. Raises ConfigurationError, whose
    message names the setting and the file and never what is in it."""
    site_id = _given_or_read(f"regions.{region}.site_id", settings.site_id, settings.site_id_file)
    api_key = settings.api_key.reveal() if settings.api_key is not None else None
    return Credentials(
        site_id, Secret(_given_or_read(f"regions.{region}.api_key", api_key, settings.api_key_file))
    )


def _given_or_read(setting: str, given: str | None, file: str | None) -> str:
    if given is not None and file is not None:
        raise ConfigurationError(f"{setting} and {setting}_file are both given", "Keep one")
    if file is not None:
        setting, given = f"{setting}_file", _read(f"{setting}_file", file)
    if given is None:
        raise ConfigurationError(
            f"{setting} is missing", f"Set it, or {setting}_file to a file that holds it"
        )
    value = given.strip()
    if not value:
        raise ConfigurationError(f"{setting} is empty", "Put the value there")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigurationError(
            f"{setting} holds spaces or characters that no credential has", "Copy it again"
        )
    return value


def _read(setting: str, file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise ConfigurationError(
                f"{setting}: {file} is too large for a credential", "Name the right file"
            )
        return content.decode()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{setting}: {file} is not text", "Name the right file") from None
    except OSError as error:
        raise ConfigurationError(
            f"{setting}: cannot read {file}: {error.strerror}", "Mend the path or its permissions"
        ) from None
