"""A stack transform, a resource's own and one that children inherit."""

from __future__ import annotations

import pulumi
from kit import Part, Thing


def tagged(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if not args.type_.startswith("test:"):
        return None
    return pulumi.ResourceTransformResult(props={**args.props, "tag": "stack"}, opts=args.opts)


def sized(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
    options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    return pulumi.ResourceTransformResult(props={**args.props, "size": 7}, opts=options)


pulumi.runtime.register_resource_transform(tagged)
part = Part("part", pulumi.ResourceOptions(transforms=[sized]))
Thing("child", pulumi.ResourceOptions(parent=part), size=1)
Thing("alone", size=1)
