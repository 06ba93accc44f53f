"""Azure's and Kubernetes' refusals in the engine's messages: code, status and text, and what they leave open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gpufleet.catalog.azure_errors import Retry, known_errors

# How Azure's errors arrive: autorest's form (Status=409 Code="…" Message="…"), the newer SDK's (ERROR CODE: …), and the
# JSON body of Resource Manager itself.
_QUOTED = re.compile(r'Code="(?P<code>\w+)"\s+Message="(?P<text>(?:[^"\\]|\\.)*)"', re.DOTALL)
_UPPER = re.compile(r"ERROR CODE: (?P<code>\w+)")
_JSON = re.compile(r'"code":\s*"(?P<code>\w+)",\s*"message":\s*"(?P<text>(?:[^"\\]|\\.)*)"', re.DOTALL)
_STATUS = re.compile(r"(?:Status=|RESPONSE |StatusCode[=:] ?)(?P<status>\d{3})")
# pulumi-azure-native looks before it creates (provider/pkg/provider/provider.go); Kubernetes answers AlreadyExists.
_EXISTING = re.compile(
    r"cannot create already existing (?:sub)?resource '?(?P<id>[^'\s]+)'?|\balready exists\b", re.IGNORECASE
)
_REQUEST_TIMEOUT = 408
_TOO_MANY = 429


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What Azure answered.

    Attributes:
        code: Azure's error code, "" when the message has none.
        status: HTTP status, 0 when the message has none.
        text: Azure's own text, "" when it cannot be told apart from the rest.
    """

    code: str = ""
    status: int = 0
    text: str = ""

    @property
    def hint(self) -> str:
        """What to do, "" when we know nothing better than the text."""
        known = known_errors().get(self.code)
        return known.hint if known else ""

    @property
    def passes_by_itself(self) -> bool:
        """Whether Azure's contract says that the same request will do in a while."""
        if known := known_errors().get(self.code):
            return known.retry is Retry.YES
        return self.status >= 500 or self.status in {_REQUEST_TIMEOUT, _TOO_MANY}


def refusal(message: str) -> Refusal:
    """The refusal in a message of the engine; an empty one when there is none."""
    found = _STATUS.search(message)
    status = int(found["status"]) if found else 0
    for pattern in (_QUOTED, _JSON):
        if match := pattern.search(message):
            return Refusal(code=match["code"], status=status, text=_unescaped(match["text"]))
    if match := _UPPER.search(message):
        return Refusal(code=match["code"], status=status)
    return Refusal(status=status)


def existing_id(message: str) -> str | None:
    """The id of the resource that was to be created and exists already; "" when the message names none.

    Returns:
        None when the message is about something else.
    """
    match = _EXISTING.search(message)
    return (match["id"] or "") if match else None


def outcome_is_known(message: str) -> bool:
    """Whether a failed operation certainly did nothing: Azure refused it, or what it was to create was there before.

    Everything else (a broken connection, a time-out, an error inside Azure, words nobody knows) leaves open whether it
    was done.
    """
    if existing_id(message) is not None:
        return True
    status = refusal(message).status
    return 400 <= status < 500 and status != _REQUEST_TIMEOUT


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\r", "").strip()
