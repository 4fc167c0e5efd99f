"""Governance rules. A module of rules must not be called what a library is called."""

from policies.governance import records
from policies.governance.pack import GOVERNANCE

__all__ = ["GOVERNANCE", "records"]
