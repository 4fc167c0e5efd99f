"""What policies say is known before anything exists, where the settings name the account."""

from __future__ import annotations

import json

from tests.components.platform_recording import ACCOUNT, UNKNOWN, config_of, run_program

# A key's ARN holds an id that AWS makes up.
OF_A_KEY = {
    "cluster-addons-aws-ebs-csi-driver",
    "cluster-addons-aws-mountpoint-s3-csi-driver",
    "cluster-control-plane",
    "registry-maker",
}


def test_a_first_preview_knows_every_policy_but_those_that_name_a_key() -> None:
    config = {**config_of("prod"), "aws:allowedAccountIds": json.dumps([ACCOUNT])}
    run = run_program(config, "prod", offline=True)
    unknown = [
        (resource.type.rpartition(":")[2], resource.name, name)
        for resource in run.aws
        for name, value in resource.inputs.items()
        if name in ("policy", "assumeRolePolicy") and value == UNKNOWN
    ]
    assert sorted(unknown) == [("RolePolicy", name, "policy") for name in sorted(OF_A_KEY)]
