"""What a plain (unquoted, untagged) YAML scalar means to Pulumi, so that a check and a run read one file alike.

Pulumi reads stack files with Go's yaml.v3, which follows neither YAML 1.1 nor 1.2 to the letter: `yes` and `12:30` are
text, `0777` is octal, `1_000` and `0B11` are integers, `2026-1-2` is a time, `1e400` is text. The rules are those of
`resolve` in yaml.v3's resolve.go, v3.0.1; tests/spec/test_yaml_scalars.py holds them against the engine.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Final

MERGE: Final = "<<"

_WORDS: Final[dict[str, object]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
# Go's strconv.ParseInt with base 0, in ASCII digits alone.
_INTEGER: Final = re.compile(
    r"[-+]?(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[oO]?(?P<oct>[0-7]+)|0[bB](?P<bin>[01]+)|(?P<dec>0|[1-9][0-9]*))"
)
# The signs behind the prefix are accepted by yaml.v3's own second look at `0b` and `0o`.
_SIGNED_INSIDE: Final = re.compile(r"0(?:b(?P<bin>[-+][01]+)|o(?P<oct>[-+][0-7]+))")
_BASES: Final = {"hex": 16, "oct": 8, "bin": 2, "dec": 10}
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# strconv.ParseFloat, which reads what begins with a point: an underscore must stand between two digits.
_FRACTION: Final = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_TIME: Final = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:(?P<divider>[Tt ])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2}):(?P<second>[0-9]{1,2})(?:[.,](?P<part>[0-9]+))?"
    r"(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_MOST_DIGITS: Final = 400
"""Longer than any number that is not text to Go; Python takes quadratic time for the digits of a larger one."""


def plain_value(text: str) -> object:
    """The value of a plain scalar: None, bool, int, float, date, datetime (any time but midnight UTC), or text.

    Raises:
        ValueError: a time that Go knows and Python cannot hold, such as one in the year 0.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "0123456789+-.":
        for reading in (_time, _number):
            if (value := reading(text)) is not None:
                return value
    return text


def _number(text: str) -> int | float | None:
    if len(text) > _MOST_DIGITS:
        return None
    plain = text.replace("_", "")
    if (value := _integer(plain)) is not None:
        return value
    form, candidate = (_FRACTION, text) if text.startswith(".") else (_FLOAT, plain)
    if form.fullmatch(candidate) and math.isfinite(number := float(plain)):
        return number
    return None


def _integer(plain: str) -> int | None:
    if (match := _INTEGER.fullmatch(plain) or _SIGNED_INSIDE.fullmatch(plain)) is None:
        return None
    base = str(match.lastgroup)
    value = int(match[base], _BASES[base])
    value = -value if plain.startswith("-") else value
    # With a sign it must fit an int64, without one a uint64.
    return value if -(2**63) <= value < (2**63 if plain.strip("+-") != plain else 2**64) else None


def _time(text: str) -> dt.date | None:
    match = _TIME.fullmatch(text)
    # yaml.v3's four layouts: T with a zone, t with a zone, a space without one, and the date alone.
    if match is None or (match["divider"] is not None and (match["divider"] == " ") != (match["zone"] is None)):
        return None
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    try:
        date = dt.date(year or 4, month, day)
    except ValueError:
        return None  # no such day: text
    if match["divider"] is None:
        time = dt.time(tzinfo=dt.UTC)
    elif (found := _time_of_day(match)) is None:
        return None
    else:
        time = found
    if year == 0:
        raise ValueError("the year 0")
    if time == dt.time(tzinfo=dt.UTC):
        return date
    return dt.datetime.combine(date, time)


def _time_of_day(match: re.Match[str]) -> dt.time | None:
    zone = dt.UTC
    if (offset := match["zone"] or "Z") != "Z":
        hours, minutes = int(offset[1:3]), int(offset[4:6])
        if hours > 24 or minutes >= 60:
            return None
        shift = dt.timedelta(hours=hours, minutes=minutes)
        zone = dt.timezone(-shift if offset[0] == "-" else shift)
    try:
        microsecond = int((match["part"] or "0")[:6].ljust(6, "0"))
        return dt.time(int(match["hour"]), int(match["minute"]), int(match["second"]), microsecond, tzinfo=zone)
    except ValueError:
        return None
