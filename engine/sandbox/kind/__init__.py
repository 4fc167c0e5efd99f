"""What a kind cluster lacks of a cluster of EKS, played by a process of ours beside it (``machines``).

One node of it is real and runs pods. The node groups' others are simulated, as in the native sandbox.
"""
