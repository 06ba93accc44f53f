"""What a resource type takes and gives, read from the installed SDK's own classes and checked at every depth."""

from __future__ import annotations

from sandbox.contract.book import ContractBook, UnknownTypeError
from sandbox.contract.check import check_inputs
from sandbox.contract.model import Contract

__all__ = ["Contract", "ContractBook", "UnknownTypeError", "check_inputs"]
