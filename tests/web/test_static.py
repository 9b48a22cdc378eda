"""What browsers are given besides pages: complete, as its makers published it, and readable in both themes."""

import hashlib
import re
from functools import cache

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from twinbench.web.rendering import STATIC, TEMPLATES

VENDOR = STATIC / "vendor"
OURS = sorted(path for path in STATIC.glob("*.*") if path.suffix in (".js", ".css"))
SUMS = dict(
    re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text("utf-8"), re.MULTILINE)
)
SYMBOLS = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text("utf-8")))
TONES = ("waiting", "preparing", "active", "good", "warning", "bad", "off")


def names(path):
    return path.relative_to(STATIC).as_posix()


def colours(theme):
    text = (STATIC / "colours.css").read_text("utf-8")
    block = text[text.index(f'[data-bs-theme="{theme}"] {{') :].split("\n}\n")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@cache
def macros():
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("macros/ui.html").make_module({"root": "/lims"})


def test_every_file_of_others_is_listed():
    found = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}

    assert found - {"README.md"} == set(SUMS)


@pytest.mark.parametrize("name", SUMS)
def test_a_file_of_others_is_as_it_was_published(name):
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == SUMS[name]


@pytest.mark.parametrize("folder", sorted(VENDOR.glob("*/*")), ids=lambda folder: folder.parent.name)
def test_every_library_comes_with_its_licence(folder):
    assert (folder / "LICENSE").read_text("utf-8").strip()


@pytest.mark.parametrize("path", OURS, ids=names)
def test_no_script_or_style_asks_another_server(path):
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}/", path.read_text("utf-8"))

    assert not addresses


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".js"], ids=names)
def test_every_import_of_a_script_is_there(path):
    for name in re.findall(r'(?:from|import) "(\./[^"]+)"', path.read_text("utf-8")):
        assert (path.parent / name).is_file(), name


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_a_template_names_only_files_that_are_there(path):
    for name in re.findall(r"\{\{ root \}\}/static/([\w./-]+)", path.read_text("utf-8")):
        assert (STATIC / name).is_file(), name


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_a_template_has_no_script_of_its_own(path):
    """The Content-Security-Policy would refuse it."""
    text = path.read_text("utf-8")

    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=\"|\bhx-on|javascript:", text)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_a_template_names_only_icons_that_are_there(path):
    text = path.read_text("utf-8")
    named = re.findall(r'\bicon\("([\w-]+)"|icons\.svg#([\w-]+)|dialog_button\("[^"]*", "[^"]*", "([\w-]+)"', text)

    assert {name for found in named for name in found if name} <= SYMBOLS


def test_every_state_has_a_tone_and_an_icon():
    for state, (tone, icon) in macros().states.items():
        assert (tone in TONES, icon in SYMBOLS) == (True, True), state


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(theme):
    has = colours(theme)
    pairs = [(text, ground) for text in ("text", "text-soft", "accent") for ground in ("ground", "surface", "raised")]
    pairs += [(tone, f"{tone}-ground") for tone in TONES] + [("accent-text", "accent-ground"), ("bad", "surface")]

    assert {
        pair: round(contrast(has[pair[0]], has[pair[1]]), 2) for pair in pairs if contrast(*map(has.get, pair)) < 4.5
    } == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_curves_and_edges_of_controls_can_be_seen(theme):
    has = colours(theme)
    drawn = [f"series-{n}" for n in range(1, 7)] + ["line-strong"]

    assert {name: has[name] for name in drawn if contrast(has[name], has["surface"]) < 3} == {}


def test_both_themes_have_the_same_colours():
    assert colours("light").keys() == colours("dark").keys()


def test_a_state_is_said_in_words_with_icon_and_tone():
    badge = str(macros().state_badge("models-received"))

    assert 'class="badge-state tone-preparing"' in badge
    assert badge.endswith("</svg>Models received</span>")


def test_an_unknown_state_is_shown_as_it_is():
    assert str(macros().state_badge("on <holiday>")).endswith("</svg>On &lt;holiday&gt;</span>")


def test_a_counter_tells_nothing_from_not_known():
    assert '<span class="stat-count">0</span>' in macros().stat(0, "Failed")
    assert "not known" in macros().stat(None, "Failed")


def test_a_field_is_tied_to_its_label_hint_and_error():
    field = str(macros().number_field("runs", "Runs", 900, hint="Test points", low=1, high=200, error="Give 1 to 200"))

    assert '<label class="form-label" for="runs">' in field
    assert 'aria-describedby="runs-hint runs-error" aria-invalid="true"' in field
    assert "Test points. From 1 to 200" in field
    assert 'id="runs-error"' in field


def test_what_people_typed_is_shown_and_not_carried_out():
    field = str(macros().text_field("reason", "Reason", '"><script>alert(1)</script>'))

    assert "<script>" not in field


def test_a_choice_that_still_holds_is_kept():
    field = str(macros().select_field("test", "Test", ["capacity", ("hppc", "Pulse test")], "hppc"))

    assert '<option value="hppc" selected>Pulse test</option>' in field


def test_pages_between_are_left_out():
    pages = str(macros().pagination(50, 2000, "?page={}".format, total=100_000))

    assert re.findall(r'href="\?page=(\d+)" aria-label', pages) == ["1", "49", "50", "51", "2000"]
    assert "100,000 in all" in pages


def test_a_dangerous_action_names_its_consequence_and_a_way_back():
    dialog = str(macros().confirm_dialog("cancel", "Cancel TR-000042?", "9 runs are given up.", "/cancel", "Cancel it"))

    assert 'aria-labelledby="cancel-title" aria-describedby="cancel-text"' in dialog
    assert "Keep as it is" in dialog
