"""Lists and single objects, in the form that is asked for."""

from __future__ import annotations

import base64
import json

from engine.emulator.kubernetes import selectors, tables
from engine.emulator.kubernetes.calls import Call
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.refusals import Json, bad_request
from engine.emulator.kubernetes.watching import Wanted, shown


def wanted(call: Call) -> Wanted:
    """Raises BadRequest for a selector that can't be read."""
    labels = selectors.of_labels(call.query.get("labelSelector", ""))
    fields = selectors.of_fields(call.query.get("fieldSelector", ""), call.resource)
    return Wanted(call.resource, call.namespace, lambda body: labels(body) and fields(body))


def listed(cluster: Cluster, call: Call) -> Json:
    """A list, or a table; ``limit`` and ``continue`` page through it in the order of names."""
    bodies = [body for body in cluster.store.list(call.resource.storage, call.namespace) if wanted(call)(body)]
    about: Json = {"resourceVersion": str(cluster.store.revision)}
    start, limit = _start(call.query.get("continue", "")), int(call.query.get("limit") or 0)
    if start or limit:
        page = bodies[start : start + limit] if limit else bodies[start:]
        left = len(bodies) - start - len(page)
        if left > 0:
            token = json.dumps({"v": "meta.k8s.io/v1", "start": start + len(page)}).encode()
            about |= {"continue": base64.urlsafe_b64encode(token).decode(), "remainingItemCount": left}
        bodies = page
    if tables.ASKED.search(call.headers.get("Accept", "")):
        return tables.table(call.resource, bodies, about)
    # The items of a list say neither their kind nor their version, save those of a custom resource.
    items = [shown(call.resource, body) if call.resource.custom else _item(body) for body in bodies]
    head = {"kind": f"{call.resource.kind}List", "apiVersion": call.resource.api_version}
    return head | {"metadata": about, "items": items}


def got(cluster: Cluster, call: Call) -> Json:
    body = shown(call.resource, cluster.get(call.resource, call.namespace, call.name))
    if tables.ASKED.search(call.headers.get("Accept", "")):
        return tables.table(call.resource, [body], {"resourceVersion": body["metadata"]["resourceVersion"]})
    return body


def _item(body: Json) -> Json:
    return {key: value for key, value in body.items() if key not in ("kind", "apiVersion")}


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["start"])
    except (ValueError, KeyError, TypeError):
        raise bad_request(f"continue key is not valid: {token}") from None
