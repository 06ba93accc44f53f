"""What a stand-in raises when it can't be sure to do what the SDK does."""

from __future__ import annotations


class NotStoodInError(BaseException):
    """The program asks for something that only the SDK does. Not an error of the program's: plan with the SDK.

    No Exception, so that no `except Exception` of the program's takes it for something else and goes on.
    """
