import pytest

from connector.kafka.person_key import Published, published


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'{"type":"person","identifiers":{"id":"42"},"action":"identify"}', b"42"),
        (b'{"type":"person","identifiers":{"id":42},"action":"identify"}', b"42"),
        (b'{"type":"person","identifiers":{"email":"a@b.c"}}', b"a@b.c"),
        (b'{"type":"person","identifiers":{"cio_id":"a1"}}', b"a1"),
        (b'{"type":"person","action":"merge","primary":{"id":"1"},"secondary":{"id":"2"}}', b"1"),
        (b'{"type":"object","identifiers":{"object_type_id":"1","object_id":"acme"}}', b"acme"),
        (b'{"type":"track","userId":"u","anonymousId":"a"}', b"u"),
        (b'{"type":"track","userId":"","anonymousId":"a"}', b"a"),
        (b'{"type":"identify","traits":{"email":"a@b.c"}}', b"a@b.c"),
        (b'{"type":"track","context":{"traits":{"email":"c@b.c"}}}', b"c@b.c"),
        ('{"type":"track","userId":"é"}'.encode(), "é".encode()),
        (b'{"type":"track"}', None),
        (b'{"identifiers":"nonsense"}', None),
        (b'{"userId":{"deep":1}}', None),
        (b'{"userId":true}', None),
        (b"{broken", None),
        (b"[]", None),
        (b"", None),
        (None, None),
    ],
)
def test_key_is_the_persons_identifier(value: bytes | None, key: bytes | None) -> None:
    assert published(value).key == key


def test_event_id_of_both_vocabularies() -> None:
    assert published(b'{"event_id":"e","id":"i"}').event_id == "e"
    assert published(b'{"messageId":"m"}') == Published(None, "m")
    assert published(b'{"id":"i"}').event_id == "i"
