"""Findings as a JUnit report: a suite for each pack, a case for each policy; a mandatory finding is a failure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as Xml

from cli.findings.report import FindingsReport, Found, by_rule
from engine.analyzer.findings import Level, PackInfo, PolicyInfo

# XML 1.0 has no way to write these.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: FindingsReport) -> str:
    """The report as the text of an XML document."""
    root = Xml.Element("testsuites", name=f"bedplate {report.subject}")
    found = by_rule(report.found)
    for pack in report.packs:
        _suite(root, pack, report.subject, found)
    for name in report.broken:
        suite = Xml.SubElement(root, "testsuite", name=f"{name} (pack)", tests="1", failures="0", errors="1")
        case = Xml.SubElement(suite, "testcase", classname=name, name="the pack itself")
        Xml.SubElement(case, "error", message="the policy pack failed: not everything was judged by it")
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(
    root: Xml.Element, pack: PackInfo, subject: str, by_policy: Mapping[tuple[str, str], Sequence[Found]]
) -> None:
    suite = Xml.SubElement(root, "testsuite", name=pack.name)
    failures = skipped = 0
    for policy in pack.policies:
        found = by_policy.get((pack.name, policy.name), ())
        case = Xml.SubElement(suite, "testcase", classname=f"{subject}.{pack.name}", name=policy.name)
        failures += _judged(case, policy, found)
        if policy.level is Level.DISABLED:
            skipped += 1
            Xml.SubElement(case, "skipped", message="disabled for this environment")
    suite.set("tests", str(len(pack.policies)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    suite.set("skipped", str(skipped))


def _judged(case: Xml.Element, policy: PolicyInfo, found: Sequence[Found]) -> int:
    """Write what was found; 1 where the case fails."""
    refusing = [one for one in found if one.finding.refuses]
    advising = [one for one in found if not one.finding.refuses]
    if refusing:
        case.set("file", refusing[0].place.path)
        title = _plain(policy.display_name or policy.description)
        failure = Xml.SubElement(case, "failure", message=title, type=policy.severity or "violation")
        failure.text = _plain("\n".join([*map(_line, refusing), *([policy.remediation_steps] * bool(refusing))]))
    if advising:
        Xml.SubElement(case, "system-out").text = _plain("\n".join(f"advisory: {_line(one)}" for one in advising))
    return 1 if refusing else 0


def _line(found: Found) -> str:
    return f"{found.resource or 'the stack'} ({found.place.path}:{found.place.line}): {found.message}"


def _plain(text: str) -> str:
    return _UNWRITABLE.sub("�", text)
