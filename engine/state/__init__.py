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
history     what was done to a stack, by whichever engine
buckets     folders and S3 buckets for reading (with s3); a stack there is ``remote``
sealed      looking at a state whose secrets nobody here can open
interchange a state as a file that either engine takes
editing     edits by hand, each a pure function (with moving, repair)
errors      what can go wrong
"""
