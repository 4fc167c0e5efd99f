"""The Kubernetes API in the sandbox's process: what a real API server answers, with its controllers' work done at once.

It is no cluster: nothing runs. Workloads are ready as soon as they are written, unless what they need is missing. For
the real scheduler there is the native sandbox.
"""
