"""A stack's state: Pulumi's checkpoint, made safe against crashes.

model       what is known: resources, operations in flight, snapshots
format      snapshots as Pulumi's JSON (with properties, fields)
secrets     encryption with a passphrase
invariants  what every snapshot satisfies (with references)
ledger      how a run changes a snapshot, as a pure function
storage     where the files lie; load and save
journal     what a run has done so far, durable
recorder    what the engine tells of a run as it goes
lock        one run at a time
errors      what can go wrong
"""
