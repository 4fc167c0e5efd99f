"""The AWS account and region that the platform is deployed to, as policies need them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class Account:
    """``account_id`` is unknown in a preview without credentials, unless the settings name the account."""

    account_id: pulumi.Output[str]
    region: str
    partition: pulumi.Output[str]

    @property
    def root_arn(self) -> pulumi.Output[str]:
        """The principal that stands for the account, by which its IAM policies decide."""
        return pulumi.Output.format("arn:{0}:iam::{1}:root", self.partition, self.account_id)

    def arn(self, service: str, resource: pulumi.Input[str]) -> pulumi.Output[str]:
        """The ARN of a resource of this account and region.

        Made from a resource's name, a preview knows it before the resource exists, and so every policy that holds it.
        """
        return pulumi.Output.format(
            "arn:{0}:{1}:{2}:{3}:{4}", self.partition, service, self.region, self.account_id, resource
        )

    def role_arn(self, name: pulumi.Input[str]) -> pulumi.Output[str]:
        """The ARN of a role of this account, from its name."""
        return pulumi.Output.format("arn:{0}:iam::{1}:role/{2}", self.partition, self.account_id, name)

    def bucket_arn(self, bucket: pulumi.Input[str]) -> pulumi.Output[str]:
        """A bucket's ARN from its name, which a preview knows before the bucket exists."""
        return pulumi.Output.format("arn:{0}:s3:::{1}", self.partition, bucket)


def look_up(region: str, account_id: str | None, provider: aws.Provider) -> Account:
    """Ask AWS for what the settings don't say."""
    options = pulumi.InvokeOptions(provider=provider)
    partition = aws.get_partition_output(opts=options).partition
    if account_id is not None:
        return Account(pulumi.Output.from_input(account_id), region, partition)
    return Account(aws.get_caller_identity_output(opts=options).account_id, region, partition)
