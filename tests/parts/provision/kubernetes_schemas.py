"""Strict JSON Schemas of Kubernetes' kinds for kubeconform, made from the sources that define them.

The API server's own description allows unknown keys, as JSON Schema does by default, so a misspelt key would
pass. Here every object that names its keys refuses others, and nothing may be null.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.parts.provision.cache import cached, run
from tests.parts.provision.errors import require

KUBERNETES_VERSION = "1.34.4"
OPERATOR_VERSION = "0.85.0"
KEDA_VERSION = "2.21.0"
_OUR_REVISION = "1"
"""Raised when this module makes other schemas of the same sources."""

Schema = dict[str, Any]

_REF = "#/definitions/"
_METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# The description calls them strings; the API takes plain numbers as well.
_SPELT_AS_STRING_OR_NUMBER: dict[str, Schema] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
}


def folder() -> Path:
    """The folder of schemas, one file a kind; made with Go's module cache when it is not there yet."""
    version = f"{KUBERNETES_VERSION}-operator-{OPERATOR_VERSION}-keda-{KEDA_VERSION}-{_OUR_REVISION}"
    return cached("kubernetes-schemas", version, _build, seconds_cold=60)


def location() -> str:
    """What kubeconform's `-schema-location` takes."""
    return f"{folder()}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"


def _build(into: Path) -> None:
    require("Kubernetes' schemas", "go")
    kubernetes = _module("k8s.io/kubernetes", KUBERNETES_VERSION, into)
    operator = _module("github.com/prometheus-operator/prometheus-operator", OPERATOR_VERSION, into)
    keda = _module("github.com/kedacore/keda/v2", KEDA_VERSION, into)
    swagger = json.loads((kubernetes / "api/openapi-spec/swagger.json").read_text())
    definitions: dict[str, Schema] = swagger["definitions"] | _SPELT_AS_STRING_OR_NUMBER
    for definition in definitions.values():
        _refuse_unknown_keys(definition)
    for group, version, kind, schema in _built_in(definitions):
        _write(into, group, version, kind, schema, definitions)
    for crds in (operator / "example/prometheus-operator-crd", keda / "config/crd/bases"):
        for group, version, kind, schema in _custom(crds):
            _write(into, group, version, kind, schema, definitions)


def _module(path: str, version: str, folder: Path) -> Path:
    told = json.loads(run(["go", "mod", "download", "-json", f"{path}@v{version}"], folder))
    return Path(told["Dir"])


def _refuse_unknown_keys(schema: Any) -> None:
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties", {})
    if properties and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    for below in (*properties.values(), schema.get("items"), schema.get("additionalProperties")):
        _refuse_unknown_keys(below)


def _built_in(definitions: dict[str, Schema]) -> Iterator[tuple[str, str, str, Schema]]:
    for definition in definitions.values():
        kinds = definition.get("x-kubernetes-group-version-kind", [])
        if len(kinds) == 1:  # those of several groups, such as DeleteOptions, are no resources
            yield kinds[0]["group"], kinds[0]["version"], kinds[0]["kind"], definition


def _custom(crds: Path) -> Iterator[tuple[str, str, str, Schema]]:
    for file in sorted(crds.glob("*.yaml")):
        for document in yaml.load_all(file.read_text(), _CrdLoader):
            if not document or document["kind"] != "CustomResourceDefinition":
                continue
            spec = document["spec"]
            for version in spec["versions"]:
                schema = version["schema"]["openAPIV3Schema"]
                _refuse_unknown_keys(schema)
                schema["properties"]["metadata"] = {"$ref": _REF + _METADATA}
                yield spec["group"], version["name"], spec["names"]["kind"], schema


def _write(
    into: Path, group: str, version: str, kind: str, schema: Schema, definitions: dict[str, Schema]
) -> None:
    """One self-contained file, named as kubeconform looks for it: by the first part of the group's name."""
    named = {
        "apiVersion": {"const": f"{group}/{version}" if group else version},
        "kind": {"const": kind},
    }
    whole = schema | {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": schema.get("properties", {}) | named,
        "required": sorted({*schema.get("required", []), *named}),
        "definitions": _reached(schema, definitions),
    }
    name = "-".join(part for part in (kind.lower(), group.split(".")[0], version) if part)
    (into / f"{name}.json").write_text(json.dumps(whole))


def _reached(schema: Schema, definitions: dict[str, Schema]) -> dict[str, Schema]:
    reached: dict[str, Schema] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = definitions[name]
            waiting.extend(_references(definitions[name]))
    return reached


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix(_REF)
            else:
                yield from _references(value)


class _CrdLoader(yaml.CSafeLoader):
    """YAML whose plain `=` is a string: the operator's CRDs list it among the kinds of matchers."""


_CrdLoader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)
