"""Signatures of images and weights, verified by `notation` (Notary Project).

The tool does the cryptography and reads revocation lists; here it gets a trust store and a trust policy of its own, so
that nothing of the person's configuration counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpufleet.rollout.readiness import ReadinessUnknownError
from gpufleet.spec.registry import Signing

_STORE = "gpufleet"
_USER = "00000000-0000-0000-0000-000000000000"
"""User name that goes with a token (container-registry-authentication)."""
_TIMEOUT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Notation:
    """Verifies against one registry.

    Attributes:
        signing: whom to trust.
        login_server: host name of the registry.
        password: a refresh token for it; asked for at each verification, for it ends after hours.
    """

    signing: Signing
    login_server: str
    password: Callable[[], str]

    def objection(self, repository: str, digest: str) -> str:
        """Why no trusted signature covers a manifest; "" when one does.

        Raises:
            ReadinessUnknownError: `notation` is not installed, or does not come to an end.
        """
        command = shutil.which("notation")
        if command is None:
            raise ReadinessUnknownError(
                "registry.signing asks for signatures, and notation, which verifies them, is not on PATH",
                hint="Install it: https://notaryproject.dev/docs/user-guides/installation/cli/",
            )
        with tempfile.TemporaryDirectory(prefix="gpufleet-") as folder:  # for this user's eyes alone
            self._configure(Path(folder) / "notation")
            # In the environment, not among the arguments: those every user of the machine can read.
            secrets = {"NOTATION_USERNAME": _USER, "NOTATION_PASSWORD": self.password()}
            try:
                done = subprocess.run(
                    [command, "verify", f"{self.login_server}/{repository}@{digest}"],
                    env={**os.environ, **secrets, "XDG_CONFIG_HOME": folder},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=_TIMEOUT_SECONDS,
                )
            except subprocess.TimeoutExpired:
                raise ReadinessUnknownError(
                    f"notation has not verified {repository} in {_TIMEOUT_SECONDS} s",
                    hint="May this machine reach the registry, and the certificates' revocation lists?",
                ) from None
        if done.returncode == 0:
            return ""
        said = [line for line in done.stderr.splitlines() if line.strip()]
        return said[-1].removeprefix("Error: ") if said else f"notation ended with {done.returncode}"

    def _configure(self, folder: Path) -> None:
        store = folder / "truststore" / "x509" / "ca" / _STORE
        store.mkdir(parents=True)
        for index, certificate in enumerate(self.signing.certificates):
            (store / f"{index}.crt").write_text(certificate, encoding="utf-8")
        policy = {
            "name": _STORE,
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": [f"ca:{_STORE}"],
            "trustedIdentities": list(self.signing.identities),
        }
        document = {"version": "1.0", "trustPolicies": [policy]}
        (folder / "trustpolicy.json").write_text(json.dumps(document), encoding="utf-8")
