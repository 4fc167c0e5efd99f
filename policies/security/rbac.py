"""Rows 73 and 74: roles name what they grant, and nobody gets what leads to everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Stack
from policies.security.pack import SECURITY
from policies.subjects.kubernetes import KubernetesObject
from policies.subjects.roles import RBAC, Binding, PolicyRule, rules_of

_LISTS: Final = ("apiGroups", "resources", "verbs", "nonResourceURLs")
_ALL_VERBS: Final = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
_WRITE: Final = ("create", "update", "patch")
_ROLES: Final = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
_SOMEBODY: Final = ("users", "groups", "serviceaccounts", "uids")
_WEBHOOKS: Final = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
_EVERYBODY: Final = ("system:anonymous", "system:unauthenticated")
_ADMINS: Final = "system:masters"


@SECURITY.rule(
    "rbac-wildcard",
    number=73,
    title="Roles have no wildcards",
    severity="critical",
    fix="Name the API groups, resources and verbs that are needed.",
    frameworks=("CISE:4.1.3",),
    tags=("checkov:CKV_K8S_49", "trivy:KSV-0044", "trivy:KSV-0045", "trivy:KSV-0046"),
)
def rbac_wildcard(rule: PolicyRule) -> Iterator[Finding]:
    """A wildcard grants what does not exist yet, too: each resource that somebody installs later.

    Judged are API groups, resources (``*/scale`` is a wildcard, too), verbs, and ``*`` as a URL.
    """
    for field in _LISTS:
        wild = [text for text in rule.texts(field) if _is_wild(text, field)]
        if wild:
            grants = ", ".join(f"'{text}'" for text in wild)
            yield Finding(f"the {rule.role.kind} '{rule.role.name}' grants {grants} in {field}", f"{rule.path}.{field}")


def _is_wild(text: str, field: str) -> bool:
    # Below a path a wildcard is the only way to name a URL's children.
    return text in ("*", "/*") if field == "nonResourceURLs" else "*" in text


@SECURITY.rule(
    "rbac-aggregates-all",
    number=73,
    title="No role collects all others",
    severity="critical",
    fix="Name a label in aggregationRule.clusterRoleSelectors.",
    frameworks=("CISE:4.1.3",),
)
def rbac_aggregates_all(each: KubernetesObject) -> Iterator[Finding]:
    """A ClusterRole whose aggregationRule has an empty selector gets the rules of every ClusterRole: cluster-admin's.

    What an aggregated role collects by labels is judged in the roles that it collects.
    """
    if each.group != RBAC or each.kind != "ClusterRole":
        return
    for selector in each.body.get("aggregationRule", "clusterRoleSelectors").items():
        if not len(selector.get("matchLabels")) and not len(selector.get("matchExpressions")):
            yield Finding(f"the ClusterRole '{each.name}' collects the rules of all ClusterRoles", selector.path)


@SECURITY.rule(
    "rbac-secrets",
    number=74,
    title="Roles give no access to secrets",
    severity="critical",
    fix="Name the secrets in resourceNames, or have the pod mount them: that takes no rights.",
    frameworks=("CISE:4.1.2",),
    tags=("trivy:KSV-0041", "checkov:CKV2_K8S_5"),
)
def rbac_secrets(rule: PolicyRule) -> Iterator[Finding]:
    """Who reads the secrets of a namespace has the tokens of its accounts; list and watch show their content, too.

    A rule that names the secrets (resourceNames) passes.
    """
    if rule.grants("", ["secrets"], _ALL_VERBS) and not rule.texts("resourceNames"):
        yield _granted(rule, f"{_verbs(rule)} on all secrets")


@SECURITY.rule(
    "rbac-escalate",
    number=74,
    title="Roles don't let anybody widen rights",
    severity="critical",
    fix="Remove the verbs bind and escalate; without them one can only pass on what one has.",
    frameworks=("CISE:4.1.8",),
    tags=("checkov:CKV_K8S_157", "checkov:CKV_K8S_158", "checkov:CKV2_K8S_1", "trivy:KSV-0050"),
)
def rbac_escalate(rule: PolicyRule) -> Iterator[Finding]:
    """``bind`` binds any role to oneself, ``escalate`` writes any right into a role: either is cluster-admin."""
    if rule.grants(RBAC, _ROLES, ["bind", "escalate"]):
        yield _granted(rule, f"{_verbs(rule)} on roles or bindings")


@SECURITY.rule(
    "rbac-impersonate",
    number=74,
    title="Roles don't let anybody be somebody else",
    severity="critical",
    fix="Remove the verb impersonate.",
    frameworks=("CISE:4.1.8",),
    tags=("trivy:KSV-0043", "checkov:CKV2_K8S_3"),
)
def rbac_impersonate(rule: PolicyRule) -> Iterator[Finding]:
    """Who may impersonate users, groups or accounts has the rights of each of them, system:masters among them."""
    named = "impersonate" in rule.texts("verbs")
    if named or rule.grants("", _SOMEBODY, ["impersonate"]):
        yield _granted(rule, "impersonate")


@SECURITY.rule(
    "rbac-webhooks",
    number=74,
    title="Roles don't let anybody change admission",
    severity="critical",
    fix="Leave webhook configurations to what installs them.",
    frameworks=("CISE:4.1.8",),
    tags=("checkov:CKV_K8S_155",),
)
def rbac_webhooks(rule: PolicyRule) -> Iterator[Finding]:
    """Whoever writes webhook configurations sees every secret that is written, and changes every pod that is made."""
    if rule.role.kind == "ClusterRole" and rule.grants("admissionregistration.k8s.io", _WEBHOOKS, _WRITE):
        yield _granted(rule, f"{_verbs(rule)} on admission webhooks")


@SECURITY.rule(
    "rbac-certificates",
    number=74,
    title="No role approves certificates",
    severity="critical",
    fix="Split the two rights, or leave approval to Kubernetes' own controllers.",
    frameworks=("CISE:4.1.8",),
    tags=("checkov:CKV_K8S_156",),
)
def rbac_certificates(each: KubernetesObject) -> Iterator[Finding]:
    """Whoever approves a certificate of the cluster's CA can be any user. It takes two rights."""
    if each.group != RBAC or each.kind != "ClusterRole":
        return
    group, rules = "certificates.k8s.io", list(rules_of(each))
    approves = any(rule.grants(group, ["certificatesigningrequests/approval"], ["update", "patch"]) for rule in rules)
    if approves and any(rule.grants(group, ["signers"], ["approve"]) for rule in rules):
        yield Finding(f"the ClusterRole '{each.name}' may approve certificates", each.body.get("rules").path)


def _granted(rule: PolicyRule, what: str) -> Finding:
    return Finding(f"the {rule.role.kind} '{rule.role.name}' grants {what}", rule.path)


def _verbs(rule: PolicyRule) -> str:
    return ", ".join(rule.texts("verbs"))


@SECURITY.rule(
    "cluster-admin",
    number=74,
    title="Nobody is bound to cluster-admin",
    severity="critical",
    fix="Bind a role with the rights that are needed.",
    frameworks=("CISE:4.1.1",),
    tags=("trivy:KSV-0111",),
    parameters={
        "roles": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": ["cluster-admin"],
            "description": "Roles that nobody may be bound to.",
        }
    },
)
def cluster_admin(binding: Binding, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """cluster-admin may do anything, and so may the group system:masters, past all roles.

    A role counts by its name, whatever its kind: a Role that is called so is meant to be as much.
    """
    forbidden: list[str] = parameters["roles"]
    name = binding.role.get("name")
    if name.text("") in forbidden:
        yield Finding(f"the {binding.object.kind} '{binding.object.name}' gives {name.shown()}", name.path)
    for subject in binding.subjects:
        if subject.get("kind").text("") == "Group" and subject.get("name").text("") == _ADMINS:
            yield Finding(f"the {binding.object.kind} '{binding.object.name}' is for {_ADMINS}", subject.path)


@SECURITY.rule(
    "anonymous-rights",
    number=74,
    title="Nobody without a name has rights",
    severity="critical",
    fix="Bind the role to the users, groups or accounts that need it.",
    frameworks=("CISE:4.1.1",),
    tags=("gatekeeper:disallowanonymous", "trivy:KSV-0122"),
)
def anonymous_rights(binding: Binding) -> Iterator[Finding]:
    """system:anonymous and system:unauthenticated are whoever reaches the API server."""
    for subject in binding.subjects:
        name = subject.get("name")
        if subject.get("kind").text("") in ("User", "Group") and name.text("") in _EVERYBODY:
            yield Finding(
                f"the {binding.object.kind} '{binding.object.name}' gives rights to {name.shown()}", name.path
            )


@SECURITY.rule(
    "account-exec",
    number=74,
    title="No account may run commands in pods",
    severity="critical",
    fix="Bind the role to people, or remove create on pods/exec, pods/attach and nodes/proxy.",
    frameworks=("CISE:4.1.8",),
    tags=("checkov:CKV2_K8S_2",),
)
def account_exec(binding: Binding, stack: Stack) -> Iterator[Finding]:
    """An account that runs commands in pods has what each of them has; nodes/proxy does so past admission and audit.

    Judged are bindings to ServiceAccounts and nodes of roles that the stack declares. People may be let in.
    """
    yield from _by_account(binding, stack, ["pods/exec", "pods/attach", "nodes/proxy"], ["create"])


@SECURITY.rule(
    "account-service-status",
    number=74,
    title="No account may change where a service's traffic goes",
    severity="critical",
    fix="Remove update and patch on services/status.",
    frameworks=("CISE:4.1.8",),
    tags=("checkov:CKV2_K8S_4",),
)
def account_service_status(binding: Binding, stack: Stack) -> Iterator[Finding]:
    """Whoever writes a service's load balancer address takes the cluster's traffic to it (CVE-2020-8554)."""
    yield from _by_account(binding, stack, ["services/status"], ["update", "patch"])


def _by_account(binding: Binding, stack: Stack, resources: list[str], verbs: list[str]) -> Iterator[Finding]:
    accounts = [each for each in binding.subjects if each.get("kind").text("") in ("ServiceAccount", "Node")]
    role = binding.role_in(stack) if accounts else None
    if role is None:
        return
    if any(rule.grants("", resources, verbs) for rule in rules_of(role)):
        named = ", ".join(each.get("name").shown() for each in accounts)
        yield Finding(
            f"the {binding.object.kind} '{binding.object.name}' lets {named} {verbs[0]} {' or '.join(resources)}",
            binding.role.path,
        )
