"""Some thirty resources of every way to be found again: by name, by natural key, by the mark of their operation.

The configuration ``many:round`` changes some in place, replaces some and removes some.
"""

import json

import pulumi
import pulumi_aws as aws

second = pulumi.Config().get("round") == "2"

key = aws.kms.Key("key", description="for everything", enable_key_rotation=True, deletion_window_in_days=7)
aws.kms.Alias("alias", name="alias/many", target_key_id=key.key_id)
vpc = aws.ec2.Vpc("vpc", cidr_block="10.7.0.0/16", tags={"Name": "many", "Round": "2" if second else "1"})
group = aws.ec2.SecurityGroup("group", vpc_id=vpc.id, description="two" if second else "one")
tables = [aws.ec2.RouteTable(f"table-{number}", vpc_id=vpc.id) for number in range(3)]
for number, table in enumerate(tables):
    subnet = aws.ec2.Subnet(f"subnet-{number}", vpc_id=vpc.id, cidr_block=f"10.7.{number}.0/24")
    aws.ec2.RouteTableAssociation(f"association-{number}", subnet_id=subnet.id, route_table_id=table.id)
gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id)
aws.ec2.Route("out", route_table_id=tables[2].id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id)
aws.ec2.Eip("address", domain="vpc")
for name in ("plain", "other") if second else ("plain", "other", "third"):
    bucket = aws.s3.Bucket(name, force_destroy=True)
    aws.s3.BucketVersioning(name, bucket=bucket.id, versioning_configuration={"status": "Enabled"})
trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
role = aws.iam.Role("role", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
allow = {"Effect": "Allow", "Action": "s3:ListBucket" if second else "s3:GetObject", "Resource": "*"}
policy = aws.iam.Policy("policy", policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
aws.iam.RolePolicyAttachment("attachment", role=role.name, policy_arn=policy.arn)
aws.cloudwatch.LogGroup("logs", retention_in_days=30 if second else 7)
topic = aws.sns.Topic("topic", name="many-two" if second else "many-one", kms_master_key_id=key.arn)
aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="email", endpoint="someone@example.com")
repository = aws.ecr.Repository("repository", name="many", force_delete=True)
pulumi.export("vpc", vpc.id)
pulumi.export("password", pulumi.Output.secret("correct-horse-battery"))
