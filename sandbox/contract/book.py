"""Contracts by resource type: compiled once per SDK version, kept in memory and on disk."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from importlib.machinery import PathFinder
from pathlib import Path

from sandbox.contract.compiler import TypeNotInSdkError, compile_contract
from sandbox.contract.model import Contract, contract_from_json, contract_to_json
from sandbox.errors import SandboxError

# Raise when the compiler or the JSON form changes, so that old cache files are not read.
_CACHE_FORMAT = 1


class UnknownTypeError(SandboxError):
    """A resource type that the installed SDK does not have."""


def cache_root() -> Path:
    """The place for what can be made again: $GPUFLEET_CACHE, else $XDG_CACHE_HOME/gpufleet or ~/.cache/gpufleet."""
    explicit = os.environ.get("GPUFLEET_CACHE")
    if explicit:
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gpufleet"


def sdk_version(package: str) -> str:
    """The installed version of a provider's SDK; ``package`` as in type tokens (``azure-native``, ``kubernetes``).

    Raises:
        SandboxError: it is not installed.
    """
    # The package's own note of its plugin. importlib.metadata would say the same, in a seventh of a provider's start.
    spec = PathFinder.find_spec(f"pulumi_{package.replace('-', '_')}")
    if spec is None or not spec.submodule_search_locations:
        raise SandboxError(f"the SDK pulumi-{package} is not installed")
    plugin = Path(spec.submodule_search_locations[0], "pulumi-plugin.json")
    return str(json.loads(plugin.read_text(encoding="utf-8"))["version"])


class ContractBook:
    """All contracts of one provider's SDK. Safe for threads."""

    def __init__(self, package: str, cache: Path | None = None) -> None:
        self.package = package
        self.version = sdk_version(package)
        self._directory = (cache or cache_root() / "contracts") / f"{package}-{self.version}-{_CACHE_FORMAT}"
        self._contracts: dict[str, Contract] = {}
        self._lock = threading.Lock()

    def get(self, token: str) -> Contract:
        """The contract of a resource type.

        Raises:
            UnknownTypeError: the installed SDK has no such type.
        """
        found = self._contracts.get(token)
        if found is None:
            with self._lock:
                found = self._contracts.get(token) or self._load(token)
                self._contracts[token] = found
        return found

    def _load(self, token: str) -> Contract:
        file = self._directory / (token.partition(":")[2].replace("/", ".").replace(":", ".") + ".json")
        try:
            return contract_from_json(json.loads(file.read_text()))
        except (OSError, ValueError, KeyError):
            pass  # not compiled yet, or unreadable: it is only a cache
        try:
            contract = compile_contract(token)
        except TypeNotInSdkError:
            raise UnknownTypeError(
                f"the installed pulumi-{self.package} {self.version} has no resource type '{token}'"
            ) from None
        self._save(file, contract)
        return contract

    def _save(self, file: Path, contract: Contract) -> None:
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(contract_to_json(contract), separators=(",", ":")))
            draft.replace(file)
        except OSError:
            with contextlib.suppress(OSError):  # a cache that cannot be written costs time, nothing else
                draft.unlink()
