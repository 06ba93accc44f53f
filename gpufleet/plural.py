"""Numbers of things in messages."""

from __future__ import annotations


def plural(number: int, noun: str) -> str:
    """`1 resource`, `1,024 resources`; for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
