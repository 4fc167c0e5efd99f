"""SSM: the public parameters of EKS's machine images."""
