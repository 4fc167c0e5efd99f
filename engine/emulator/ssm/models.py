"""The SSM backend that moto is given instead of its own.

Source: Amazon EKS User Guide, "Retrieve recommended Amazon Linux AMI IDs", 2026-11. The images are of the releases
that ``eks.versions`` knows.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from moto.core.utils import utcnow
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

from engine.emulator.eks import versions

_IMAGE = re.compile(
    r"/aws/service/eks/optimized-ami/(?P<version>\d+\.\d+)/amazon-linux-2023/(?P<architecture>x86_64|arm64)/"
    r"(?P<variant>standard|nvidia|neuron)/recommended(?P<part>/image_id|/release_version|/image_name)?"
)


class ExtendedSSMBackend(SimpleSystemManagerBackend):
    def get_parameter(self, name: str) -> Any:
        self._offer_image(name)
        return super().get_parameter(name)

    def get_parameters(self, names: list[str]) -> Any:
        for name in names:
            self._offer_image(name)
        return super().get_parameters(names)

    def _offer_image(self, name: str) -> None:
        """Put the parameter there, if it is one of EKS's and isn't there yet."""
        found = _IMAGE.fullmatch(name)
        if not found or found["version"] not in versions.OFFERED or self._parameters.get(name):
            return
        parameter: Any = Parameter(
            account_id=self.account_id,
            name=name,
            value=_image(found, self.region_name),
            parameter_type="String",
            description=None,
            allowed_pattern=None,
            keyid=None,
            last_modified_date=utcnow(),
            version=1,
            data_type="text",
        )
        self._parameters[name].append(parameter)


def _image(found: re.Match[str], region: str) -> str:
    release = versions.newest_release(found["version"])
    kind = f"{found['architecture']}-{found['variant']}-{found['version']}"
    digits = hashlib.sha256(f"{region} {kind} {release}".encode()).hexdigest()[:17]
    image = {
        "schema_version": "2",
        "image_id": f"ami-{digits}",
        "image_name": f"amazon-eks-node-al2023-{kind}-v{versions.RELEASE_DATE}",
        "release_version": release,
    }
    return image[found["part"].removeprefix("/")] if found["part"] else json.dumps(image)
