"""The images of monitoring, each by tag and digest: a tag can be moved, and what a digest names never changes.

Every digest is that of an index, so that it holds for nodes of amd64 and of arm64. No registry was in reach: digests
are those that public repositories on GitHub pin or record, and each was seen in at least two that are independent of
each other. What a whole cluster pulls comes from registries that don't count pulls, as Docker Hub does.
"""

from __future__ import annotations

from typing import Final

# 3.13 has long-term support, until 2027-07. Source: gitlab.com/gitlab-org/omnibus-gitlab, merge request 9666, 2026-08.
# Its digest: seven repositories, such as one that lists it with its release's date, 2026-10-02; read 2026-11-26.
PROMETHEUS: Final = (
    "docker.io/prom/prometheus:v3.13.4@sha256:87861b8cf91579109319ebc300f3f1060e6da9c05d6ae8ad15a20c879e84e32e"
)
# Four repositories pin it, two of them as quay.io's; read 2026-11-26.
ALERTMANAGER: Final = (
    "quay.io/prometheus/alertmanager:v0.34.1@sha256:e9733bafb1bdef9b00e25a21f8f99dc26a22224bf16641ad754d1649f4c3357a"
)
# Six repositories pin it, one records its manifest of amd64 (sha256:d8456333…) beside it; read 2026-11-26.
GRAFANA: Final = (
    "docker.io/grafana/grafana:13.2.3@sha256:b28bae15e219c998fb0e0424ed724930cc61b1f61fb404d47c862f9a23f9e572"
)
# Source: Stuhlmuller/homelab, monitoring upgrade candidates of 2026-08-30, issue 926: the index, and its manifest of
# amd64 (sha256:01171220…), which another repository pins.
KUBE_STATE_METRICS: Final = (
    "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0"
    "@sha256:42cfe3723a5f058171c627537fb57a3ea0f26e4380fa18555a95cb1a1b4cfc5b"
)
# Nine repositories pin it, as quay.io's, Docker Hub's and ghcr.io's, one as "index digest (resolved 2026-08-22)".
NODE_EXPORTER: Final = (
    "quay.io/prometheus/node-exporter:v1.12.1@sha256:1b4e4438faca4dd7e001dd445d161a4a2091b0fededa84093b3a8dfeae1f1be0"
)
# Five repositories pin it, one with the platforms of its index: amd64, arm64, arm/v7, ppc64le, s390x; read 2026-11-26.
PUSHGATEWAY: Final = (
    "docker.io/prom/pushgateway:v1.11.3@sha256:74fa117cef2d7e383112d25139ff1c2d2e309c35389a9e0554a47136a1482e48"
)
# Source: NVIDIA/gpu-operator, bundle/manifests, commit d927f86e8, 2026-05-05.
DCGM_EXPORTER: Final = (
    "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless"
    "@sha256:60d3b00ac80b4ae77f94dae2f943685605585ad9e92fdccda3154d009ae317cc"
)
