"""The console in a real Chromium: it draws, fits a phone, obeys the keyboard, asks nobody else, and runs no stranger's script."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.support.browser import Browser
from tests.support.console_hostile import DIRECTION, MODEL, NAMES, SCRIPT
from tests.support.console_incidents import OPEN_WEATHER

PAGES = (
    "/",
    "/incidents",
    f"/incidents/{OPEN_WEATHER}",
    "/service-levels",
    "/gpus",
    "/releases",
    "/models/flight-delay",
    "/models/flight-delay/features/temp",
    "/models/flight-delay/features/carrier",
    "/models/flight-delay?measure=missing",
    "/models/flight-delay/features/temp?measure=ks",
)
CHARTS = PAGES[6:]
#: The year holds no GPU and no release.
EMPTY = ("/gpus", "/releases")
#: Pixels of a chart that are not transparent.
DRAWN = """
const canvas = document.querySelector(arguments[0] + ' canvas');
const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
let drawn = 0;
for (let at = 3; at < data.length; at += 4) drawn += data[at] > 0;
return drawn;
"""
#: Pixels that are about the colour of a line (CSS variable), in the first chart.
OF_COLOUR = """
const wanted = getComputedStyle(document.documentElement).getPropertyValue('--' + arguments[0]).trim();
const [r, g, b] = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
const canvas = document.querySelector('canvas');
const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
let found = 0;
for (let at = 0; at < data.length; at += 4)
  found += data[at + 3] > 200 && Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 12;
return found;
"""
FOCUSABLE = """
return [...document.querySelectorAll('a[href], input, summary, [tabindex="0"]')]
  .filter((one) => !one.closest('details:not([open])') || one.tagName === 'SUMMARY').length;
"""
#: What has the focus: numbered, so that each thing is counted once.
FOCUSED = """
const one = document.activeElement;
one.dataset.seen = one.dataset.seen || String(window.seen = (window.seen || 0) + 1);
return one === document.body ? '' : one.dataset.seen;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_without_a_complaint_and_asks_only_this_console(
    browser: Browser, year_console: str, path: str, scheme: str
) -> None:
    browser.open(year_console + path, scheme=scheme)

    assert browser.complaints() == []
    requests = browser.requests()
    assert f"{year_console}/static/console.css" in requests
    assert [url for url in requests if not url.startswith(f"{year_console}/")] == []


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_never_scrolls_sideways(browser: Browser, year_console: str, path: str, width: int) -> None:
    browser.open(year_console + path, width=width, height=800)
    browser.ask("document.querySelectorAll('details').forEach((one) => one.open = true)")

    assert browser.ask("return document.documentElement.scrollWidth") == width
    wide = browser.ask("return [...document.querySelectorAll('.scroll')].map((one) => one.scrollWidth)")
    assert [each for each in wide if each <= 100] == []
    assert bool(wide) == (path not in EMPTY)


def test_a_list_of_incidents_is_not_cut_on_a_desk(browser: Browser, year_console: str) -> None:
    browser.open(year_console, width=1280, height=800)

    wide, shown = browser.ask(
        "const it = document.querySelector('.incidents').parentElement; return [it.scrollWidth, it.clientWidth]"
    )
    assert wide <= shown


@pytest.mark.parametrize("path", CHARTS)
def test_every_chart_draws_something(browser: Browser, year_console: str, path: str) -> None:
    browser.open(year_console + path)
    charts = browser.ask("return [...document.querySelectorAll('figure')].map((one) => one.dataset.chart)")

    assert charts
    assert [chart for chart in charts if browser.ask(DRAWN, f"[data-chart={chart}]") < 2_000] == []


def test_a_histogram_draws_the_window_and_the_reference(browser: Browser, year_console: str) -> None:
    browser.open(f"{year_console}/models/flight-delay/features/temp")
    heights = "return [...document.querySelectorAll('.area rect.' + arguments[0])].map((one) => one.getBBox().height)"

    now, then = browser.ask(heights, "now"), browser.ask(heights, "then")
    assert (len(now), len(then)) == (10, 10)
    assert max(now) == pytest.approx(190, abs=0.1)
    # The reference's bins are its deciles: all alike. The window has more than three times as much in the coldest.
    assert max(then) - min(then) < 1
    assert now[0] > 3 * then[0]


@pytest.mark.parametrize("path", PAGES)
def test_the_tab_key_reaches_everything_once_and_the_focus_is_seen(
    browser: Browser, year_console: str, path: str
) -> None:
    browser.open(year_console + path)
    expected = browser.ask(FOCUSABLE)
    reached = []
    for _ in range(expected):
        browser.press("TAB")
        reached.append(browser.ask(FOCUSED))

    assert len(set(reached) - {""}) == expected


def test_the_first_tab_offers_to_skip_to_the_content(browser: Browser, year_console: str) -> None:
    browser.open(year_console)
    browser.press("TAB")
    browser.wait_for("return document.activeElement.getBoundingClientRect().top >= 0")
    assert browser.ask("return document.activeElement.textContent") == "Skip to content"

    browser.press("ENTER")
    assert browser.ask("return document.activeElement.id") == "content"


def test_what_has_the_focus_has_an_outline(browser: Browser, year_console: str) -> None:
    browser.open(year_console)
    browser.press("TAB", times=2)

    assert browser.ask("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_space_key_takes_a_line_out_of_the_chart_and_back(browser: Browser, year_console: str) -> None:
    browser.open(f"{year_console}/models/flight-delay")
    browser.ask("document.querySelector('input[data-series=\"1\"]').focus()")
    with_it = browser.ask(OF_COLOUR, "c0")

    browser.press("SPACE")
    browser.wait_for("return !document.querySelector('.readout').textContent.includes('temp')")
    without = browser.ask(OF_COLOUR, "c0")
    browser.press("SPACE")
    browser.wait_for("return document.querySelector('.readout').textContent.includes('temp')")

    assert with_it > 100
    assert without < with_it / 10
    assert browser.ask(OF_COLOUR, "c0") == with_it


def test_arrow_keys_read_a_chart_point_by_point(browser: Browser, year_console: str) -> None:
    browser.open(f"{year_console}/models/flight-delay/features/temp")
    readout = "return document.querySelector('.readout').textContent"
    assert browser.ask(readout).startswith("2014-01-01 00:00: ")

    browser.ask("document.querySelector('.plot').focus()")
    browser.press("ARROW_LEFT")
    browser.wait_for("return document.querySelector('.readout').textContent.startsWith('2013-12-31 00:00: ')")
    browser.press("PAGE_UP")
    browser.wait_for("return document.querySelector('.readout').textContent.startsWith('2013-12-01 00:00: ')")


def test_another_measure_is_chosen_by_keys_alone_and_stays_in_the_address(browser: Browser, year_console: str) -> None:
    browser.open(f"{year_console}/models/flight-delay", width=390, height=800)
    before = browser.ask("return document.querySelector('.readout').textContent")
    browser.ask("document.querySelector('.choice a').focus()")
    browser.press("TAB")
    browser.press("ENTER")
    browser.wait_for("return location.search === '?window=day&measure=ks'")
    browser.wait_for("return document.querySelector('.readout') && document.querySelector('.readout').textContent")

    assert browser.ask("return document.querySelector('.choice [aria-current]').textContent") == "KS distance"
    assert browser.ask("return document.querySelector('.readout').textContent") != before
    browser.ask("document.querySelector('.tabs a:not([aria-current])').focus()")
    browser.press("ENTER")
    browser.wait_for("return location.search === '?window=week&measure=ks'")


def test_the_threshold_of_the_chosen_measure_is_a_dashed_line(browser: Browser, year_console: str) -> None:
    browser.open(f"{year_console}/models/flight-delay/features/temp")
    with_one = browser.ask(OF_COLOUR, "limit")
    browser.open(f"{year_console}/models/flight-delay/features/temp?measure=ks")

    assert (with_one > 100, browser.ask(OF_COLOUR, "limit")) == (True, 0)


def test_a_chart_follows_the_readers_colours(browser: Browser, year_console: str) -> None:
    browser.open(f"{year_console}/models/flight-delay", scheme="dark")

    assert browser.ask("return getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 22)"
    assert browser.ask(OF_COLOUR, "c0") > 100


def test_every_picture_and_chart_says_in_words_what_it_shows(browser: Browser, year_console: str) -> None:
    for path in CHARTS:
        browser.open(year_console + path)
        unnamed = (
            "return [...document.querySelectorAll('[role=img], [role=region]')].filter((one) => !one.ariaLabel).length"
        )
        silent = "return document.querySelectorAll('main svg:not([role=img]):not([aria-hidden])').length"
        assert (browser.ask(unnamed), browser.ask(silent)) == (0, 0)


@pytest.mark.parametrize("name", range(len(NAMES)))
def test_a_hostile_name_is_text_and_nothing_of_it_runs(browser: Browser, hostile_console: str, name: int) -> None:
    feature = f"/models/{quote(MODEL, safe='')}/features/{quote(NAMES[name], safe='')}"
    for path in ("/", "/incidents/h", f"/models/{quote(MODEL, safe='')}", feature):
        browser.open(hostile_console + path, width=390, height=800)
        assert browser.complaints() == []
        assert browser.ask("return document.querySelectorAll('img').length") == 0
        assert browser.ask("return document.documentElement.scrollWidth") == 390
        assert browser.ask("return document.title").endswith("· driftline")


def test_a_hostile_name_is_shown_as_it_is_written(browser: Browser, hostile_console: str) -> None:
    browser.open(f"{hostile_console}/models/{quote(MODEL, safe='')}")
    shown = browser.ask("return document.body.innerText")

    assert SCRIPT in shown
    assert repr(DIRECTION)[1:-1] in shown
    assert MODEL in shown
