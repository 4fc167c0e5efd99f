"""What a specification says: one YAML file per resource type, ``specs/<module>/<name>.yaml`` (snake case of the token).

    type: aws:ecr/repository:Repository
    service: ecr                         # botocore's name of the service
    id: name                             # how the id is made (an expression, below)
    inputs: {name?: str, tags: {"*": str}, policy!: json}    # see schema.py; `?`: AWS fills it in, `!`: required
    outputs: {arn: str, ...}             # properties that only AWS sets. `tagsAll` is implied by `tags`
    unsupported: {website: use aws.s3.BucketWebsiteConfiguration}    # inputs of pulumi_aws that are refused
    defaults: {forceDelete: false}       # filled into the inputs by check
    local: [forceDelete]                 # inputs that AWS never sees; read takes them from the state
    secret: [password]                   # inputs that an import gives as secrets, as pulumi_aws has them
    told_once: {secret: $.Key.Secret}    # outputs that only the answer to create has; kept from then on, as secrets
    sets: [filters, rules[*].origins]    # lists without order
    autoname: {property: name, prefix: namePrefix, max: 256, pattern: "[a-z0-9._/-]{2,256}", lower: true}
    checks: {imageTagMutability: {one_of: [MUTABLE, IMMUTABLE]}, days: {min: 7, max: 30}, name: {pattern: ...}}
    set_by_aws: [vpcConfig.vpcId]        # members of inputs that a program can't give
    conflicts: [[name, namePrefix]]      # at most one of each
    exactly_one: [[subnetId, gatewayId]] # one of each, no more and no less
    kinds: [[cidrIpv4, prefixListId]]    # giving another of each than before replaces the resource
    stays_given: [alias]                 # taking one of these away replaces the resource: the API can't
    replace_on: [name, rules[*].id]      # properties (and all below them) whose change replaces the resource
    delete_before_replace: true          # for what can exist only once in its place
    changes_with: {versionId: [policy]}  # outputs that become unknown in the preview of a change of these inputs
    renames: {rules[*].key: KmsKeyArn}   # property path -> member of the API, where the names are not alike
    create: [operations]                 # the first makes the resource, the rest complete it
    read:   [operations]                 # the first says whether it exists; the rest add what is under `as`
    update: [operations]                 # each runs where its `when` changed
    delete: [operations]                 # may be empty
    missing: [NotFoundException]         # error codes that mean: there is no such resource
    gone: KeyState == 'PendingDeletion'  # JMESPath on the answer of read; true means: there is no such resource
    properties: {arn: $.Arn, ...}        # where read finds what it doesn't find by name (expressions)
    find: id | token | nobody | {...}    # how to find what a died run may have made, below

An operation is
    operation: PutImageScanningConfiguration
    params: {repositoryName: id, ...}    # member of the API -> expression, or a nested mapping or list of them
    service: s3control                   # where it differs from the type's
    when: [properties]                   # update: only if one of them changed; create: only if one is given
    if: {isEnabled: true, policy: "*"}   # only if all are so. `false` and null match what says nothing (absent,
                                         # false, 0, empty), "*" everything else
    each: inlinePolicies | removed       # once per element of a list, which is then `item` (read: $.Items; the
                                         # answers are listed under `as` as {item, answer})
    result: $.groups[?name=='{id}'] | [0]    # read: the part of the answer to use; absent: no such resource
    as: rotation                         # read: where this answer goes in the document that `properties` look at
    missing: [NoSuchTagSet]              # codes that mean: no answer (read) or nothing to do (delete, update)
    retry: [DependencyViolation]         # codes that pass by themselves, retried until the timeout
    idempotent: true                     # a create operation that may be sent again (see calls.py)
    wait: {waiter: bucket_exists, params: {Bucket: id}}    # a waiter of botocore, or a condition:
    wait: {operation: DescribeX, params: {...}, until: "State == 'available'", fail: "State == 'failed'"}
    hook: empty_bucket                   # instead of `operation`: a function of hooks.py

Expressions (strings; numbers, booleans and the like stand for themselves)
    name, rules[0].days     a property (inputs first, then outputs), converted to the API's form by the shape of the
                            member it goes to (camelCase to the API's case, maps to lists of Key/Value, one to a list)
    id token region account partition item    what the call is about; `token` is the operation's token
    =IMMUTABLE, =arn:{partition}:s3:::{bucket}    a text, with properties in it; absent if one of them is
    $.Key.Arn               JMESPath on the API's answer (for create's follow-ups: the answer of the first operation);
                            in it '{path}' with its quotes is a property: $.Rules[?Id=='{id}'] | [0] (in `result`
                            too); queries.py has functions that JMESPath lacks
    policy | json           with transforms, also on `$`: `added`/`removed` (elements against the old state; an
                            operation in which all of these are empty is skipped), `json` (as text), `keys`,
                            `or TEXT` or `else PROPERTY` (if absent), `base64` (decoded), `not`,
                            `if_true` (absent if false), `old` (before the change),
                            `list` (one as a list), `join` (comma), `fact NAME` (of a region, data/regions.yaml),
                            `location`, `after TEXT`/`before TEXT`/`last TEXT` (part of a text)

In create `tagsAll` holds the tag ``bedplate:operation`` (the token) too, reads hide it. By it `find` recognises what a
died run made. `find: id` reads the id made of the inputs; where create sets tags, the token must be among them.
`by: token` lists
    find: {by: token, operation: DescribeVpcs, id: "$.Vpcs[0].VpcId",
           params: {Filters: [{Name: =tag:bedplate:operation, Values: [token]}]}}
and what has no tags is told by its keys
    find: {by: keys, operation: ListX, params: {...}, items: $.Items, match: {Protocol: protocol}, id: $.Arn}
where `match` (JMESPath -> expression) and `id` look at one item. `tags: {operation, params: {Key: item.KeyId},
result: $.Tags}` reads an item's tags, where the list lacks them, to compare the token. What has neither tags nor keys
of its own is found by `nobody`: the user has to look for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from engine.providers.aws.schema import Field

Expression: TypeAlias = Any  # a string as above, a scalar, or a mapping or list of expressions

OPERATION_TAG = "bedplate:operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A wait after an operation: ``waiter`` (botocore's name), or ``operation`` until the condition ``until`` holds."""

    waiter: str | None = None
    operation: str | None = None
    params: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    until: str | None = None
    fail: str | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call of the API (or a hook), when it is made and what it is given."""

    operation: str | None = None
    hook: str | None = None
    service: str | None = None
    params: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    when: tuple[str, ...] = ()
    conditions: Mapping[str, Any] = field(default_factory=dict[str, Any])
    each: str | None = None
    result: str | None = None
    place: str | None = None
    missing: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    idempotent: bool = False
    wait: Wait | None = None

    @property
    def title(self) -> str:
        return self.operation or self.hook or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoname:
    """How a name is made where the program gives none: the resource's name, a dash and seven hexadecimal digits."""

    property: str
    prefix: str | None = None
    max: int = 255
    pattern: str | None = None
    lower: bool = False
    start: str = ""
    plain: bool = False  # the resource's name alone
    suffix: Mapping[str, str] = field(default_factory=dict[str, str])  # property that is true -> suffix (".fifo")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCheck:
    """What a scalar must satisfy; ``pattern`` must match the whole text."""

    one_of: tuple[Any, ...] = ()
    pattern: str | None = None
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """How to find what a run that died may have made."""

    by: Literal["id", "token", "keys", "nobody"]
    operation: str | None = None
    params: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    items: str | None = None
    match: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    tags: Operation | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A resource type of AWS. ``inputs`` and ``outputs`` are its properties, in Pulumi's names."""

    type: str
    service: str
    id: str
    inputs: Mapping[str, Field]
    outputs: Mapping[str, Field]
    find: Find
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    unsupported: Mapping[str, str] = field(default_factory=dict[str, str])
    local: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    told_once: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    sets: frozenset[str] = frozenset()
    autoname: Autoname | None = None
    checks: Mapping[str, ValueCheck] = field(default_factory=dict[str, ValueCheck])
    set_by_aws: tuple[str, ...] = ()
    conflicts: tuple[tuple[str, ...], ...] = ()
    exactly_one: tuple[tuple[str, ...], ...] = ()
    kinds: tuple[tuple[str, ...], ...] = ()
    stays_given: frozenset[str] = frozenset()
    replace_on: tuple[str, ...] = ()
    delete_before_replace: bool = False
    changes_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    renames: Mapping[str, str] = field(default_factory=dict[str, str])
    create: tuple[Operation, ...] = ()
    read: tuple[Operation, ...] = ()
    update: tuple[Operation, ...] = ()
    delete: tuple[Operation, ...] = ()
    missing: tuple[str, ...] = ()
    gone: str | None = None
    properties: Mapping[str, Expression] = field(default_factory=dict[str, Expression])

    @property
    def name(self) -> str:
        """The type's own name: ``Bucket``."""
        return self.type.rsplit(":", 1)[-1]

    @property
    def taggable(self) -> bool:
        return "tags" in self.inputs

    @property
    def regional(self) -> bool:
        return "region" in self.inputs

    @property
    def tags_at_birth(self) -> bool:
        """Whether what makes the resource hands over tags, so that there is no moment without the operation's token."""
        return "tagsAll" in repr(self.create[0].params)
