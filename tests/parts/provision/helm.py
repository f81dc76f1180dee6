"""Helm, and kubeconform, which holds rendered manifests against schemas."""

from pathlib import Path

from tests.parts.provision.cache import cached, run
from tests.parts.provision.errors import require

VERSION = "3.22.0"
KUBECONFORM_VERSION = "0.8.0"
KUBERNETES_MINOR = "34"
"""Of Kubernetes 1: what Helm takes the cluster for, and whose schemas manifests are held against."""

_MODULE = "helm.sh/helm/v3"


def executable() -> Path:
    """Helm, built with Go when it is not in the cache yet."""

    def build(folder: Path) -> None:
        require("Helm", "go")
        # Without these Helm believes in Kubernetes 1.20.
        stamps = [
            f"-X {_MODULE}/pkg/{package}.k8sVersion{part}={number}"
            for package in ("lint/rules", "chartutil")
            for part, number in (("Major", "1"), ("Minor", KUBERNETES_MINOR))
        ]
        _install(folder, f"{_MODULE}/cmd/helm@v{VERSION}", stamps)

    return cached("helm", f"{VERSION}-kubernetes-1.{KUBERNETES_MINOR}", build, seconds_cold=120) / "helm"


def kubeconform() -> Path:
    """kubeconform, built with Go when it is not in the cache yet."""

    def build(folder: Path) -> None:
        require("kubeconform", "go")
        _install(folder, f"github.com/yannh/kubeconform/cmd/kubeconform@v{KUBECONFORM_VERSION}", [])

    return cached("kubeconform", KUBECONFORM_VERSION, build, seconds_cold=10) / "kubeconform"


def _install(folder: Path, package: str, stamps: list[str]) -> None:
    run(["go", "install", "-ldflags", " ".join(["-s -w", *stamps]), package], folder, GOBIN=str(folder))
