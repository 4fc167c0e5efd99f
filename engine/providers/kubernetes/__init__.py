"""The Kubernetes provider: what ``pulumi_kubernetes`` declares, applied server-side.

tokens, manifests, autonames, check, difference, preview   pure: no cluster is needed to check and to preview
access, kubeconfig, config                                 which server is meant, and whether it may be changed
connection, statuses, discovery                            one API server: requests, refusals, kinds that it serves
lifecycle, applying, deleting, waiting, managed            what happens to objects
schema, readiness, helm                                    facts about kinds, when they are ready, Helm releases
conditions, json_path                                      what a program itself says it waits for
texts, functions, components                               manifests: read, asked for by the SDK, made into resources
"""
