"""collectstatic as it runs for users: hashed names, also inside scripts and style sheets, none left out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    var = tmp_path_factory.mktemp("var")
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input"],
        cwd=ROOT,
        env={**os.environ, "PHOENIX_VAR": str(var), "PHOENIX_ENV_FILE": os.devnull}
        | {"DJANGO_SETTINGS_MODULE": "phoenix_panel.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return var / "static"


def test_every_import_leads_to_a_hashed_file(collected: Path) -> None:
    """A plain name would be cached for ever as it was that day: a new release would mix old and new scripts."""
    hashed = [path for path in (collected / "js").rglob("*.js") if re.fullmatch(r".+\.[0-9a-f]{12}\.js", path.name)]
    assert hashed
    seen = 0
    for path in hashed:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""", text):
            seen += 1
            assert re.search(r"\.[0-9a-f]{12}\.js$", name), f"{path.name} imports {name}"
            assert (path.parent / name).resolve().is_file(), f"{path.name} imports {name}"
    assert seen


def test_every_url_in_a_style_sheet_leads_to_a_hashed_file(collected: Path) -> None:
    for path in (collected / "css").rglob("*.css"):
        if not re.search(r"\.[0-9a-f]{12}\.css$", path.name):
            continue
        for name in re.findall(r"url\(\s*[\"']?([^\"')#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / name).resolve().is_file(), f"{path.name}: {name}"
