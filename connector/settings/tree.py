"""The settings seen as a tree of names: what may stand where, in words and as environment variables.

An `annotation` is what a field of the model is declared as, such as `Annotated[int, Meta(ge=1)]`.
"""

import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from connector.settings.model import Settings
from connector.settings.properties import Properties
from connector.settings.secret import Secret

Path = tuple[str, ...]

PREFIX = "CIO_"

_NO_NAME = re.compile(r"[^\w.<>\[\]-].*", re.DOTALL)


def bare(annotation: Any) -> Any:
    """The annotation without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        (only,) = [each for each in get_args(annotation) if each is not types.NoneType]
        return bare(only)
    return annotation


def structure(annotation: Any) -> type[msgspec.Struct] | None:
    """The section that an annotation declares, if it declares one."""
    kind = bare(annotation)
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


def named_items(annotation: Any) -> tuple[Any, Any] | None:
    """Annotations of name and value, of a mapping whose names a person chooses, such as `regions`."""
    kind = bare(annotation)
    if kind is Properties:
        return (str, str)
    if get_origin(kind) is dict:
        name, value = get_args(kind)
        return (name, value)
    return None


def list_item(annotation: Any) -> Any | None:
    """The annotation of a list's items, of a list."""
    kind = bare(annotation)
    return get_args(kind)[0] if get_origin(kind) is tuple else None


def is_mapping(annotation: Any) -> bool:
    """Whether names stand below it."""
    return structure(annotation) is not None or named_items(annotation) is not None


def fields(section: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """A section's fields by name."""
    return {field.name: field for field in msgspec.structs.fields(section)}


def setting_paths(
    regions: tuple[str, ...] = (), section: type[msgspec.Struct] = Settings, path: Path = ()
) -> Iterator[Path]:
    """Every setting that holds a value, in the model's order; those of a region for each of `regions`."""
    for name, field in fields(section).items():
        here = (*path, name)
        inner = structure(field.type)
        named = named_items(field.type)
        if inner is not None:
            yield from setting_paths(regions, inner, here)
        elif named is not None and (item := structure(named[1])) is not None:
            for region in regions:
                yield from setting_paths(regions, item, (*here, region))
        else:
            yield here


def description(annotation: Any) -> str:
    """The meaning that stands beside a field; for a list of sections, what one of them is."""
    item = list_item(annotation)
    if item is not None and (section := structure(item)) is not None:
        return " ".join((section.__doc__ or "").split())
    if get_origin(annotation) is Annotated:
        for meta in get_args(annotation)[1:]:
            if isinstance(meta, msgspec.Meta) and meta.description:
                return meta.description
    return ""


def allowed(annotation: Any) -> str:
    """What may be given, in words: `a whole number from 1 to 1000`."""
    if get_origin(bare(annotation)) is Literal:
        return "one of " + ", ".join(str(value) for value in get_args(bare(annotation)))
    return _allowed(inspect.type_info(annotation))


def _allowed(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata():
            return _allowed(kind.type)
        case inspect.UnionType():
            return " or ".join(
                _allowed(each) for each in kind.types if not isinstance(each, inspect.NoneType)
            )
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number" + _range(kind)
        case inspect.FloatType():
            return "a number" + _range(kind)
        case inspect.VarTupleType():
            item = kind.item_type
            return "a list" if isinstance(item, inspect.StructType) else f"a list of {_allowed(item)}"
        case inspect.StructType() | inspect.DictType():
            return "a mapping of names to values"
        case inspect.CustomType() if kind.cls is Properties:
            return "a mapping of names to values"
        case inspect.StrType() if kind.pattern is not None:
            return f"text that matches {kind.pattern}"
        case inspect.StrType() if kind.min_length:
            return "text that is not empty"
        case inspect.StrType() | inspect.CustomType():
            return "text"
    raise AssertionError(f"no words for {kind}")


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge} to {kind.le}"
    parts = []
    if kind.gt is not None:
        parts.append(f"above {kind.gt}")
    if kind.ge is not None:
        parts.append(f"of {kind.ge} or more")
    if kind.le is not None:
        parts.append(f"at most {kind.le}")
    return f" {', '.join(parts)}" if parts else ""


def holds_value_in_secret(annotation: Any) -> bool:
    """Whether what is given here must never be shown."""
    return bare(annotation) in (Secret, Properties)


def dotted(path: Path) -> str:
    """The path as people write it: `routing.rules[0].region`. What is no name is cut, for where the space after a
    colon is missing, `api_key:123`, a secret has become part of the key."""
    return ".".join(_NO_NAME.sub("...", part) for part in path).replace(".[", "[")


def environment_variable(path: Path) -> str:
    """The variable that sets it: `CIO_KAFKA__BOOTSTRAP_SERVERS`."""
    return PREFIX + "__".join(part.upper().replace("-", "_").replace(".", "_") for part in path)
