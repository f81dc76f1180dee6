"""librdkafka's own properties, passed through, and which of them hold secrets."""

import re

from connector.settings.secret import HIDDEN

_SECRET_WORDS = re.compile(r"passw|passphrase|secret|token|credential|\.key(\.|$)|jaas|oauthbearer\.config")
_SECURITY_PREFIXES = ("sasl.", "ssl.")
_SECURITY_SHOWN = frozenset(
    {
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.username",
        "sasl.kerberos.service.name",
        "sasl.kerberos.principal",
        "sasl.kerberos.keytab",
        "sasl.kerberos.min.time.before.relogin",
        "sasl.oauthbearer.method",
        "sasl.oauthbearer.scope",
        "sasl.oauthbearer.client.id",
        "sasl.oauthbearer.grant.type",
        "ssl.cipher.suites",
        "ssl.curves.list",
        "ssl.sigalgs.list",
        "ssl.endpoint.identification.algorithm",
        "ssl.providers",
        "ssl.ca.certificate.stores",
    }
)
_PATH_SUFFIXES = (".location", ".file", ".path")
_URL_USER = re.compile(r"(?<=://)[^/]*@")
"""Up to the last @ before a path, as clients read it: a password may hold others, and spaces."""


class Properties(dict[str, str]):
    """librdkafka properties by name. Its `repr` hides the secret ones."""

    def __repr__(self) -> str:
        return f"Properties({self.redacted()!r})"

    def redacted(self) -> dict[str, str]:
        """The same with secrets replaced by `***`."""
        return {name: HIDDEN if holds_secret(name) else redacted_url(value) for name, value in self.items()}


def holds_secret(name: str) -> bool:
    """Whether a property's value must not be shown. Within `sasl.` and `ssl.` anything unknown is taken for a
    secret, so that a mistyped `sasl.passwrd` stays hidden as well."""
    name = name.lower()
    if name.endswith(_PATH_SUFFIXES) or name in _SECURITY_SHOWN:
        return False
    if name.endswith(".url"):
        return False
    return name.startswith(_SECURITY_PREFIXES) or _SECRET_WORDS.search(name) is not None


def redacted_url(text: str) -> str:
    """The text with the user and password of any URL in it replaced by `***`."""
    return _URL_USER.sub(f"{HIDDEN}@", text)
