"""The objects of the cluster and the ways to change them: create, update, apply, delete.

Each way follows the real API server's order: what the caller may not say is the API's, defaults, owners of fields,
rules, quota, then the store. A write that changes nothing is none: the resource version stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.emulator.kubernetes import defaults, limits, metadata, ownership, quota, rules
from engine.emulator.kubernetes.allocations import Allocations
from engine.emulator.kubernetes.calls import Options
from engine.emulator.kubernetes.fields import ANYTHING, Path
from engine.emulator.kubernetes.ownership import Owners, Writer
from engine.emulator.kubernetes.refusals import (
    Cause,
    Json,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    not_found,
    not_typed,
    outdated,
    required,
)
from engine.emulator.kubernetes.resources import Resource, Resources, Storage
from engine.emulator.kubernetes.store import Event, Name, Store, name_of
from engine.kubernetes import Schema

NAMESPACES = ("", "namespaces")
CRDS = ("apiextensions.k8s.io", "customresourcedefinitions")
CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"  # finalizers that stand for a propagation policy
_STATUS: frozenset[Path] = frozenset({("f:status",)})
_NOT_STATUS: frozenset[Path] = frozenset({("f:spec",), ("f:metadata", "f:labels")})
_KEPT = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "name",
    "namespace",
)


@dataclass(frozen=True)
class Deletion:
    """How something is deleted; ``uid`` and ``resource_version`` are preconditions where they are given."""

    policy: str = "Background"
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


class Cluster:
    """Everything in the API. Use it only in the thread of its event loop."""

    def __init__(self, version: str) -> None:
        self.resources = Resources(version)
        self.store = Store()
        self.allocations = Allocations(self.store)
        self.store.listeners.append(self._keep_resources)

    def named(self, api_version: str, kind: str) -> Resource:
        found = self.resources.of_kind(api_version, kind)
        assert found is not None, f"{api_version} {kind} is not served"
        return found

    def names(self) -> frozenset[tuple[Storage, Name]]:
        """Everything that is there."""
        return frozenset((storage, name_of(body)) for storage, body in self.store.everything())

    def forget_all_but(self, kept: Collection[tuple[Storage, Name]]) -> None:
        """Everything else is gone at once, whatever its finalizers say: so it is when a cluster is deleted."""
        for storage, name in sorted(self.names().difference(kept), key=lambda each: each[0] == CRDS):
            self.store.remove(storage, *name)

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Raises NotFound."""
        found = self.store.get(resource.storage, namespace, name)
        if found is None:
            raise not_found(resource.qualified, name)
        return found

    def create(self, resource: Resource, namespace: str, body: Json, options: Options = Options()) -> Json:  # noqa: B008
        """Raises AlreadyExists, Invalid, Forbidden (quota, a namespace that ends), NotFound for the namespace."""
        given = body.get("metadata") or {}
        if given.get("resourceVersion"):
            raise not_typed("resourceVersion should not be set on objects to be created")
        body = body | _type_of(resource) | {"metadata": metadata.fresh(resource, given, namespace)}
        body = defaults.complete(resource, body)
        writer = self._writer(resource, options)
        nothing = {} if resource.custom else ownership.empty(ownership.bare(body))
        owners = ownership.updated(_schema(resource), nothing, ownership.bare(body), {}, writer)
        return self._create(resource, body, owners, options)

    def _create(self, resource: Resource, body: Json, owners: Owners, options: Options) -> Json:
        namespace, name = body["metadata"].get("namespace", ""), body["metadata"].get("name", "")
        if resource.namespaced:
            self._check_namespace(resource, namespace, name)
        if self.store.get(resource.storage, namespace, name):
            raise already_exists(resource.qualified, name)
        if resource.has("status") and resource.kind != "Namespace":
            body = {key: value for key, value in body.items() if key != "status"} | defaults.first_status(resource)
        body = limits.filled(self.store, resource, self.allocations.give(resource, body, None))
        self._check(resource, body, None)
        quota.check(self.store, resource, body, None)
        body = ownership.with_owners(body, owners)
        return body if options.dry_run else self.store.put(resource.storage, body)

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Callable[[Json], Json],
        options: Options = Options(),  # noqa: B008
    ) -> Json:
        """Store what ``change`` makes of the object. Raises NotFound, Conflict, Invalid, BadRequest."""
        old = self.get(resource, namespace, name)
        new = change(old)
        self._check_identity(resource, old, new)
        claimed = (new.get("metadata") or {}).get("managedFields")
        owners = {} if claimed in ([], [{}]) else ownership.owners_of(new if claimed else old)
        if options.subresource:
            owners = ownership.owners_of(old)
        new = self._kept(resource, old, new, options.subresource)
        writer = self._writer(resource, options)
        if owners or claimed:
            owners = ownership.updated(_schema(resource), ownership.bare(old), ownership.bare(new), owners, writer)
        return self._replace(resource, old, new, owners, options)

    def apply(
        self, resource: Resource, namespace: str, name: str, config: Json, options: Options, *, force: bool = False
    ) -> tuple[Json, bool]:
        """Server-side apply; the second says whether the object was made. Raises Conflict for fields of others."""
        config = _applied_config(resource, namespace, name, config)
        writer, schema = self._writer(resource, options), _schema(resource)
        old = self.store.get(resource.storage, namespace, name)
        if old is None:
            if options.subresource:
                raise not_found(resource.qualified, name)
            body, owners = ownership.applied(schema, _type_of(resource), config, {}, writer, force=force)
            body = body | _type_of(resource) | {"metadata": metadata.fresh(resource, body["metadata"], namespace)}
            return self._create(resource, defaults.complete(resource, body), owners, options), True
        self._check_identity(resource, old, config | {"metadata": config["metadata"] | {"name": name}})
        live = ownership.bare(old)
        owners = ownership.owners_of(old)
        if not owners:
            before = Writer("before-first-apply", resource.api_version)
            owners = ownership.updated(schema, {}, live, {}, before)
        new, owners = ownership.applied(schema, live, config, owners, writer, force=force)
        new = self._kept(resource, old, new, options.subresource)
        return self._replace(resource, old, new, owners, options), False

    def delete(
        self, resource: Resource, namespace: str, name: str, deletion: Deletion = Deletion()
    ) -> tuple[Json, bool]:
        """The object as it is then, and whether it is gone; with finalizers it is only marked. Raises Conflict."""
        old = self.get(resource, namespace, name)
        self._check_preconditions(resource, old, deletion)
        about = dict(old["metadata"])
        finalizers = list(about.get("finalizers") or [])
        if not about.get("deletionTimestamp"):
            finalizers += {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(deletion.policy, [])
            if resource.storage == CRDS:
                finalizers.append(CRD_CLEANUP)
            about |= {"deletionTimestamp": metadata.now(), "deletionGracePeriodSeconds": 0}
            about |= {"generation": about["generation"] + 1} if "generation" in about else {}
        if finalizers:
            about["finalizers"] = list(dict.fromkeys(finalizers))
        marked = old | {"metadata": about}
        if resource.storage == NAMESPACES:
            marked |= {"status": (old.get("status") or {}) | {"phase": "Terminating"}}
        if deletion.dry_run:
            return marked, _may_go(marked)
        if _may_go(marked):
            return self.store.remove(resource.storage, namespace, name), True
        return (old if marked == old else self.store.put(resource.storage, marked)), False

    def _replace(self, resource: Resource, old: Json, new: Json, owners: Owners, options: Options) -> Json:
        if not options.subresource:
            new = defaults.complete(resource, new)
            new = self.allocations.give(resource, new, old)
        if metadata.counts_changes(resource) and _substance(new) != _substance(old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        self._check(resource, new, old)
        if not options.subresource:
            quota.check(self.store, resource, new, old)
        if ownership.bare(new) == ownership.bare(old) and _same_owners(owners, old):
            return old
        new = ownership.with_owners(new, owners)
        if options.dry_run:
            return new
        if new["metadata"].get("deletionTimestamp") and _may_go(new):
            self.store.put(resource.storage, new)
            return self.store.remove(resource.storage, *name_of(new))
        return self.store.put(resource.storage, new)

    def _kept(self, resource: Resource, old: Json, new: Json, subresource: str) -> Json:
        """The new object with what this way of writing can't change as it was."""
        about = {key: value for key, value in (new.get("metadata") or {}).items() if key not in (*_KEPT, "selfLink")}
        about |= {key: old["metadata"][key] for key in _KEPT if key in old["metadata"]}
        about["resourceVersion"] = old["metadata"]["resourceVersion"]
        if subresource == "status":
            whole = {key: value for key, value in old.items() if key != "status"}
            return whole | ({"status": new["status"]} if new.get("status") is not None else {})
        kept = new | _type_of(resource) | {"metadata": about}
        if resource.has("status"):
            kept = {key: value for key, value in kept.items() if key != "status"}
            kept |= {"status": old["status"]} if "status" in old else {}
        if resource.storage == NAMESPACES and subresource != "finalize":
            kept["spec"] = old.get("spec") or {}
        return {key: value for key, value in kept.items() if value is not None}

    def _writer(self, resource: Resource, options: Options) -> Writer:
        reset = _NOT_STATUS if options.subresource == "status" else _STATUS if resource.has("status") else frozenset()
        return Writer(options.manager, resource.api_version, options.subresource, reset)

    def _check(self, resource: Resource, body: Json, old: Json | None) -> None:
        causes = list(metadata.mistakes(resource, body["metadata"])) if old is None else []
        causes += rules.broken(resource, body, old)
        if causes:
            raise invalid(resource.kind, resource.group, body["metadata"].get("name", ""), causes)

    def _check_identity(self, resource: Resource, old: Json, new: Json) -> None:
        about, was = new.get("metadata") or {}, old["metadata"]
        if about.get("name") not in (None, "", was["name"]):
            raise bad_request(
                f"the name of the object ({about['name']}) does not match the name on the URL ({was['name']})"
            )
        if about.get("resourceVersion") not in (None, "", was["resourceVersion"]):
            raise outdated(resource.qualified, was["name"])
        if about.get("uid") not in (None, "", was["uid"]):
            group = f"{resource.group}/" if resource.group else ""
            place = f"{was['namespace']}/{was['name']}" if resource.namespaced else was["name"]
            words = f"StorageError: invalid object, Code: 4, Key: /registry/{group}{resource.plural}/{place}, "
            words += f"ResourceVersion: 0, AdditionalErrorMsg: {_precondition('UID', about['uid'], was['uid'])}"
            raise conflict(resource.qualified, was["name"], words)
        added = set(about.get("finalizers") or []) - set(was.get("finalizers") or [])
        if was.get("deletionTimestamp") and added:
            words = ", ".join(f'"{name}"' for name in sorted(added))
            why = "no new finalizers can be added if the object is being deleted, found new finalizers []string"
            cause = Cause("FieldValueForbidden", f"Forbidden: {why}{{{words}}}", "metadata.finalizers")
            raise invalid(resource.kind, resource.group, was["name"], [cause])

    def _check_preconditions(self, resource: Resource, old: Json, deletion: Deletion) -> None:
        about = old["metadata"]
        if deletion.uid and deletion.uid != about["uid"]:
            why = f"the UID in the precondition ({deletion.uid}) does not match the UID in record ({about['uid']}). "
            kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
            raise conflict(kind, about["name"], f"{why}The object might have been deleted and then recreated")
        if deletion.resource_version and deletion.resource_version != about["resourceVersion"]:
            words = _precondition("ResourceVersion", deletion.resource_version, about["resourceVersion"])
            raise conflict(resource.qualified, about["name"], words)
        if resource.storage == NAMESPACES and about["name"] in ("default", "kube-system", "kube-public"):
            raise forbidden(resource.qualified, about["name"], "this namespace may not be deleted")

    def _check_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        found = self.store.get(NAMESPACES, "", namespace)
        if found is None:
            raise not_found("namespaces", namespace)
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = Cause("NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace")
            raise forbidden(resource.qualified, name, why, [cause])

    def _keep_resources(self, event: Event) -> None:
        """A CRD that is gone is no longer served; serving a new one is its controller's work."""
        if event.storage == CRDS and event.change == "DELETED":
            self.resources.withdraw(event.object["metadata"]["name"])


def _schema(resource: Resource) -> Schema:
    return resource.schema or ANYTHING


def _type_of(resource: Resource) -> Json:
    return {"apiVersion": resource.api_version, "kind": resource.kind}


def _applied_config(resource: Resource, namespace: str, name: str, config: Json) -> Json:
    about = config.get("metadata") or {}
    if about.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    if not config.get("kind") or not config.get("apiVersion"):
        raise invalid(
            resource.kind, resource.group, name, [required("kind" if config.get("apiVersion") else "apiVersion")]
        )
    if about.get("name") not in (None, "", name):
        raise bad_request(f"the name of the object ({about['name']}) does not match the name on the URL ({name})")
    place = {"name": name} | ({"namespace": namespace} if resource.namespaced else {})
    return config | {"metadata": about | place}


def _precondition(what: str, wanted: str, found: str) -> str:
    return f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"


def _may_go(body: Json) -> bool:
    """Whether nothing holds an object that is to be deleted."""
    if body["metadata"].get("finalizers"):
        return False
    return body.get("kind") != "Namespace" or not (body.get("spec") or {}).get("finalizers")


def _substance(body: Json) -> Json:
    return {key: value for key, value in body.items() if key not in ("metadata", "status", "apiVersion")}


def _same_owners(owners: Owners, old: Json) -> bool:
    former = ownership.owners_of(old)
    return owners.keys() == former.keys() and all(owners[key].fields == former[key].fields for key in owners)
