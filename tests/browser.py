"""Helpers for tests in a real browser."""

import os
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page

SHOTS = Path(__file__).resolve().parent.parent / "screenshots"


def shot(page: Page, name: str) -> None:
    """Keep a picture of the whole page, to be looked at. Where nobody looks, none is made."""
    if os.environ.get("CI"):
        return
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def press(link_or_button: Locator) -> None:
    """Press it, and come back when the next page is there: a click alone is over before."""
    with link_or_button.page.expect_navigation():
        link_or_button.click()


COLOURS_HAVE_SETTLED = """() => Promise.allSettled(
  document.getAnimations().filter(one => one instanceof CSSTransition).map(one => one.finished)
).then(() => null)"""


def accessibility_faults(page: Page, *, of_colour: bool = False) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA, as `rule: element`; `of_colour`: only what a colour scheme changes."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    options = {"runOnly": ["color-contrast"] if of_colour else tags, "resultTypes": ["violations"]}
    page.evaluate(COLOURS_HAVE_SETTLED)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("options => axe.run(options).then(results => results.violations)", options)
    return [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]


def is_wider_than_the_window(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
