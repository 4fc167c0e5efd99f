"""The budget pack; importing ``policies.budget`` registers its rules."""

from policies.kit import Pack

BUDGET = Pack(
    "budget",
    title="Budget",
    description="What the platform may cost: by month, by change, by kind of GPU, and when nobody works.",
)
