"""Which of a stack's workloads would run, and where: its pools and pods given to a real scheduler, without a cloud.

``pools`` and ``workloads`` read a plan, ``cluster`` lets the scheduler decide, ``explain`` and ``answer`` say what came
of it. All but ``cluster`` is pure.
"""
