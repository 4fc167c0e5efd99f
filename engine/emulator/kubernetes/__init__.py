"""The Kubernetes API in the sandbox's process: what a real API server answers, with its controllers' work done at once.

It is no cluster: nothing runs. Workloads are ready as soon as they are written, whatever room there is, unless a quota
keeps their pods out; at most five pods of each are objects. For the real scheduler there is the native sandbox.

Server-side apply, its owners and conflicts, refusals and defaults are those of a real API server, case by case
(``tests/cases/kubernetes_api``). Not here, and refused or left out where the real one would do it:

- protobuf bodies (what ``kubectl create`` sends) and OpenAPI documents (``kubectl apply`` needs ``--validate=false``);
- Pod Security and webhooks, least and greatest values of limit ranges, quotas with scopes;
- conversion between the versions of a kind: its API version is rewritten, and nothing else;
- patterns, ranges and CEL of custom resources; logs and exec.
"""
