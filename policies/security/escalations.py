"""Ways in which a principal can give itself more rights than it has: the actions that each way needs, in full.

Sources: Rhino Security Labs, "AWS IAM Privilege Escalation – Methods and Mitigation" (2018 to 2021), on which
policy-sentry's audit list rests; pathfinding.cloud (DataDog), 2026-08, for the ways through newer services.
Ways that need more than another way already does are left out: the shorter one finds them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ESCALATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    # by keys and passwords of others
    "makes access keys for another user": ("iam:CreateAccessKey",),
    "gives another user a password": ("iam:CreateLoginProfile",),
    "changes another user's password": ("iam:UpdateLoginProfile",),
    # by policies
    "joins a group with more rights": ("iam:AddUserToGroup",),
    "writes a new version of a policy": ("iam:CreatePolicyVersion",),
    "goes back to an older version of a policy": ("iam:SetDefaultPolicyVersion",),
    "attaches a policy to a user": ("iam:AttachUserPolicy",),
    "attaches a policy to a group": ("iam:AttachGroupPolicy",),
    "attaches a policy to a role": ("iam:AttachRolePolicy",),
    "writes a user's own policy": ("iam:PutUserPolicy",),
    "writes a group's own policy": ("iam:PutGroupPolicy",),
    "writes a role's own policy": ("iam:PutRolePolicy",),
    "lets itself assume a role": ("iam:UpdateAssumeRolePolicy",),
    # by handing a role to something that it then commands
    "starts an instance with a role": ("iam:PassRole", "ec2:RunInstances"),
    "asks for a Spot instance with a role": ("iam:PassRole", "ec2:RequestSpotInstances"),
    "makes and calls a function with a role": ("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"),
    "makes a function with a role and lets others call it": (
        "iam:PassRole", "lambda:CreateFunction", "lambda:AddPermission",
    ),
    "makes a function with a role that a table triggers": (
        "iam:PassRole", "lambda:CreateFunction", "lambda:CreateEventSourceMapping",
    ),
    "makes a Glue endpoint with a role": ("iam:PassRole", "glue:CreateDevEndpoint"),
    "runs a new Glue job with a role": ("iam:PassRole", "glue:CreateJob", "glue:StartJobRun"),
    "schedules a new Glue job with a role": ("iam:PassRole", "glue:CreateJob", "glue:CreateTrigger"),
    "runs a changed Glue job with a role": ("iam:PassRole", "glue:UpdateJob", "glue:StartJobRun"),
    "schedules a changed Glue job with a role": ("iam:PassRole", "glue:UpdateJob", "glue:CreateTrigger"),
    "deploys a CloudFormation stack with a role": ("iam:PassRole", "cloudformation:CreateStack"),
    "deploys a CloudFormation stack set with a role": (
        "iam:PassRole", "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances",
    ),
    "changes a CloudFormation stack set with a role": ("iam:PassRole", "cloudformation:UpdateStackSet"),
    "makes a data pipeline with a role": ("iam:PassRole", "datapipeline:CreatePipeline"),
    "builds with a role": ("iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuild"),
    "builds in batches with a role": ("iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuildBatch"),
    "runs an ECS service with a role": ("iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
    "runs an ECS task with a role": ("iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    "starts an ECS task with a role": ("iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:StartTask"),
    "makes an App Runner service with a role": ("iam:PassRole", "apprunner:CreateService"),
    "makes a SageMaker notebook with a role": ("iam:PassRole", "sagemaker:CreateNotebookInstance"),
    "trains in SageMaker with a role": ("iam:PassRole", "sagemaker:CreateTrainingJob"),
    "processes in SageMaker with a role": ("iam:PassRole", "sagemaker:CreateProcessingJob"),
    # by what has a role already
    "puts its key on a Glue endpoint": ("glue:UpdateDevEndpoint",),
    "changes a function's code": ("lambda:UpdateFunctionCode",),
    "opens a SageMaker notebook": ("sagemaker:CreatePresignedNotebookInstanceUrl",),
    "has its script run when a SageMaker notebook starts": (
        "sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:StopNotebookInstance",
        "sagemaker:UpdateNotebookInstance", "sagemaker:StartNotebookInstance",
    ),
    "works in a Bedrock code interpreter": (
        "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter",
    ),
    "executes a changed CloudFormation stack": (
        "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet",
    ),
    "changes an instance's user data": (
        "ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances",
    ),
    "changes a launch template": ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
    "puts its SSH key on an instance": ("ec2-instance-connect:SendSSHPublicKey", "ec2:DescribeInstances"),
    "enters a running ECS task": ("ecs:ExecuteCommand", "ecs:DescribeTasks"),
}  # fmt: skip

# Actions whose answer holds credentials, as policy-sentry's audit list and cloudsplaining have them (2026-08).
# ecr:GetAuthorizationToken is not among them: it can't be limited, and pulling an image needs it.
CREDENTIALS: Final = (
    "airflow:CreateCliToken",
    "airflow:CreateWebLoginToken",
    "appsync:CreateApiKey",
    "chime:CreateApiKey",
    "cloud9:CreateEnvironmentToken",
    "codeartifact:GetAuthorizationToken",
    "codepipeline:PollForJobs",
    "cognito-identity:GetCredentialsForIdentity",
    "cognito-identity:GetOpenIdToken",
    "cognito-identity:GetOpenIdTokenForDeveloperIdentity",
    "cognito-idp:AssociateSoftwareToken",
    "cognito-idp:GetSigningCertificate",
    "connect:GetFederationToken",
    "connect:GetFederationTokens",
    "ec2:GetPasswordData",
    "ecr-public:GetAuthorizationToken",
    "emr-containers:GetManagedEndpointSessionCredentials",
    "gamelift:GetComputeAccess",
    "gamelift:GetComputeAuthToken",
    "gamelift:GetInstanceAccess",
    "gamelift:RequestUploadCredentials",
    "grafana:CreateWorkspaceApiKey",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateAccessKey",
    "iot:AssumeRoleWithCertificate",
    "license-manager:GetAccessToken",
    "lightsail:CreateBucketAccessKey",
    "lightsail:DownloadDefaultKeyPair",
    "lightsail:GetInstanceAccessDetails",
    "lightsail:GetRelationalDatabaseMasterUserPassword",
    "mediapackage:RotateChannelCredentials",
    "mediapackage:RotateIngestEndpointCredentials",
    "rds-db:connect",
    "redshift-serverless:GetCredentials",
    "redshift:GetClusterCredentials",
    "redshift:GetClusterCredentialsWithIAM",
    "sso:GetRoleCredentials",
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
)
# Actions that read what nobody else should: objects, parameters and secrets.
EXFILTRATION: Final = (
    "s3:GetObject",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
)
