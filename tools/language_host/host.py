"""The LanguageRuntime service: what the engine asks and what we answer."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from tools.language_host.plugin import PluginProcess, virtualenv_python
from tools.language_host.program import run_program


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Serves one engine.

    Args:
        engine_address: the engine's own service, for diagnostics.
        stop: set when the engine cancels us.
    """

    def __init__(self, *, engine_address: str, stop: threading.Event) -> None:
        self._engine_address = engine_address
        self._stop = stop
        self._plugins: set[PluginProcess] = set()

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Begin; a newer engine gives its address here."""
        del context
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Our version: that of the SDK whose runtime we are."""
        del request, context
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Run a program."""
        del context
        wanted = virtualenv_python(request.info)
        if wanted is not None and wanted.parent.parent.resolve() != Path(sys.prefix).resolve():
            return language_pb2.RunResponse(
                error=f"Pulumi.yaml names the virtual environment {wanted.parent.parent}, but this language host "
                f"serves {sys.prefix} only; install the official Pulumi CLI to run other projects"
            )
        return run_program(request, self._engine_address)

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack (or another plugin written in Python) and pass on what it writes."""
        with PluginProcess(request) as plugin:
            self._plugins.add(plugin)
            # The call ends when the engine has had enough of the plugin, or has died.
            context.add_callback(plugin.end)
            try:
                yield from plugin.output()
            finally:
                self._plugins.discard(plugin)

    def end_plugins(self) -> None:
        """End every plugin that still runs."""
        for plugin in tuple(self._plugins):
            plugin.end()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """The engine is done with us."""
        del request, context
        self._stop.set()
        return empty_pb2.Empty()

    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        """What `pulumi about` shows."""
        del request, context
        version = ".".join(map(str, sys.version_info[:3]))
        return language_pb2.AboutResponse(
            executable=sys.executable, version=version, metadata={"host": "gpufleet", "virtualenv": sys.prefix}
        )

    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        """No question to ask: the environment is made by `make`."""
        del request, context
        return language_pb2.RuntimeOptionsResponse()

    def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        """Older form of `GetRequiredPackages`."""
        del context
        plugins = [
            plugin_pb2.PluginDependency(name=name, kind="resource", version=f"v{version}")
            for name, version in _providers(request.info)
        ]
        return language_pb2.GetRequiredPluginsResponse(plugins=plugins)

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """The providers that the program's requirements.txt names, in the installed versions."""
        del context
        packages = [
            plugin_pb2.PackageDependency(name=name, kind="resource", version=f"v{version}")
            for name, version in _providers(request.info)
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """What `pulumi about` lists: the required packages, or all that are installed."""
        del context
        installed = {canonicalize_name(found.name): found.version for found in metadata.distributions()}
        names = installed.keys() if request.transitiveDependencies else installed.keys() & _required(request.info)
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=installed[name]) for name in sorted(names)]
        )

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """`pulumi install`: the requirements into the environment that will run them."""
        requirements = Path(request.info.program_directory or request.directory) / "requirements.txt"
        if not requirements.is_file():
            return
        python = virtualenv_python(request.info) or Path(sys.executable)
        command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-r", str(requirements)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pip:
            assert pip.stdout is not None
            for line in pip.stdout:
                yield language_pb2.InstallDependenciesResponse(stdout=line)
        if pip.returncode != 0:
            context.abort(grpc.StatusCode.UNKNOWN, f"pip could not install {requirements}")


def _required(info: language_pb2.ProgramInfo) -> set[str]:
    """Names in the program's requirements.txt, normalised."""
    file = Path(info.program_directory) / "requirements.txt"
    if not file.is_file():
        return set()
    names = set()
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            names.add(str(canonicalize_name(Requirement(line.split("#")[0].strip()).name)))
        except InvalidRequirement:  # blank, comment or an option such as -r
            continue
    return names


def _providers(info: language_pb2.ProgramInfo) -> list[tuple[str, str]]:
    """Provider packages among the requirements: (plugin name, installed version)."""
    found = []
    for name in sorted(_required(info)):
        if not name.startswith("pulumi-"):
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        # Providers' packages say so in this file; the policy SDK has one that says no.
        plugin = Path(str(distribution.locate_file(name.replace("-", "_"))), "pulumi-plugin.json")
        if plugin.is_file() and json.loads(plugin.read_text(encoding="utf-8")).get("resource"):
            found.append((name.removeprefix("pulumi-"), distribution.version))
    return found
