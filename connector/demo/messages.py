"""What is said about people, visitors and companies: each message in one of the two vocabularies, by chance.

A message holds neither its event id nor its region: those are added to it in `traffic`.
"""

import random
from datetime import UTC, datetime
from typing import Any

from connector.demo.people import Subject

Message = dict[str, Any]

_PAGES = ("pricing", "docs/getting-started", "blog/launch", "account", "checkout", "careers")
_SCREENS = ("Home", "Search", "Basket", "Profile")
_PRODUCTS = ("Notebook", "Teapot", "Läufer", "Desk lamp", "折り紙")
_PLANS = ("free", "team", "business")
_COUNTRIES = {"us": ("US", "CA", "MX"), "eu": ("DE", "FR", "IE", "SE")}


def event(source: random.Random, who: Subject, seconds: int) -> Message:
    """Something that a person or a visitor did."""
    name, properties = source.choice((_order, _product_viewed, _signed_in))(source)
    if source.random() < 0.5:
        return _segment("track", who, seconds) | {"event": name, "properties": properties}
    return _v2("event", who) | {"name": name, "attributes": properties} | _own_time(source, seconds)


def page(source: random.Random, who: Subject, seconds: int) -> Message:
    """A page that was looked at."""
    url = f"https://www.example.com/{source.choice(_PAGES)}"
    referrer = {"referrer": "https://search.example.org/", "title": "Example", "url": url}
    if source.random() < 0.5:
        return _segment("page", who, seconds) | {"properties": referrer}
    return _v2("page", who) | {"name": url, "attributes": referrer} | _own_time(source, seconds)


def screen(source: random.Random, who: Subject, seconds: int) -> Message:
    """A screen of the app that was looked at."""
    name = source.choice(_SCREENS)
    if source.random() < 0.5:
        return _segment("screen", who, seconds) | {"name": name, "properties": {"theme": "dark"}}
    return _v2("screen", who) | {"name": name, "attributes": {"theme": "dark"}}


def identify(source: random.Random, who: Subject, seconds: int) -> Message:
    """A person's attributes."""
    attributes = {
        "first_name": who.name,
        "plan": source.choice(_PLANS),
        "country": source.choice(_COUNTRIES[who.region]),
        "logins": who.change(),
    }
    if source.random() < 0.5:
        attributes["createdAt"] = _iso(seconds - 86_400)
        call = _segment("identify", who, seconds) | {"traits": attributes}
        return call | ({"anonymousId": f"before-{who.value}"} if source.random() < 0.2 else {})
    return _v2("identify", who) | {"attributes": attributes, "timestamp": _time(source, seconds)}


def device_added(source: random.Random, who: Subject, seconds: int) -> Message:
    """A person's phone is known from now on. Opening the app says so too, and is an event besides."""
    token, platform = f"token-{who.change()}-{source.getrandbits(64):016x}", source.choice(("ios", "android"))
    who.devices.append(token)
    if source.random() < 0.5:
        name = source.choice(("Device Created or Updated", "Application Opened"))
        device = {"token": token, "type": "iOS" if platform == "ios" else "android"}
        call = _segment("track", who, seconds)
        return call | {"event": name, "properties": {"version": "4.2.0"}, "context": {"device": device}}
    device = {"token": token, "platform": platform}
    return _v2("add_device", who) | {"device": device | {"last_used": _time(source, seconds)}}


def device_deleted(source: random.Random, who: Subject, seconds: int) -> Message:
    """One of the person's phones is gone."""
    device = {"token": who.devices.pop()}
    if source.random() < 0.5:
        return _segment("track", who, seconds) | {"event": "Device Deleted", "context": {"device": device}}
    return _v2("delete_device", who) | {"device": device}


def company_described(source: random.Random, company: Subject, who: Subject, seconds: int) -> Message:
    """A company's attributes, and that the person belongs to it."""
    attributes = {"name": company.name, "seats": company.change(), "plan": source.choice(_PLANS)}
    if source.random() < 0.5:
        return _segment("group", who, seconds) | {"groupId": company.value, "traits": attributes}
    related = [{"identifiers": who.identifiers}]
    return _object("identify", company) | {"attributes": attributes, "cio_relationships": related}


def company_joined(source: random.Random, who: Subject, company: Subject) -> Message:
    """The person belongs to the company from now on."""
    who.companies.append(company)
    role = {"role": source.choice(("owner", "member")), "changes": who.change()}
    related = {"identifiers": company.identifiers, "relationship_attributes": role}
    return _v2("add_relationships", who) | {"cio_relationships": [related]}


def company_left(source: random.Random, who: Subject, seconds: int) -> Message:
    """The person belongs to the company no longer."""
    company = who.companies.pop()
    who.companies_left.append(company)
    if source.random() < 0.5:
        call = _segment("track", who, seconds)
        return call | {"event": "Relationship Deleted", "properties": {"objectId": company.value}}
    return _v2("delete_relationships", who) | {"cio_relationships": [{"identifiers": company.identifiers}]}


def company_deleted(source: random.Random, company: Subject, who: Subject, seconds: int) -> Message:
    """The company is gone; the person is who said so."""
    if source.random() < 0.5:
        call = _segment("track", who, seconds)
        return call | {"event": "Object Deleted", "properties": {"objectId": company.value}}
    return _object("delete", company)


def delivery_reported(source: random.Random, who: Subject, seconds: int) -> Message:
    """What became of a push message."""
    delivery, metric = f"delivery-{source.getrandbits(64):016x}", source.choice(("opened", "converted"))
    token = who.devices[-1]
    if source.random() < 0.5:
        properties = {"deliveryId": delivery, "metric": metric, "recipient": token}
        return _segment("track", who, seconds) | {"event": "Report Delivery Event", "properties": properties}
    return {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": delivery},
        "name": metric,
        "attributes": {"device_token": token},
    }


def merged(source: random.Random, primary: Subject, secondary: Subject, seconds: int) -> Message:
    """The secondary person turns out to be the primary one."""
    if source.random() < 0.5:
        return _segment("alias", primary, seconds) | {"previousId": secondary.value}
    people = {"primary": primary.identifiers, "secondary": secondary.identifiers}
    return {"type": "person", "action": "merge"} | people


def deleted(source: random.Random, who: Subject, seconds: int) -> Message:
    """The person wants to be forgotten, and in one of three never to be written to again."""
    action, name = source.choice(
        (("delete", "User Deleted"), ("delete", "User Deleted"), ("suppress", "User Suppressed"))
    )
    if source.random() < 0.5:
        return _segment("track", who, seconds) | {"event": name}
    return _v2(action, who)


def _segment(type_: str, who: Subject, seconds: int) -> Message:
    name = "anonymousId" if who.kind == "anonymous_id" else "userId"
    return {"type": type_, name: who.value, "timestamp": _iso(seconds)}


def _v2(action: str, who: Subject) -> Message:
    return {"type": "person", "action": action, "identifiers": who.identifiers}


def _object(action: str, company: Subject) -> Message:
    return {"type": "object", "action": action, "identifiers": company.identifiers}


def _own_time(source: random.Random, seconds: int) -> Message:
    """Most events say when they happened; for the others the record's timestamp stands in."""
    return {"timestamp": _time(source, seconds)} if source.random() < 0.8 else {}


def _time(source: random.Random, seconds: int) -> int | str:
    """In one of the ways that publishers write it."""
    return source.choice((seconds, seconds * 1000, _iso(seconds)))


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(source: random.Random) -> tuple[str, Message]:
    products = [
        {
            "name": source.choice(_PRODUCTS),
            "quantity": source.randrange(1, 4),
            "price": source.randrange(100) + 0.95,
        }
        for _ in range(source.randrange(1, 4))
    ]
    order_id = f"order-{source.getrandbits(32)}"
    return "Order Completed", {"order_id": order_id, "currency": "EUR", "products": products}


def _product_viewed(source: random.Random) -> tuple[str, Message]:
    return "Product Viewed", {"name": source.choice(_PRODUCTS), "price": source.randrange(100) + 0.95}


def _signed_in(source: random.Random) -> tuple[str, Message]:
    return "Signed In", {"method": source.choice(("password", "passkey", "sso"))}
