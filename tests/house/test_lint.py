"""What no review should have to look for: markup out of strings, and vendored files that aren't what they say."""

import hashlib
import json
import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from phoenix_panel.checks import FLOORS

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
SHIPPED = [
    path
    for path in [*ROOT.glob("*/**/*.py"), *ROOT.glob("*/**/*.html"), *ROOT.glob("static/**/*.js")]
    if path.relative_to(ROOT).parts[0] not in {".venv", "frontend", "tests", "tools", "benchmarks", "var"}
    and VENDOR not in path.parents
]

# A caller's name reaches every one of these files. Each way to make markup of a text, by file type.
FORBIDDEN = {
    ".py": r"mark_safe|SafeString|format_html\b|csrf_exempt|shell=True|\bpickle\b|\beval\(|\bexec\(",
    ".html": r"\|\s*safe\b|autoescape\s+off|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\bsrc=)[^>]*>",
    ".js": r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|unsafeHTML|unsafeSVG|unsafeStatic|styleMap"
    r"|\beval\(|new Function|DOMParser|createContextualFragment|setHTMLUnsafe",
}


@pytest.mark.parametrize("suffix", FORBIDDEN)
def test_no_text_becomes_markup(suffix: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in SHIPPED
        if path.suffix == suffix
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(FORBIDDEN[suffix], line)
    ]
    assert not found, "\n".join(found)
    assert any(path.suffix == suffix for path in SHIPPED)


@pytest.mark.parametrize(
    ("suffix", "line"),
    [
        (".py", "return mark_safe(name)"),
        (".html", "{{ name|safe }}"),
        (".html", '<b onclick="x()">'),
        (".html", "<script>x()</script>"),
        (".js", "cell.innerHTML = name;"),
        (".js", "html`${unsafeHTML(name)}`"),
    ],
)
def test_the_lint_finds(suffix: str, line: str) -> None:
    assert re.search(FORBIDDEN[suffix], line)


def test_nothing_comes_from_elsewhere() -> None:
    """No page of ours asks another host for a script, a style, a font or a picture."""
    asks = re.compile(r"""(?:src|href|import|from|url)\s*[=(]?\s*["'(]\s*(?:https?:)?//""", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in [*SHIPPED, *ROOT.glob("static/css/*.css")]
        if path.suffix in {".html", ".js", ".css"}
        for line in path.read_text(encoding="utf-8").splitlines()
        if asks.search(line)
    ]
    assert not found, "\n".join(found)


def test_vendored_files_are_what_they_say() -> None:
    entries = json.loads((VENDOR / "VENDOR.json").read_text(encoding="utf-8"))
    for entry in entries:
        assert entry["version"], entry
        assert entry["licence"], entry
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
    named = {entry["file"] for entry in entries} | {"VENDOR.json"}
    unnamed = {path.name for path in VENDOR.iterdir()} - named
    assert all(name.endswith(".LICENSE.txt") for name in unnamed), unnamed


def test_installed_versions_meet_the_floors() -> None:
    for name, floor in FLOORS.items():
        assert Version(metadata.version(name)) >= Version(floor), name


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_installed_is_what_is_pinned(file: str) -> None:
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith(("#", "-r")):
            continue
        wanted = Requirement(line)
        assert str(wanted.specifier).startswith("=="), f"{line} is not pinned"
        assert wanted.specifier.contains(metadata.version(wanted.name), prereleases=True), line
