"""A Kubernetes API server with etcd behind it, of this process's own: started in a folder, gone with the process."""

from __future__ import annotations

import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import yaml

from tools.control_plane.build import Programs

_START_SECONDS = 60.0
# A free port may be taken before the server that it was found for opens it.
_TRIES = 5
# TEST-NET-1 (RFC 5737): what the server tells others of its address; nobody asks, and a network isn't needed so.
_ADVERTISED = "192.0.2.1"


class NotStartedError(Exception):
    """The control plane did not come up; the text has the end of its log."""


@contextmanager
def control_plane(programs: Programs, folder: Path) -> Iterator[Path]:
    """Run a control plane.

    Admission is what a cluster has by default: Pod Security by the namespaces' labels, service accounts, priorities.
    There are no controllers: whoever needs a namespace's service account `default` makes it.

    Args:
        programs: kube-apiserver and etcd.
        folder: for their data, keys and logs; must be empty.

    Yields:
        the kubeconfig of an administrator.

    Raises:
        NotStartedError: it did not start.
    """
    token = secrets.token_urlsafe(32)
    with ExitStack() as stack:
        etcd = _etcd(stack, programs, folder)
        port = _api_server(stack, programs, folder, etcd, token)
        kubeconfig = folder / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(_kubeconfig(folder, port, token), encoding="utf-8")
        yield kubeconfig


def _etcd(stack: ExitStack, programs: Programs, folder: Path) -> str:
    """Start etcd and return its address."""
    for attempt in range(_TRIES):
        one, two = _free_ports(2)
        url = f"http://127.0.0.1:{one}"
        command = [
            str(programs.etcd),
            f"--data-dir={folder / f'etcd-{attempt}'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls=http://127.0.0.1:{two}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{two}",
            f"--initial-cluster=default=http://127.0.0.1:{two}",
            # What is lost with the machine is of no use to anybody.
            "--unsafe-no-fsync",
        ]
        log = folder / f"etcd-{attempt}.log"
        process = stack.enter_context(_running(command, log))
        if _ready(process, one):
            return url
        _raise_unless_port_taken(log)
    raise NotStartedError(f"etcd found no free port in {_TRIES} tries")


def _api_server(stack: ExitStack, programs: Programs, folder: Path, etcd: str, token: str) -> int:
    """Start kube-apiserver, wait until it is ready, and return its port."""
    certificates, tokens = folder / "certificates", folder / "tokens.csv"
    tokens.touch(mode=0o600)
    tokens.write_text(f"{token},admin,admin,system:masters\n", encoding="utf-8")
    for attempt in range(_TRIES):
        [port] = _free_ports(1)
        command = [
            str(programs.api_server),
            f"--etcd-servers={etcd}",
            f"--secure-port={port}",
            "--bind-address=127.0.0.1",
            f"--advertise-address={_ADVERTISED}",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={certificates}",
            # The key that the server makes for itself at its start serves both ends.
            f"--service-account-signing-key-file={certificates / 'apiserver.key'}",
            f"--service-account-key-file={certificates / 'apiserver.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/12",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            # As AKS: operators' node agents are privileged, and Pod Security says where they may run.
            "--allow-privileged=true",
        ]
        log = folder / f"kube-apiserver-{attempt}.log"
        process = stack.enter_context(_running(command, log))
        if _ready(process, port, certificate=certificates / "apiserver.crt", token=token):
            return port
        _raise_unless_port_taken(log)
    raise NotStartedError(f"kube-apiserver found no free port in {_TRIES} tries")


@contextmanager
def _running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    # setpriv (util-linux): the kernel kills the server when this process ends, in whatever way.
    with (
        log.open("wb") as out,
        subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            # Ctrl-C ends this process in order; the servers end after it, by its hand.
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _ready(process: subprocess.Popen[bytes], port: int, *, certificate: Path | None = None, token: str = "") -> bool:
    """Whether a server answers before it ends or its time is over."""
    url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}/{'readyz' if certificate else 'health'}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        # The server makes its certificate on its way up.
        if certificate is None or certificate.exists():
            verify = True if certificate is None else ssl.create_default_context(cafile=certificate)
            try:
                answer = httpx.get(url, verify=verify, headers=headers, trust_env=False)
            except httpx.TransportError:
                pass
            else:
                if answer.is_success:
                    return True
        time.sleep(0.05)
    return False


def _raise_unless_port_taken(log: Path) -> None:
    text = log.read_text(encoding="utf-8", errors="replace")
    if "address already in use" not in text:
        raise NotStartedError(f"{log.stem} did not start:\n" + "\n".join(text.splitlines()[-20:]))


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        # All at once, or the second could be the first again.
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _kubeconfig(folder: Path, port: int, token: str) -> str:
    certificate = str(folder / "certificates" / "apiserver.crt")
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority": certificate}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
    return yaml.safe_dump(document)
