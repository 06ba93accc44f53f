"""kube-apiserver and etcd, built of the pinned Go modules beside this file and kept beside the engine."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from gpufleet.engine.cache import cache_root
from gpufleet.engine.files import locked, put_in_place
from gpufleet.engine.source_build import GoPrograms, build_programs
from tools.control_plane.errors import ControlPlaneError

SOURCES = Path(__file__).parent
_API_SERVER = "k8s.io/kubernetes/cmd/kube-apiserver"
_ETCD = "go.etcd.io/etcd/server/v3"
# `go build` names a program after its package's folder without the version.
_BUILT_ETCD = "server"
_STAMP = "k8s.io/component-base/version"
# Measured: 1.0 GB of module sources, 1.4 GB of compiled packages, 0.3 GB for the linker.
_DISK_BYTES = 3 * 2**30


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The programs of a control plane.

    Attributes:
        version: Kubernetes', for example "1.34.4".
    """

    api_server: Path
    etcd: Path
    version: str


def pinned_version(sources: Path = SOURCES) -> str:
    """The Kubernetes version that `sources/go.mod` pins, for example "1.34.4".

    Raises:
        ControlPlaneError: it names none.
    """
    text = (sources / "go.mod").read_text(encoding="utf-8")
    found = re.search(r"^\s*k8s\.io/kubernetes v(\S+)$", text, re.MULTILINE)
    if found is None:
        raise ControlPlaneError(f"{sources / 'go.mod'} does not name k8s.io/kubernetes")
    return found[1]


def folder() -> Path:
    """Where the programs are kept: named by the version and a hash of all that goes into them."""
    content = b"\0".join((SOURCES / name).read_bytes() for name in ("go.mod", "go.sum", "tools.go"))
    return cache_root() / "control-plane" / f"{pinned_version()}-{hashlib.sha256(content).hexdigest()[:12]}"


def find() -> Programs:
    """The programs, which must have been built.

    Raises:
        ControlPlaneError: they have not.
    """
    place = folder()
    programs = Programs(api_server=place / "kube-apiserver", etcd=place / "etcd", version=pinned_version())
    if not (programs.api_server.exists() and programs.etcd.exists()):
        raise ControlPlaneError(f"there is no Kubernetes API server in {place}: make control-plane builds it")
    return programs


def ensure() -> Programs:
    """The programs, built first if they are not there; two of these at once do the work once.

    Raises:
        ControlPlaneError: see `find`.
        EngineUnavailableError: they can't be built; the message says why.
    """
    place = folder()
    with locked(place.parent / "build.lock", _waiting):
        if not place.exists():
            with put_in_place(place) as staging:
                build_programs(_programs(), staging, cache=cache_root())
                (staging / _BUILT_ETCD).rename(staging / "etcd")
    return find()


def _programs() -> GoPrograms:
    version = pinned_version()
    major, minor, _ = version.split(".")
    stamps = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    return GoPrograms(
        what="a Kubernetes API server",
        sources=SOURCES,
        packages=(_API_SERVER, _ETCD),
        ldflags=" ".join(f"-X {_STAMP}.{name}={value}" for name, value in stamps.items()),
        compiled=1790,
        takes="about three minutes on two cores",
        disk_bytes=_DISK_BYTES,
        log="control-plane-build.log",
    )


def _waiting() -> None:
    Console(stderr=True, highlight=False).print("another process is building the Kubernetes API server: waiting for it")
