"""Names, labels and annotations: k8s.io/apimachinery pkg/util/validation/validation.go and pkg/api/validation."""

from __future__ import annotations

import re

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PORT_NAME = re.compile(r"[-a-z0-9]+")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_ENDS = "and must start and end with an alphanumeric character"


def label(value: str, *, limit: int = 63) -> str | None:
    """What keeps a value from being a lowercase RFC 1123 label, or None."""
    if len(value) > limit:
        return f"must be no more than {limit} characters"
    if _LABEL.fullmatch(value):
        return None
    return f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS}"


def label_1035(value: str) -> str | None:
    """What keeps a value from being an RFC 1035 label (starts with a letter), or None."""
    if len(value) > 63:
        return "must be no more than 63 characters"
    if _LABEL_1035.fullmatch(value):
        return None
    return (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character"
    )


def subdomain(value: str, *, limit: int = 253) -> str | None:
    """What keeps a value from being a lowercase RFC 1123 subdomain, or None."""
    if len(value) > limit:
        return f"must be no more than {limit} characters"
    if _SUBDOMAIN.fullmatch(value):
        return None
    return f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ENDS}"


def path_segment(value: str) -> str | None:
    """What keeps a value from being a path segment, or None."""
    if value in {".", ".."}:
        return f"may not be '{value}'"
    wrong = next((character for character in "/%" if character in value), None)
    return f"may not contain '{wrong}'" if wrong else None


def qualified(value: str) -> str | None:
    """What keeps a value from being a qualified name (``example.com/name``), or None."""
    prefix, slash, name = value.rpartition("/")
    if slash and not prefix:
        return "prefix part must be non-empty"
    if slash and subdomain(prefix):
        return f"prefix part {subdomain(prefix)}"
    if not name:
        return "name part must be non-empty"
    if len(name) > 63:
        return "name part must be no more than 63 characters"
    if _QUALIFIED.fullmatch(name):
        return None
    return f"name part must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"


def label_value(value: str) -> str | None:
    """What keeps a value from being a label's value, or None."""
    if len(value) > 63:
        return "must be no more than 63 characters"
    if not value or _QUALIFIED.fullmatch(value):
        return None
    return f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"


def port_name(value: str) -> str | None:
    """What keeps a value from being a port's name, or None."""
    if len(value) > 15:
        return "must be no more than 15 characters"
    if not _PORT_NAME.fullmatch(value):
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search("[a-z]", value):
        return "must contain at least one letter (a-z)"
    if "--" in value:
        return "must not contain consecutive hyphens"
    return "must not begin or end with a hyphen" if value.startswith("-") or value.endswith("-") else None


def data_key(value: str) -> str | None:
    """What keeps a value from being a key of a ConfigMap or Secret, or None."""
    if len(value) > 253:
        return "must be no more than 253 characters"
    if not _DATA_KEY.fullmatch(value):
        return "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    return f"must not be '{value}'" if value in {".", ".."} else None


def env_name(value: str) -> str | None:
    """What keeps a value from being an environment variable's name (relaxed since Kubernetes 1.34), or None."""
    # Feature gate RelaxedEnvironmentVariableValidation: on since 1.32, stable in 1.34.
    if value and all(" " <= character <= "~" and character != "=" for character in value):
        return None
    return "a valid environment variable name must consist only of printable ASCII characters other than '='"


def provisioner(value: str) -> str | None:
    """What keeps a value from being a storage class's provisioner, or None."""
    return qualified(value.lower())


def kind_name(value: str) -> str | None:
    """What keeps a value from being a kind or plural of a definition, or None."""
    return label_1035(value.lower())
