"""Components that ``pulumi_kubernetes`` leaves to its provider: objects of manifests, each a resource of its own.

    sources       where manifests are: files, addresses, texts, values of the program
    kustomize     a folder that another program builds
    charts        a chart that another program renders
    objects       what they declare: lists taken apart, each with kind and name, in a namespace
    ordering      which of them must be there before which
    construct     registering the component and what is in it

A preview of a program that has none of them pays for none of this: ``construct`` is imported where there is one.
"""

from typing import Final

CONFIG_FILE: Final = "kubernetes:yaml/v2:ConfigFile"
CONFIG_GROUP: Final = "kubernetes:yaml/v2:ConfigGroup"
DIRECTORY: Final = "kubernetes:kustomize/v2:Directory"
CHART: Final = "kubernetes:helm.sh/v4:Chart"
COMPONENTS: Final = frozenset({CONFIG_FILE, CONFIG_GROUP, DIRECTORY, CHART})
