from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpufleet.rollout.readiness import ReadinessUnknownError
from gpufleet.rollout.signatures import Notation
from gpufleet.spec.registry import Signing

DIGEST = "sha256:" + "a" * 64
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
SIGNER = "x509.subject: C=US, ST=WA, O=example.com"
VERIFIER = Notation(
    signing=Signing(certificates=[CERTIFICATE], identities=[SIGNER]),
    login_server="crprod.azurecr.io",
    password=lambda: "refresh",
)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A `notation` that does these shell commands."""
    tool = folder / "notation"
    tool.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_trusted_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        tmp_path,
        monkeypatch,
        f'cp -r "$XDG_CONFIG_HOME/notation" "{tmp_path}/seen"',
        f'echo "$NOTATION_PASSWORD: $*" > "{tmp_path}/called"',
    )
    assert VERIFIER.objection("models/chat", DIGEST) == ""
    called = (tmp_path / "called").read_text(encoding="utf-8")
    assert called == f"refresh: verify crprod.azurecr.io/models/chat@{DIGEST}\n"
    policy = json.loads((tmp_path / "seen/trustpolicy.json").read_text(encoding="utf-8"))["trustPolicies"][0]
    assert (policy["signatureVerification"], policy["trustedIdentities"], policy["trustStores"]) == (
        {"level": "strict"},
        [SIGNER],
        ["ca:gpufleet"],
    )
    assert (tmp_path / "seen/truststore/x509/ca/gpufleet/0.crt").read_text(encoding="utf-8") == CERTIFICATE


def test_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "echo Warning: slow >&2", "echo Error: no signature is associated >&2", "exit 1")
    assert VERIFIER.objection("models/chat", DIGEST) == "no signature is associated"
    install(tmp_path, monkeypatch, "exit 3")
    assert VERIFIER.objection("models/chat", DIGEST) == "notation ended with 3"


def test_without_the_tool_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReadinessUnknownError, match="notation, which verifies them, is not on PATH"):
        VERIFIER.objection("models/chat", DIGEST)
