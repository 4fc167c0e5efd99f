"""The command lines of a control plane's processes. Pure: certificates and files are made elsewhere.

All run in the control plane's directory, so paths in it are relative: a Unix socket's path may not be longer than about
a hundred characters, and a sandbox's directory may be.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.sandbox.native.binaries import Binaries
from engine.sandbox.supervised import Start

LOOPBACK = "127.0.0.1"
SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"  # the address of the service `kubernetes`, which in-cluster clients use
ETCD_SOCKET = "etcd.sock"
PEER_SOCKET = "etcd-peers.sock"
QUERIES_PER_SECOND = 500  # how much a controller may ask; the defaults (20 to 50) would make 500 pods take a minute
VOLUMES = "volumes"  # what plays the storage driver
STAGES = Path(__file__).with_name("stages.yaml")


def starts(binaries: Binaries, port: int) -> list[Start]:
    """The processes in the order in which they start."""
    return [
        Start("etcd", [str(binaries.path("etcd")), *_etcd()], notifies=True),
        Start("kube-apiserver", [str(binaries.path("kube-apiserver")), *_api_server(port)], "etcd", notifies=True),
        Start("kube-controller-manager", [str(binaries.path("kube-controller-manager")), *_controllers()],
              "kube-apiserver"),
        Start("kube-scheduler", [str(binaries.path("kube-scheduler")), *_scheduler()], "kube-apiserver"),
        Start("kwok", [str(binaries.path("kwok")), "--kubeconfig=kwok.kubeconfig", f"--config={STAGES}"],
              "kube-apiserver"),
        Start(VOLUMES, [sys.executable, "-P", "-m", "engine.sandbox.volumes", f"{VOLUMES}.kubeconfig"],
              "kube-apiserver"),
    ]  # fmt: skip


def _etcd() -> list[str]:
    return [
        "--name=sandbox",
        "--data-dir=etcd",
        f"--listen-client-urls=unix://{ETCD_SOCKET}",
        # A single member has no peers and nobody who looks for others, but must listen and be called something. Not on
        # a port: whoever is on this machine could speak to it there.
        f"--advertise-client-urls=http://{LOOPBACK}:0",
        f"--listen-peer-urls=unix://{PEER_SOCKET}",
        "--unsafe-no-fsync",  # the data is thrown away with the sandbox: a power cut may lose it
        "--quota-backend-bytes=1073741824",
        "--auto-compaction-mode=revision",
        "--auto-compaction-retention=10000",
        "--log-level=warn",
    ]


def _api_server(port: int) -> list[str]:
    return [
        f"--etcd-servers=unix://{ETCD_SOCKET}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        "--endpoint-reconciler-type=none",  # loopback is no address that an endpoint may have
        f"--secure-port={port}",
        "--tls-cert-file=kube-apiserver.crt",
        "--tls-private-key-file=kube-apiserver.key",
        "--client-ca-file=ca.crt",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-signing-key-file=service-accounts.key",
        "--service-account-key-file=service-accounts.pub",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--allow-privileged=true",
        "--profiling=false",
        "--event-ttl=1h",
    ]


def _controllers() -> list[str]:
    return [
        "--kubeconfig=kube-controller-manager.kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
        "--root-ca-file=ca.crt",
        "--service-account-private-key-file=service-accounts.key",
        "--cluster-signing-cert-file=ca.crt",
        "--cluster-signing-key-file=ca.key",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--allocate-node-cidrs=false",
        "--use-service-account-credentials=false",
        "--concurrent-deployment-syncs=20",
        "--concurrent-replicaset-syncs=20",
        "--concurrent-job-syncs=20",
        "--concurrent-namespace-syncs=20",
        f"--kube-api-qps={QUERIES_PER_SECOND}",
        f"--kube-api-burst={2 * QUERIES_PER_SECOND}",
    ]


def _scheduler() -> list[str]:
    return [
        "--kubeconfig=kube-scheduler.kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
        f"--kube-api-qps={QUERIES_PER_SECOND}",
        f"--kube-api-burst={2 * QUERIES_PER_SECOND}",
    ]
