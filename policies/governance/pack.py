"""The governance pack; importing ``policies.governance`` registers its rules."""

from policies.kit import Pack

GOVERNANCE = Pack(
    "governance",
    title="Governance",
    description="Models and images can be traced, records are kept, and the settings of all packs are well formed.",
    keeps_settings=True,
)
