"""Components that ``pulumi_kubernetes`` leaves to its provider: objects of manifests, each a resource of its own.

    sources       where manifests are: files, addresses, texts, values of the program
    objects       what they declare: lists taken apart, each with kind and name, in a namespace
    ordering      which of them must be there before which
    construct     registering the component and what is in it

A preview of a program that has none of them pays for none of this: ``construct`` is imported where there is one.
"""

from typing import Final

CONFIG_FILE: Final = "kubernetes:yaml/v2:ConfigFile"
CONFIG_GROUP: Final = "kubernetes:yaml/v2:ConfigGroup"
COMPONENTS: Final = frozenset({CONFIG_FILE, CONFIG_GROUP})
