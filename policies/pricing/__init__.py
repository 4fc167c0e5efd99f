"""What declared infrastructure costs: from the plan's inputs alone, every figure with its source and its date.

Imports neither Pulumi nor an engine: policy packs and the command line both ask it.
"""

from policies.pricing.agreed import agreed_prices
from policies.pricing.estimate import estimate

from policies.pricing.model import (  # isort: skip
    SIZES, UNKNOWN, Basis, CostLine, Estimate, Item, Origin, Price, Purchase, Saving, Size, Sizes, Unpriced,
)  # fmt: skip
from policies.pricing.prices import MalformedPrices, NoPrice, Prices, prices_of
from policies.pricing.usage import BadUsage, Usage

__all__ = [
    "SIZES", "UNKNOWN", "BadUsage", "Basis", "CostLine", "Estimate", "Item", "MalformedPrices", "NoPrice", "Origin",
    "Price", "Prices", "Purchase", "Saving", "Size", "Sizes", "Unpriced", "Usage", "agreed_prices",
    "estimate", "prices_of",
]  # fmt: skip
