"""Telling secrets from other texts: by the name that holds them, and by their own shape.

Names alone mislead both ways: a language model's MAX_TOKENS is no secret, and a connection string is one whatever it is
called. So a name counts by its words, unless its last word says that the value is something else (a file, a name, a
number), and values of the shapes that issuers give their keys count under every name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# One word that says it, or two that do together.
_SECRET_WORDS: Final = frozenset(
    {
        "apikey",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "privatekey",
        "pswd",
        "pwd",
        "secret",
        "secretkey",
        "secrets",
        "token",
    }
)
# Long enough to mean nothing else within another word: PGPASSWORD.
_INSIDE: Final = ("apikey", "passphrase", "passwd", "password", "privatekey", "secretkey")
_SECRET_PAIRS: Final = frozenset(
    {
        ("access", "key"),
        ("account", "key"),
        ("api", "key"),
        ("auth", "key"),
        ("client", "key"),
        ("connection", "string"),
        ("encryption", "key"),
        ("license", "key"),
        ("master", "key"),
        ("private", "key"),
        ("signing", "key"),
        ("ssh", "key"),
    }
)
# As the last word these say that the value is about a secret, or about tokens of text, and none itself.
_ABOUT: Final = frozenset(
    {
        "arn",
        "audience",
        "class",
        "count",
        "dir",
        "directory",
        "disabled",
        "duration",
        "enabled",
        "endpoint",
        "expiration",
        "expiry",
        "file",
        "folder",
        "header",
        "host",
        "id",
        "issuer",
        "length",
        "limit",
        "max",
        "min",
        "mode",
        "mount",
        "name",
        "namespace",
        "parallelism",
        "path",
        "policy",
        "prefix",
        "provider",
        "ref",
        "region",
        "seconds",
        "size",
        "store",
        "ttl",
        "type",
        "url",
        "uri",
        "username",
        "version",
    }
)
# Environment variables of shells.
_NO_SECRETS: Final = frozenset({"PWD", "OLDPWD"})
# The prefixes are those that the issuers give their keys; lengths are the shortest that were seen. A text that holds
# none of the words before a pattern is not searched for it: words are found many times faster.
_SHAPES: Final = tuple(
    (words, re.compile(pattern), what)
    for words, pattern, what in (
        (("AKIA", "ASIA", "A3T"), r"\b(?:AKIA|ASIA|A3T[A-Z0-9])[A-Z0-9]{16}\b", "an AWS access key"),
        (("-----BEGIN ",), r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----", "a private key"),
        (
            ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
            r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{22,}",
            "a GitHub token",
        ),
        (("glpat-", "glrt-", "gldt-", "glptt-", "glcbt-"), r"\bgl(?:pat|rt|dt|ptt|cbt)-[\w-]{20,}", "a GitLab token"),
        (
            ("xox", "hooks.slack.com"),
            r"\bxox[abeprs]-[\w-]{10,}|hooks\.slack\.com/services/T\w+/B\w+/\w{20,}",
            "a Slack token",
        ),
        (("hf_",), r"\bhf_[A-Za-z0-9]{30,}\b", "a Hugging Face token"),
        (("sk-",), r"\bsk-(?:ant-|proj-)?[\w-]{32,}", "a key of a model's API"),
        (("nvapi-",), r"\bnvapi-[\w-]{40,}", "an NVIDIA API key"),
        (("AIza",), r"\bAIza[\w-]{35}\b", "a Google API key"),
        (("k_live_",), r"\b[rs]k_live_[A-Za-z0-9]{20,}\b", "a Stripe key"),
        (("dapi",), r"\bdapi[0-9a-f]{32}\b", "a Databricks token"),
        (
            ("npm_", "pypi-"),
            r"\b(?:npm_[A-Za-z0-9]{36}\b|pypi-AgEIcHlwaS5vcmc[\w-]{50,})",
            "a token of a package registry",
        ),
        (("eyJ",), r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}", "a signed token"),
        (("@",), r"(?<=[a-z0-9+.-])://[^\s/:@]*:(?!\$|\{|<|%24)[^\s/:@]+@[\w.\[-]", "a URL with a password"),
    )
)
# A value that only says where the secret is: another variable, a template's hole, a secret manager, a mounted file.
_REFERENCE: Final = re.compile(
    r"\$\(\w+\)|\$(?:__(?:file|env|vault))?\{[^}]*\}|\$[A-Za-z_]\w*|\{\{.*\}\}|<[^>]*>"
    r"|(?:arn:aws[\w-]*:(?:secretsmanager|ssm)|vault|op|ref\+\w+|gcp?sm|aws-?sm|ssm|file|env|secretref|sops):.*"
    r"|/.*|\.{1,2}/.*"
)
_TRIVIAL: Final = re.compile(r"|true|false|yes|no|on|off|null|none|\d+(?:\.\d+)?", re.IGNORECASE)
_ASSIGNMENT: Final = re.compile(r"""^\s*(?:export\s+)?["']?([A-Za-z_][\w.-]*)["']?\s*[:=]\s*(.*?)\s*,?\s*$""")


def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret: DB_PASSWORD, apiKey; not MAX_TOKENS, TOKEN_FILE or SECRET_NAME."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or name in _NO_SECRETS or words[-1] in _ABOUT:
        return False
    if any(word in _SECRET_WORDS or any(part in word for part in _INSIDE) for word in words):
        return True
    return any(pair in _SECRET_PAIRS for pair in pairwise(words))


def is_reference(text: str) -> bool:
    """Whether a text only says where a secret is, or is too plain to be one: empty, a number, true."""
    plain = text.strip().strip("\"'")
    return _REFERENCE.fullmatch(plain, 0) is not None or _TRIVIAL.fullmatch(plain) is not None


def secret_in(text: str) -> str | None:
    """What kind of secret has the shape of something in ``text``; None where nothing has."""
    return next((what for shape, what in shapes_for(text) if shape.search(text)), None)


def shapes_for(text: str) -> Iterator[tuple[re.Pattern[str], str]]:
    """The shapes of secrets that ``text`` may hold, and what each is the shape of."""
    return ((shape, what) for words, shape, what in _SHAPES if any(word in text for word in words))


def assigned_in(text: str) -> str | None:
    """The first name in a configuration file's text (``name = value`` or ``name: value``) that is given a secret."""
    if "\n" not in text and "=" not in text and ":" not in text:
        return None
    for line in text.splitlines():
        found = _ASSIGNMENT.match(line)
        if (
            found
            and is_secret_name(found.group(1))
            and not is_reference(found.group(2))
            and found.group(2) not in "{[|>"
        ):
            return found.group(1)
    return None
