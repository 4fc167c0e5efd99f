"""The images of monitoring: each one named by version and digest, from a registry that the packs approve."""

from __future__ import annotations

import re

import pytest

from components.observability import images
from policies.security.images import APPROVED_REGISTRIES
from policies.subjects.images import ImageName

IMAGES = {name: value for name, value in vars(images).items() if name.isupper()}


@pytest.mark.parametrize("name", IMAGES)
def test_each_image_is_pinned_and_comes_from_an_approved_registry(name: str) -> None:
    image = ImageName.of(IMAGES[name])
    assert re.fullmatch("sha256:[0-9a-f]{64}", image.digest)
    assert re.match(r"v?\d+\.\d+\.\d+", image.tag)
    assert any(image.comes_from(registry) for registry in APPROVED_REGISTRIES)
