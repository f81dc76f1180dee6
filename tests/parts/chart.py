"""The chart, rendered by Helm, and what the connector would see of it in a pod."""

import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHART = Path(__file__).parents[2] / "helm" / "cio-connector"
SHAPES = sorted((CHART / "ci").glob("*-values.yaml"))
"""Values for every shape of the chart that is supported."""

Manifest = dict[str, Any]


class ChartRefusedError(Exception):
    """Helm would not render it. The text is what a person sees."""


class Pod(NamedTuple):
    """What a Deployment starts its processes with."""

    arguments: list[str]
    environment: dict[str, str]
    """Variables; those that come from elsewhere stand as `from elsewhere`."""
    config: str
    """The text of the configuration file."""
    mounts: dict[str, str]
    """Where each volume is mounted."""


def helm_output(helm: Path | str, *arguments: str) -> str:
    """Runs Helm; what it prints on failure becomes a `ChartRefusedError`."""
    done = subprocess.run([str(helm), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ChartRefusedError(done.stdout + done.stderr)
    return done.stdout


def rendered_text(helm: Path | str, shape: Path, *arguments: str) -> str:
    """All manifests of a release named `release`."""
    values = ["--values", str(shape)]
    return helm_output(helm, "template", "release", str(CHART), "--namespace", "events", *values, *arguments)


def rendered(helm: Path | str, shape: Path, *arguments: str) -> list[Manifest]:
    """The same, parsed."""
    return [each for each in yaml.safe_load_all(rendered_text(helm, shape, *arguments)) if each]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] == kind]


def pod_spec(deployment: Manifest) -> dict[str, Any]:
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def pod(deployment: Manifest, manifests: list[Manifest]) -> Pod:
    """What the processes of a Deployment are started with, its ConfigMap looked up by name."""
    spec = pod_spec(deployment)
    (container,) = spec["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    (config_map,) = [
        each
        for each in of_kind(manifests, "ConfigMap")
        for volume in spec["volumes"]
        if volume.get("configMap", {}).get("name") == each["metadata"]["name"]
    ]
    arguments: list[str] = container["args"]
    folder, _, file = arguments[arguments.index("--config") + 1].rpartition("/")
    assert folder == mounts["config"]
    return Pod(
        arguments,
        {each["name"]: each.get("value", "from elsewhere") for each in container["env"]},
        config_map["data"][file],
        mounts,
    )
