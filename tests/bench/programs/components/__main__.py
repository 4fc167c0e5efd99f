"""As many component resources as ``components:count`` says: no provider, so the time is the engine's and the SDK's."""

import pulumi


class Part(pulumi.ComponentResource):
    def __init__(self, name: str, number: int) -> None:
        super().__init__("bench:index:Part", name, {"number": number})
        self.register_outputs({"number": number})


for number in range(pulumi.Config().require_int("count")):
    Part(f"part-{number}", number)
