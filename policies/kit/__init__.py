"""What all packs share: what a rule reads and says, how it is registered, and how a pack is served."""

from policies.kit.findings import Finding, NotApplicable
from policies.kit.packs import Pack, import_modules
from policies.kit.resources import Resource, Stack
from policies.kit.values import UnknownValue, Unreadable, Value, WrongType

__all__ = [
    "Finding",
    "NotApplicable",
    "Pack",
    "Resource",
    "Stack",
    "UnknownValue",
    "Unreadable",
    "Value",
    "WrongType",
    "import_modules",
]
