"""The page of dashboards in Chromium, at the widths of a telephone, a tablet and a desk."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from cli.views.dashboards.page import page
from tests.cli.test_dashboards import drawn

CHROMIUM: Final = shutil.which("chromium")
WIDTHS: Final = (320, 400, 820, 1400, 2200)
# The probe starts it so: without these, it looks for hosts that are not there.
FLAGS: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--virtual-time-budget=5000", "--window-size=2400,1200",
)  # fmt: skip
# The page is in frames, since a frame's width is what its style sees; the script is outside of them.
MEASURE: Final = """\
const box = node => node.getBoundingClientRect();
const small = (node, width, height) => box(node).width < width || box(node).height < height;
const card = node => node.closest('article');
const named = nodes => nodes.map(node => card(node)?.querySelector('h4')?.textContent ?? node.className);
const content = '.plot svg, .stat b, .bars i, .gauges svg, .states svg, table td';
const texts = '.stat b, h4, .legend li, .bars li';
const measured = [...document.querySelectorAll('iframe')].map(frame => {
  const doc = frame.contentDocument, root = doc.documentElement;
  const all = what => [...doc.querySelectorAll(what)];
  const mayBeWider = node => node.closest('.rows, svg, details, nav');
  const isEmpty = one => { const found = one.querySelector(content); return !found || small(found, 12, 8); };
  const isBeyond = one => !mayBeWider(one) && box(one).right > box(card(one)).right + 1;
  return {
    width: frame.clientWidth, panels: all('article').length, page: root.scrollWidth, room: root.clientWidth,
    empty: named(all('article').filter(isEmpty)),
    flat: named(all('.plot .field').filter(one => small(one, 150, 90))),
    wide: named(all('article *').filter(isBeyond)),
    cut: named(all(texts).filter(one => one.scrollWidth > one.clientWidth + 1)),
  };
});
document.body.innerHTML = '<pre id="measured"></pre>';
document.getElementById('measured').textContent = JSON.stringify(measured);
"""
BAD: Final = """\
<!doctype html>
<style>article{width:200px} svg{width:200px;height:40px} b{display:block;width:20px} p{width:900px}</style>
<article><h4>Empty</h4></article>
<article><h4>Flat</h4><div class="plot"><div class="field"><svg></svg></div></div></article>
<article><h4>Wide</h4><p>text</p><table><tr><td>1234567</td></tr></table></article>
<article><h4>Cut</h4><div class="stat"><b>1234567890</b></div></article>
"""


def measure(folder: Path, document: str, widths: Sequence[int], also: str = "") -> tuple[list[dict[str, Any]], str]:
    """What Chromium measures of ``document`` at each of ``widths``, and what it says meanwhile."""
    if CHROMIUM is None:
        pytest.skip("there is no `chromium` on PATH")
    text = html.escape(document)
    frames = "".join(
        f'<iframe style="width:{each}px;height:900px;border:0" srcdoc="{text}"></iframe>' for each in widths
    )
    script = f"<script>addEventListener('load', () => {{ {MEASURE} {also} }});</script>"
    path = folder / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{frames}{script}", encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r'<pre id="measured">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, f"nothing was measured\n{done.stderr[-2000:]}"
    return json.loads(html.unescape(found[1])), done.stderr


@pytest.mark.slow
def test_no_width_has_anything_beside_it_or_empty_and_the_console_stays_so(tmp_path: Path) -> None:
    measured, said = measure(tmp_path, page(drawn(), "dev"), WIDTHS)
    panels = sum(len(section.panels) for each in drawn() for section in each.sections)
    assert [each["width"] for each in measured] == list(WIDTHS)
    for each in measured:
        assert each["panels"] == panels
        assert each["page"] <= each["room"], f"the page is {each['page']} wide at {each['width']}"
        problems = {name: sorted(set(each[name])) for name in ("empty", "flat", "wide", "cut")}
        assert problems == {"empty": [], "flat": [], "wide": [], "cut": []}, f"at {each['width']}"
    assert [line for line in said.splitlines() if "CONSOLE" in line] == []


@pytest.mark.slow
def test_what_is_measured_would_be_found(tmp_path: Path) -> None:
    (measured,), said = measure(tmp_path, BAD, [400], also="console.error('noise');")
    found = {name: measured[name] for name in ("empty", "flat", "wide", "cut")}
    assert found == {"empty": ["Empty"], "flat": ["Flat"], "wide": ["Wide"], "cut": ["Cut"]}
    assert measured["page"] > measured["room"]
    assert [line for line in said.splitlines() if "CONSOLE" in line and "noise" in line]
