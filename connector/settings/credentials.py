"""A region's credentials, given directly or in files."""

from pathlib import Path as FilePath
from typing import NamedTuple

from connector.errors import ConfigurationError
from connector.settings.model import RegionSettings
from connector.settings.secret import Secret
from connector.settings.tree import Path, dotted

FILE_BYTES_MAX = 4096


class Credentials(NamedTuple):
    """What Customer.io's Basic authentication takes."""

    site_id: str
    api_key: Secret


class CredentialError(ConfigurationError):
    """One of them cannot be used. The message names the setting and the file and never what is in it."""

    def __init__(self, path: Path, said: str) -> None:
        self.path = path
        self.said = said
        super().__init__(f"{dotted(path)}: {said}")


def read_credentials(region: str, settings: RegionSettings) -> Credentials:
    """The credentials as they are now: files are read anew each time. Raises CredentialError."""
    path = ("regions", region)
    api_key = settings.api_key.reveal() if settings.api_key is not None else None
    return Credentials(
        _given_or_read((*path, "site_id"), settings.site_id, settings.site_id_file),
        Secret(_given_or_read((*path, "api_key"), api_key, settings.api_key_file)),
    )


def _given_or_read(path: Path, given: str | None, file: str | None) -> str:
    *above, name = path
    path_of_file = (*above, f"{name}_file")
    if given is not None and file is not None:
        raise CredentialError(path, f"is given, and {dotted(path_of_file)} as well. Keep one")
    if file is not None:
        path, given = path_of_file, _read(path_of_file, file)
    if given is None:
        raise CredentialError(path, f"is missing. Set it, or {dotted(path_of_file)} to a file that holds it")
    value = given.strip()
    if not value:
        raise CredentialError(path, "is empty. Put the value there")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise CredentialError(path, "holds spaces or characters that no credential has. Copy it again")
    return value


def _read(path: Path, file: str) -> str:
    try:
        with FilePath(file).open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise CredentialError(path, f"{file} is too large for a credential. Name the right file")
        return content.decode()
    except UnicodeDecodeError:
        raise CredentialError(path, f"{file} is not text. Name the right file") from None
    except OSError as error:
        raise CredentialError(
            path, f"cannot read {file}: {error.strerror}. Mend the path or its permissions"
        ) from None
