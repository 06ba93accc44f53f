"""The operators' own CustomResourceDefinitions, from their public Go modules: downloaded, verified, never committed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gpufleet.engine.cache import cache_root
from gpufleet.engine.files import locked, put_in_place
from gpufleet.engine.source_build import find_go, go_env
from tools.control_plane.build import SOURCES
from tools.control_plane.errors import ControlPlaneError

TABLE = SOURCES / "definitions.yaml"
# A definition repeats all of a pod's fields for every template: half a minute of work for the loader that is written in
# Python. They are kept as JSON for the same reason.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Source(BaseModel):
    """One Go module that carries definitions.

    Attributes:
        module: its path.
        version: as Go writes it.
        sum: Go's hash of the module's content (`h1:…`, golang.org/ref/mod, "go.sum files").
        folder: where its definitions are.
        kinds: the kinds that it must bring, sorted; a version that brings others is looked at before it is pinned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    version: Annotated[str, Field(pattern=r"^v\d")]
    sum: Annotated[str, Field(pattern=r"^h1:.{44}$")]
    folder: str
    kinds: tuple[str, ...]

    @property
    def at(self) -> str:
        """`module@version`."""
        return f"{self.module}@{self.version}"


def sources(table: Path = TABLE) -> tuple[Source, ...]:
    """The modules of the table.

    Raises:
        ControlPlaneError: the table is not of its form.
    """
    try:
        return TypeAdapter(tuple[Source, ...]).validate_python(yaml.safe_load(table.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ControlPlaneError(f"{table}: {error}") from error


def find(table: Path = TABLE) -> list[dict[str, Any]]:
    """All definitions of the table, which must have been downloaded.

    Raises:
        ControlPlaneError: they have not.
    """
    place = _folder(table)
    if not place.exists():
        raise ControlPlaneError(f"there are no resource definitions in {place}: make control-plane downloads them")
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(place.glob("*.json"))]


def ensure(table: Path = TABLE) -> list[dict[str, Any]]:
    """All definitions of the table, downloaded first if they are not there; two of these at once do the work once.

    Raises:
        ControlPlaneError: a module can't be had, is not the pinned one, or brings other kinds than the table says.
        EngineUnavailableError: there is no Go to download with.
    """
    place = _folder(table)
    with locked(place.parent / "definitions.lock", lambda: None):
        if not place.exists():
            go = find_go(SOURCES, cache=cache_root(), what="a Kubernetes API server")
            with put_in_place(place) as staging:
                for source in sources(table):
                    _copy(source, _download(source, go), staging)
    return find(table)


def _folder(table: Path) -> Path:
    return cache_root() / "control-plane" / f"definitions-{hashlib.sha256(table.read_bytes()).hexdigest()[:12]}"


def _download(source: Source, go: Path) -> Path:
    """The module's folder in Go's own cache."""
    command = [str(go), "mod", "download", "-json", source.at]
    done = subprocess.run(command, cwd=SOURCES, env=go_env(), capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"Error": done.stderr.strip() or f"exit code {done.returncode}"}
    if "Error" in answer:
        raise ControlPlaneError(f"the Go module {source.at} can't be downloaded: {answer['Error']}")
    if answer["Sum"] != source.sum:
        raise ControlPlaneError(
            f"the Go module {source.at} has the hash {answer['Sum']}; {TABLE.name} pins {source.sum}"
        )
    return Path(answer["Dir"])


def _copy(source: Source, module: Path, staging: Path) -> None:
    found = []
    for file in sorted((module / source.folder).glob("*.yaml")):
        for definition in yaml.load_all(file.read_text(encoding="utf-8"), Loader=_Loader):
            if isinstance(definition, dict) and definition.get("kind") == "CustomResourceDefinition":
                found.append(definition["spec"]["names"]["kind"])
                name = f"{definition['metadata']['name']}.json"
                (staging / name).write_text(json.dumps(definition), encoding="utf-8")
    if sorted(found) != list(source.kinds):
        raise ControlPlaneError(
            f"{source.at}: {source.folder} defines {', '.join(sorted(found)) or 'nothing'}; "
            f"{TABLE.name} says {', '.join(source.kinds)}"
        )
