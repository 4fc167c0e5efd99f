"""The settings of the platform: typed, checked and explained. See ``PlatformSettings`` for what there is.

An environment is a file ``stacks/Pulumi.<environment>.yaml``. The command line loads the file; the program reads the
same settings from Pulumi's configuration, so that ``pulumi config set`` and ``-c`` count. Both go through one check.
"""

from stacks.settings.files import environments, load, load_file
from stacks.settings.platform import PlatformSettings
from stacks.settings.problems import Problem, SettingsError, UnknownEnvironment
from stacks.settings.runtime import from_config
from stacks.settings.schema import json_schema

__all__ = [
    "PlatformSettings",
    "Problem",
    "SettingsError",
    "UnknownEnvironment",
    "environments",
    "from_config",
    "json_schema",
    "load",
    "load_file",
]
