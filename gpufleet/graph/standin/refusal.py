"""What a stand-in raises when it can't be sure to do what the SDK does."""

from __future__ import annotations


class NotStoodInError(Exception):
    """The program asks for something that only the SDK does. Not an error of the program's: plan with the SDK."""
