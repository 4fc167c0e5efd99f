"""Apply chains, registration inside apply, secrets through apply, unknowns, invokes, config, logs and stack outputs."""

from __future__ import annotations

import pulumi
from kit import Part, Provider, Thing

config = pulumi.Config()
here = Provider("here", region="here")
a = Thing("a", size=1)
a.arn.apply(lambda arn: Thing("inner", of=arn))
password = config.require_secret("password").apply(lambda text: f"<{text}>")
Thing("b", pulumi.ResourceOptions(additional_secret_outputs=["arn"]), password=password, list=[password, "open"])
part = Part("part", pulumi.ResourceOptions(providers=[here]))
Thing("below", pulumi.ResourceOptions(parent=part))
part.register_outputs({"arn": a.arn})
Thing("after", pulumi.ResourceOptions(depends_on=[part]))
looked_up = pulumi.runtime.invoke("test:index:lookup", {"name": "x"}).value
late = pulumi.runtime.invoke_output("test:index:lookup", {"name": a.arn})
pulumi.log.warn("a warning of the program")
pulumi.export("arn", a.arn.apply(lambda arn: arn.upper()))
pulumi.export("password", password)
pulumi.export("answer", looked_up["answer"])
pulumi.export("late", late.apply(lambda result: result["name"]))
pulumi.export("dry", pulumi.runtime.is_dry_run())
