"""Credentials that somebody wrote into a text: start scripts, cloud-init, environment files.

Two ways to know one: by its own shape (an access key of AWS, a private key, a token with its vendor's prefix), or by
the name that it is assigned to (``password: ...``). What only refers to a credential is none: variables, commands,
templates, paths, ARNs and names of secrets.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.subjects.secret_texts import shapes_for

_BEARER: Final = re.compile(r"\bBearer\s+(?![$<{%])[A-Za-z0-9._~+/-]{20,}")
# A name that ends in what it holds, a sign of assignment, and one value: quoted, or up to the next blank.
_ASSIGNMENT: Final = re.compile(
    r"""(?P<name>[\w.-]*(?:passw(?:or)?d|passphrase|secret|secret[_-]?access[_-]?key|token|api[_-]?key|access[_-]?key
        |private[_-]?key|credentials?))["']?\s*(?:(?:=>|:=|=)|(?P<colon>:)(?=[\s"']))\s*
        (?:\\?"(?P<double>[^"\\\n]*)\\?"|\\?'(?P<single>[^'\\\n]*)\\?'|(?P<bare>[^\s"'\\;,&|)]+)(?P<rest>[^\n]*))""",
    re.IGNORECASE | re.VERBOSE,
)
_FLAG: Final = re.compile(r"--(?:password|passwd|token|api-key|secret)[ =]+[\"']?(?P<value>[^\s\"']+)", re.IGNORECASE)
_SHORTEST: Final = 6  # shorter values are switches, numbers and examples
# What a value is that only says where the credential is.
_REFERENCE: Final = re.compile(
    r"""[$`<%!{\[(~./@]              # a variable, a command, a template, a placeholder, a path
    |arn:|(?:https?|file|s3|ssm|secretsmanager|vault|op|env|kms|awskms)[:.]   # an address of one
    |(?:true|false|null|none|yes|no|required|optional|enabled|disabled|default|prompt|redacted|changeme)$
    |(?:resolve:|\{\{|x{3,}$|\*+$|os\.|process\.|var\.|local\.|data\.|module\.|secrets?\.|config\.|params?\.|args\.)
    |[\w.]+\(                        # a call
    """,
    re.IGNORECASE | re.VERBOSE,
)
# What `secret: ...` names in Kubernetes and elsewhere: words, joined.
_NAME_OF_SECRET: Final = re.compile(r"[a-z]+(?:[-._/][a-z]+)*")
_SECRET_KEY_OF_AWS: Final = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9/+]{40}")
_BASE64_INSIDE: Final = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40,}={0,2}(?![A-Za-z0-9+/=])")
_LONGEST: Final = 1 << 20  # EC2 takes 16 KiB of user data; what unpacks to more than this is not read further


@dataclass(frozen=True)
class Credential:
    """What was found and where; never the credential itself."""

    what: str
    line: int


def credentials_in(text: str) -> Iterator[Credential]:
    """The credentials of a text, one a line, in the order of lines; also those in base64 within it."""
    found: dict[int, str] = {}
    for what, offset in (*_by_shape(text), *_by_name(text), *_further_in(text)):
        found.setdefault(text.count("\n", 0, offset) + 1, what)
    return (Credential(what, line) for line, what in sorted(found.items()))


def decoded(text: str) -> str:
    """Text that may be base64, and gzip within, as it was before; any other text as it is."""
    data = _from_base64(text)
    if data is None:
        return text
    try:
        return (_unpacked(data) if data.startswith(b"\x1f\x8b") else data).decode()
    except (UnicodeDecodeError, OSError, EOFError, zlib.error):
        return text


def _by_shape(text: str) -> Iterator[tuple[str, int]]:
    for shape, what in (*shapes_for(text), (_BEARER, "a bearer token")):
        for match in shape.finditer(text):
            yield what, match.start()


def _by_name(text: str) -> Iterator[tuple[str, int]]:
    for match in _ASSIGNMENT.finditer(text):
        value = next(match[group] for group in ("double", "single", "bare") if match[group] is not None)
        # `token: obtained from ...` is prose: in YAML a plain value is all that the line has.
        prose = match["colon"] and match["bare"] is not None and re.sub(r"\s#.*", "", match["rest"]).strip()
        if not prose and _is_literal(value, match["name"]):
            yield f"a value for {match['name'].lstrip('-')}", match.start("name")
    for match in _FLAG.finditer(text):
        if _is_literal(match["value"]):
            yield "a credential as an option of a command", match.start()


def _is_literal(value: str, name: str = "") -> bool:
    if _SECRET_KEY_OF_AWS.fullmatch(value):
        return True
    if name.lower().endswith(("secret", "credential", "credentials")) and _NAME_OF_SECRET.fullmatch(value):
        return False
    return len(value) >= _SHORTEST and not _REFERENCE.match(value) and "${" not in value and "$(" not in value


def _further_in(text: str) -> Iterator[tuple[str, int]]:
    """What has a credential's shape within base64, such as the files that cloud-init writes."""
    for match in _BASE64_INSIDE.finditer(text):
        inner = decoded(match[0])
        if inner != match[0]:
            yield from ((f"{what}, in base64", match.start()) for what, _ in (*_by_shape(inner), *_by_name(inner)))


def _from_base64(text: str) -> bytes | None:
    compact = re.sub(r"\s", "", text)
    if len(compact) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", compact):
        return None
    try:
        return base64.b64decode(compact, validate=True)
    except binascii.Error:
        return None


def _unpacked(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return stream.read(_LONGEST)
