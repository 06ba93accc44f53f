"""Names for resources that the program does not name."""

from __future__ import annotations

import hashlib
import secrets
import uuid

_HEX = "0123456789abcdef"


def random_hex(seed: bytes, length: int) -> str:
    """Hexadecimal digits from the engine's seed: the same in preview and up, others for a replacement."""
    source = hashlib.sha512(seed).digest() if seed else secrets.token_bytes(length)
    return "".join(_HEX[byte % len(_HEX)] for byte in source[:length])


def random_uuid(seed: bytes) -> str:
    """A GUID from the engine's seed."""
    return str(uuid.UUID(random_hex(seed, 32)))
