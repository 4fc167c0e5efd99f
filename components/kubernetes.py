"""What the Kubernetes objects of the platform have in common: whose they are, in labels, and how pods are held down.

Labels are to the cluster what tags are to AWS: the same keys with the same meaning, on every object and on every pod,
so that costs can be told apart inside a cluster too. A label's value takes fewer characters than a tag's; see
``label_value``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import pulumi
from pulumi_kubernetes.core.v1 import SecurityContextArgsDict

from components.base import PlatformComponent
from components.tags import MANAGED_BY, Ownership, deployment_tags

PART_OF: Final = "bedplate"
_LABEL_LIMIT = 63
# Where a pod's template lies in an object, from its root, for the kinds that have one.
_TEMPLATES = (("spec", "template"), ("spec", "job_template", "spec", "template"))
# They can't be changed: a StatefulSet would be made anew for every label, and with it its volumes where they go along.
_CLAIM_LABELS: Final = "spec.volumeClaimTemplates[*].metadata.labels"


class KubernetesComponent(PlatformComponent, area="kubernetes"):
    """A part of the platform that lives in the cluster: each object, pod and volume gets ``labels`` without being told.

    An object's own labels win, and so do those of a component further in: a team's objects carry the team's name.
    """

    def __init__(self, name: str, labels: Mapping[str, str], opts: pulumi.ResourceOptions | None = None) -> None:
        self._labels = {**labels, "Component": label_value(name)}
        labelling = pulumi.ResourceOptions(transformations=[self._label_child])
        super().__init__(name, pulumi.ResourceOptions.merge(opts, labelling))

    def _label_child(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        # Helm releases have no metadata: what they render is the chart's.
        if not args.type_.startswith("kubernetes:") or "metadata" not in args.props:
            return None
        props = cast("dict[str, Any]", dict(args.props))
        props["metadata"] = self._labelled(props["metadata"])
        for path in _TEMPLATES:
            props = cast("dict[str, Any]", self._label_template(props, path))
        claims, opts = (props.get("spec") or {}).get("volume_claim_templates"), args.opts
        if claims:
            labelled = [{**each, "metadata": self._labelled(each.get("metadata"))} for each in claims]
            props["spec"] = {**props["spec"], "volume_claim_templates": labelled}
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=[_CLAIM_LABELS]))
        return pulumi.ResourceTransformationResult(props, opts)

    def _labelled(self, metadata: Any) -> dict[str, Any]:
        given = cast("Mapping[str, Any]", metadata or {})
        return {**given, "labels": {**self._labels, **(given.get("labels") or {})}}

    def _label_template(self, holder: Any, path: tuple[str, ...]) -> Any:
        """``holder`` with the labels in the metadata at ``path``, or as it is where nothing lies there."""
        if not isinstance(holder, Mapping):
            return holder
        found = cast("Mapping[str, Any]", holder)
        if not path:
            return {**found, "metadata": self._labelled(found.get("metadata"))}
        first, *rest = path
        return {**found, first: self._label_template(found[first], tuple(rest))} if first in found else found


class ManifestObject(pulumi.CustomResource):
    """An object of a custom kind with fields at its root: ``apiextensions.CustomResource`` takes a ``spec`` only."""

    def __init__(
        self,
        name: str,
        api_version: str,
        kind: str,
        metadata: Mapping[str, Any],
        fields: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
        super().__init__(f"kubernetes:{api_version}:{kind}", name, props, opts)


def deployment_labels(project: str, stack: str, ownership: Ownership) -> dict[str, str]:
    """The labels of one deployment: its tags, as far as labels can say them."""
    tags = deployment_tags(project, stack, ownership)
    labels = {name: label_value(value) for key, value in tags.items() if (name := _as_label(key))}
    return {**labels, "app.kubernetes.io/part-of": PART_OF, "app.kubernetes.io/managed-by": MANAGED_BY}


def _as_label(text: str) -> str:
    """``text`` in the characters and the length of a label's key or value; empty where nothing of it is left."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)[:_LABEL_LIMIT].strip("_.-")


def label_value(text: str) -> str:
    """``text`` in the characters and the length of a label's value; ``a@example.com`` becomes ``a_at_example.com``.

    Source: Kubernetes, "Labels and Selectors", syntax: at most 63 of ``[A-Za-z0-9_.-]``, alphanumeric at both ends.
    """
    return _as_label(text.replace("@", "_at_"))


def hardened(**exceptions: Any) -> SecurityContextArgsDict:
    """The security context of a container that needs nothing from its node; ``exceptions`` are what one does need."""
    context: dict[str, Any] = {
        "allow_privilege_escalation": False,
        "privileged": False,
        "read_only_root_filesystem": True,
        "run_as_non_root": True,
        "capabilities": {"drop": ["ALL"]},
        "seccomp_profile": {"type": "RuntimeDefault"},
    }
    return cast("SecurityContextArgsDict", cast("object", {**context, **exceptions}))
