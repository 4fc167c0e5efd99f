"""What every component of the platform has in common: its type token, its names and the tags of its children."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import pulumi

from components import names
from components.names import NameRule, Naming
from components.tags import component_tags


class PlatformComponent(pulumi.ComponentResource):
    """A typed part of the platform. Subclasses name their area: ``class Keys(PlatformComponent, area="identity")``.

    The type token is ``bedplate:<area>:<Class>``. Children are made with ``self.child(part)`` as their name and
    ``self.options(...)`` as their options; each child that takes tags gets ``Name`` and ``Component`` without being
    told, the platform's other tags come from the provider.
    """

    type_token: ClassVar[str]

    def __init_subclass__(cls, *, area: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.type_token = f"bedplate:{area}:{cls.__name__}"

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        self.naming = Naming(pulumi.get_project(), pulumi.get_stack())
        self.component_name = name
        tagging = pulumi.ResourceOptions(transformations=[self._tag_child])
        super().__init__(self.type_token, name, None, pulumi.ResourceOptions.merge(opts, tagging))

    def child(self, *parts: str) -> str:
        """The logical name of a part of this component: unique in the stack, the same in every environment."""
        return "-".join((self.component_name, *parts))

    def physical(self, rule: NameRule, *parts: str) -> str:
        """The name in AWS of a part of this component, for services with flat names."""
        return self.naming.dashed(rule, *parts)

    def options(self, **kwargs: Any) -> pulumi.ResourceOptions:
        """Options of a child: below this component, plus whatever ``pulumi.ResourceOptions`` takes."""
        return pulumi.ResourceOptions(parent=self, **kwargs)

    def _tag_child(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        # Pulumi's AWS classes put every argument that they know into their properties, so this is true of each type
        # that can be tagged and of no other, without a list of types here.
        if "tags" not in args.props or not args.type_.startswith("aws:"):
            return None
        own = cast("Mapping[str, pulumi.Input[str]] | None", args.props["tags"]) or {}
        prefix = self.naming.dashed(names.NAME_TAG)
        name = args.name if args.name.startswith(prefix) else f"{prefix}-{args.name}"
        tags = {**component_tags(self.component_name, name), **own}
        return pulumi.ResourceTransformationResult({**args.props, "tags": tags}, args.opts)
