"""``kubernetes:helm.sh/v3:Release``: a chart, installed with ``helm`` where both can be had.

Where they can't, as in a sandbox without network, the release is recorded as not installed, with a warning that says
why, and permissive definitions stand in for those that the chart would have brought, until the release is deleted.

    arguments, values, release      what a program may say of a release; pure but for files of values
    definitions                     which custom resources a chart defines, and stand-ins for its definitions; data
    executable, workspace           one run of ``helm``, and the files that it reads
    commands, reach                 the lines that are run; getting a chart, or why it can't be had
    stand_in, releases              what stands in a cluster for a release; the life of a release

A preview needs none of what runs ``helm``: ``releases`` is imported where a cluster is.
"""

from engine.providers.kubernetes.helm.arguments import check, diff
from engine.providers.kubernetes.helm.definitions import scope_of
from engine.providers.kubernetes.helm.release import RELEASE, preview

__all__ = ["RELEASE", "check", "diff", "preview", "scope_of"]
