"""librdkafka's own properties, passed through, and which of them hold secrets."""

import re

from connector.settings.secret import HIDDEN

SECRET = re.compile(
    r"^(sasl|ssl)\.|passw|passphrase|secret|token|credential|\.key(\.|$)|jaas|oauthbearer\.config"
)
"""Finds names, in lower case, whose values are hidden unless `SHOWN` finds them too. helm/generate.py hands both to the
chart: nothing in them but what Go's regular expressions know."""
_SECURITY_SHOWN = (
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
    "ssl.ca.pem",
    "ssl.cipher.suites",
    "ssl.curves.list",
    "ssl.sigalgs.list",
    "ssl.endpoint.identification.algorithm",
    "ssl.providers",
    "ssl.ca.certificate.stores",
)
SHOWN = re.compile(rf"\.(location|file|path|url)$|^({'|'.join(map(re.escape, _SECURITY_SHOWN))})$")
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
    return SECRET.search(name) is not None and SHOWN.search(name) is None


def redacted_url(text: str) -> str:
    """The text with the user and password of any URL in it replaced by `***`."""
    return _URL_USER.sub(f"{HIDDEN}@", text)
