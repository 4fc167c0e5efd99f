"""Kinds that are not built in: judged by what their controllers conventionally write into the status.

An object whose controller writes none of it (or does not run) is ready as soon as it exists. Source of the conventions:
sigs.k8s.io/cli-utils, pkg/kstatus, README.
"""

from __future__ import annotations

from engine.providers.kubernetes.readiness.verdict import (
    READY,
    Object,
    Readiness,
    at,
    condition,
    failed,
    is_true,
    said,
    unobserved,
    waiting,
)


def custom(value: Object) -> Readiness:
    if at(value, "status", "observedGeneration") is not None and unobserved(value):
        return waiting("its controller has not seen the latest change yet")
    if is_true(value, "Stalled"):
        return failed(said(condition(value, "Stalled")) or "its controller has given up (condition Stalled)")
    if is_true(value, "Reconciling"):
        return waiting(said(condition(value, "Reconciling")) or "its controller works on it (condition Reconciling)")
    ready = condition(value, "Ready")
    if ready is not None and ready.get("status") != "True":
        return waiting(said(ready) or f"condition Ready is {ready.get('status')}")
    return READY
