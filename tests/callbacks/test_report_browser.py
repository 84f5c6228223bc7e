"""The report in a real browser: Chromium, without a screen, driven by Selenium (both are for development only)."""

import itertools
import re
import shutil

import pytest

from callbacks.report import write_report

# Of a browser that asks no server for anything.
_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium, or a skip that says what is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium: pip install selenium")
    binary, driver = (shutil.which("chromium") or shutil.which("google-chrome")), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no chromium with its chromedriver: the report is not tried in a browser")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chromium = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield chromium
    chromium.quit()


@pytest.fixture
def show(browser, tmp_path):
    """``show(folders, width, scheme)``: opens the report of sweeps; no page may complain or leave the screen."""

    def call(folders, width=1200, scheme="light"):
        write_report(folders, tmp_path / "report.html")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        browser.get((tmp_path / "report.html").as_uri())
        return browser

    yield call
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def find(browser, selector):
    return browser.find_elements("css selector", selector)


def column_of(browser, heading):
    """The texts of a column of the points, from top to bottom."""
    heads = [th.text.rstrip(" ↕↑↓\n") for th in find(browser, "#points thead th")]
    return [td.text for td in find(browser, f"#points tbody td:nth-child({heads.index(heading) + 1})")]


def heading(browser, name):
    return next(b for b in find(browser, "#points thead button") if b.text == name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_every_section_is_there(show, make_sweep, width, scheme):
    folders = [make_sweep("a", ["e8", "a_lattice_with_a_very_long_name" * 3], [1, 2]), make_sweep("b", ["z"], [1])]
    browser = show(folders, width, scheme)
    assert {h.text for h in find(browser, "h2") if h.is_displayed()} == {
        *("Rate and distortion", "Points", "In what the curves differ", "Training", "Time and hardware"),
    }
    assert len(find(browser, ".legend button")) == 3 and len(find(browser, "#curves .chart")) == 2
    assert len(find(browser, "#curves .chart .marker")) == 2 * 5 and len(find(browser, "#points tbody tr")) == 5


def test_a_click_sorts(show, make_sweep):
    browser = show([make_sweep("sweep", ["e8", "z"], [0.5, 1, 4])])
    for name in ("rate", "gap", "training, s"):
        before = sorted(float(text) for text in column_of(browser, name))
        heading(browser, name).click()
        assert [float(text) for text in column_of(browser, name)] == before
        assert heading(browser, name).find_element("xpath", "..").get_attribute("aria-sort") == "ascending"
        heading(browser, name).click()
        assert [float(text) for text in column_of(browser, name)] == before[::-1]
    heading(browser, "curve").click()
    assert column_of(browser, "curve") == ["e8"] * 3 + ["z"] * 3
    (box,) = find(browser, "#points input[type=checkbox]")
    few = len(find(browser, "#points thead th"))
    box.click()
    assert len(find(browser, "#points thead th")) > few and "8,000" not in column_of(browser, "job")
    assert set(column_of(browser, "eval_symbols")) == {"8000"}


def test_pointing_shows_figures(show, make_sweep):
    from selenium.webdriver import ActionChains, Keys

    browser = show([make_sweep("sweep", ["e8"], [1, 4])])
    rates = sorted(float(text) for text in column_of(browser, "rate"))
    for chart in find(browser, "#curves .chart"):
        markers = chart.find_elements("css selector", ".marker")
        (tip,) = chart.find_elements("css selector", ".tip")
        assert not tip.is_displayed()
        for marker, rate in zip(markers, rates, strict=True):  # drawn from left to right
            ActionChains(browser).move_to_element(marker).perform()
            assert tip.is_displayed() and tip.text.startswith("e8, λ = ") and f"{rate:.4f} ± 0.002" in tip.text
    # The same with the keyboard alone, read aloud.
    find(browser, "#curves .chart > svg")[0].send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    tip = find(browser, "#curves .chart .tip")[0]
    assert f"{rates[1]:.4f} ± 0.002" in tip.text
    assert f"{rates[1]:.4f} ± 0.002" in find(browser, "#live")[0].get_attribute("textContent")


def test_curves_hide_and_ranges_grow(show, make_sweep):
    from selenium.webdriver import ActionChains

    browser = show([make_sweep("sweep", ["e8", "z"], [1, 2, 4])])
    button = find(browser, ".legend button")[0]
    button.click()
    assert button.get_attribute("aria-pressed") == "false" and len(find(browser, ".chart .marker")) == 2 * 3
    button.click()
    assert len(find(browser, ".chart .marker")) == 2 * 6
    chart = find(browser, "#curves .chart svg")[0]

    def marks():
        return [text.text for text in find(browser, "#curves .chart:first-child text")]

    whole = marks()
    ActionChains(browser).move_to_element(chart).click_and_hold().move_by_offset(80, 0).release().perform()
    assert marks() != whole
    next(b for b in find(browser, "figcaption button") if b.is_displayed()).click()
    assert marks() == whole
    # Another quantity of the training, on another axis.
    assert len(find(browser, "#training .chart g path")) == 6
    find(browser, "#lambda")[0].send_keys("4")
    assert len(find(browser, "#training .chart g path")) == 2
    find(browser, "#quantity")[0].send_keys("train/rate")
    find(browser, "#training input")[0].click()
    assert find(browser, "#training figcaption span")[0].text == "train/rate"


def test_no_bound_no_gap_chart(show, make_sweep):
    browser = show([make_sweep("images", ["e8", "z"], [1, 2], bounded=False)])
    assert len(find(browser, "#curves .chart")) == 1 and "R(D)" not in browser.find_element("id", "summary").text
    assert not {"gap", "R(D)"} & {b.text for b in find(browser, "#points thead button")}


def test_images_have_their_own_measures(show, make_sweep):
    browser = show([make_sweep("images", ["e8", "z"], [1, 2], bounded=False, psnr=31.25, ms_ssim=0.9)])
    titles = [span.text for span in find(browser, "#curves figcaption span")]
    assert titles == ["PSNR over rate", "MS-SSIM over rate"]
    assert "bits per pixel, of whole files" in {t.text for t in find(browser, "#curves .chart:first-child text")}
    assert column_of(browser, "PSNR, dB") == ["31.2500"] * 4 and column_of(browser, "MS-SSIM") == ["0.9000"] * 4


def test_a_sweep_of_failures_and_evil_names(show, make_sweep):
    evil = "</script><img src=x onerror=alert(1)>"
    folder = make_sweep("sweep", [evil, "z"], [1])
    for job in folder.iterdir():
        (job / "rd_point.json").unlink()
        (job / "error.json").write_text('{"error": "</script><b>wrong</b>"}')
    browser = show([folder])
    assert "2 jobs failed" in browser.find_element("id", "summary").text
    remarks = [td.text for td in find(browser, "#points tr.remark td")]
    assert remarks == ["failed: </script><b>wrong</b>"] * 2 and not find(browser, "#points b, img")
    assert evil in column_of(browser, "curve")


def test_an_error_is_read_without_scrolling(show, make_sweep):
    """However wide the table is: it has a line of its own, no wider than the screen."""
    folder = make_sweep("sweep", ["e8", "z"], [1])
    (folder / "1" / "rd_point.json").unlink()
    (folder / "1" / "error.json").write_text(f'{{"error": "{"a long reason " * 40}"}}')
    for width in (390, 1200):
        browser = show([folder], width)
        find(browser, "#points input[type=checkbox]")[0].click()
        (remark,) = find(browser, "#points tr.remark div")
        assert remark.rect["x"] >= 0 and remark.rect["x"] + remark.rect["width"] <= width
        row = find(browser, "#points tr.remarked")[0]
        assert row.rect["height"] < 60


def test_lines_of_several_lambdas_are_told_apart(show, make_sweep):
    browser = show([make_sweep("sweep", ["e8", "z"], [1, 2, 4])])
    ends = find(browser, "#training .end")
    assert sorted(end.text for end in ends) == ["λ 1", "λ 1", "λ 2", "λ 2", "λ 4", "λ 4"]
    heights = sorted(end.rect["y"] for end in ends)
    assert all(b - a > 8 for a, b in itertools.pairwise(heights))
    find(browser, "#lambda")[0].send_keys("4")
    assert not find(browser, "#training .end")


def luminance(color):
    """Of an sRGB colour "rgb(r, g, b)", as WCAG 2 defines it."""
    parts = [int(p) / 255 for p in re.findall(r"\d+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(show, make_sweep, scheme):
    """WCAG 2: 4.5 for text, 3 for what is drawn."""
    browser = show([make_sweep("sweep", ["z"], [1])], scheme=scheme)
    names = ["text", "quiet", "bad", "bound", "focus", *(f"c{i}" for i in range(10))]
    colors = browser.execute_script(
        "const probe = document.body.appendChild(document.createElement('i'));"
        "return arguments[0].map((n) => { probe.style.color = `var(--${n})`; return getComputedStyle(probe).color; })",
        [*names, "page", "panel"],
    )
    found = dict(zip([*names, "page", "panel"], map(luminance, colors), strict=True))
    assert (found["page"] > 0.5) == (scheme == "light")
    for name in names:
        for ground in ("page", "panel"):
            bright, dark = sorted([found[name], found[ground]], reverse=True)
            assert (bright + 0.05) / (dark + 0.05) >= (4.5 if name in ("text", "quiet", "bad") else 3), (name, ground)
