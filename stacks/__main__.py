"""The program: the settings of the stack's environment become the platform, and its outputs those of the stack."""

import pulumi

from components.platform import Platform
from stacks.choices import platform_args
from stacks.settings import SettingsError, from_config

stack = pulumi.get_stack()
try:
    settings = from_config(
        pulumi.runtime.get_config_env(),
        pulumi.runtime.get_config_secret_keys_env(),
        source=f"stacks/Pulumi.{stack}.yaml",
    )
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None  # what is wrong and where; a traceback would only hide it
platform = Platform("platform", platform_args(settings, pulumi.get_project(), stack))
for name, value in platform.exports().items():
    pulumi.export(name, value)
