"""Budget rules: each module here registers its rules, so that adding a file is enough.

A module must not be called what a library is called (``secrets``): Pulumi runs packs from their own folder.
"""

from policies.budget.pack import BUDGET
from policies.kit import import_modules

__all__ = ["BUDGET"]

import_modules(__name__, __path__)
