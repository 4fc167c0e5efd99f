"""Is an object ready, as pulumi_kubernetes awaits its kind? Pure: an object in, a verdict with reasons out.

verdict        Readiness, and how status conditions are read
workloads      Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job
pods           Pod, and what its containers tell of why they don't run
surroundings   Service, Ingress, volumes and claims, Namespace, Secret, ResourceQuota, definitions
custom         every kind that is not built in, by the conventions of their controllers
related        what else must be read of the cluster to judge some kinds well
"""

from engine.providers.kubernetes.readiness.judge import readiness
from engine.providers.kubernetes.readiness.pods import pod_reasons, silent
from engine.providers.kubernetes.readiness.related import Related, related_to
from engine.providers.kubernetes.readiness.verdict import Readiness

__all__ = ["Readiness", "Related", "pod_reasons", "readiness", "related_to", "silent"]
