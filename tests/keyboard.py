"""A person who uses a page with the keys alone, and sees at every step where they are."""

from playwright.sync_api import Page

MOST_STEPS = 120  # of Tab to anything on a page

# What is wrong with where the focus is: nothing marks it, or something lies over it, or it is outside the window.
FAULT = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "";
  const style = getComputedStyle(at);
  const name = at.outerHTML.slice(0, 100);
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "no outline: " + name;
  const [r, g, b, alpha = "1"] = style.outlineColor.match(/[\\d.]+/g);
  if (Number(alpha) < 1) return "an outline one cannot see: " + name;
  const box = at.getClientRects()[0];
  if (!box) return "no place on the page: " + name;
  const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 20)];
  if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return "outside the window: " + name;
  const top = document.elementFromPoint(x, y);
  return at.contains(top) ? "" : "covered by " + (top ? top.outerHTML.slice(0, 60) : "nothing") + ": " + name;
}"""


# Everything one can come to by the keys, one after the other, without pressing them: the same look at each.
EVERYWHERE = f"""() => {{
  const look = {FAULT};
  const reached = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const faults = [];
  for (const at of document.querySelectorAll(reached)) {{
    if (at.tabIndex < 0 || at.disabled || at.type === "hidden" || !at.checkVisibility()) continue;
    at.focus();
    if (document.activeElement === at) faults.push(look());
  }}
  return faults.filter(Boolean);
}}"""


def focus_faults(page: Page) -> list[str]:
    """Where on this page somebody who comes by the keys would not see where they are."""
    page.keyboard.press("Tab")  # from here on the browser knows that keys are used
    first = page.evaluate("document.activeElement.matches('.skip') || !document.querySelector('header nav')")
    found = [] if first else ["the first thing is not the way to the page itself"]
    return found + page.evaluate(EVERYWHERE)


class Keyboard:
    """Hands on a page. `faults` fills with every stop at which one could not see where one is."""

    def __init__(self, page: Page):
        self.page = page
        self.faults: list[str] = []

    def open(self, address: str) -> None:
        """Go to an address. The first thing there leads past everything that is the same on each page."""
        self.page.goto(address)
        self.press("Tab")
        if not self.is_at(".skip"):
            self.faults.append(f"{address}: the first thing is not the way to the page itself")
        self.page.keyboard.press("Enter")
        assert self.is_at("main")

    def to(self, selector: str, *, key: str = "Tab") -> "Keyboard":
        """Press Tab, or Shift+Tab, until this has the focus; look at every stop on the way."""
        for _ in range(MOST_STEPS):
            if self.is_at(selector):
                return self
            self.press(key)
        raise AssertionError(f"{key} does not lead to {selector} on {self.page.url}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        fault = self.page.evaluate(FAULT)
        if fault and fault not in self.faults:
            self.faults.append(fault)

    def type(self, selector: str, words: str) -> None:
        self.to(selector)
        self.page.keyboard.type(words)

    def choose(self, selector: str, value: str, *, key: str = "ArrowDown") -> None:
        """In a list or among round buttons, by the arrow keys."""
        self.to(selector)
        for _ in range(MOST_STEPS):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.press(key)
        raise AssertionError(f"{key} does not lead to {value} of {selector}")

    def go(self, selector: str, key: str = "Enter") -> None:
        """To a link or button, and press it; comes back when the next page is there."""
        self.to(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def is_at(self, selector: str) -> bool:
        return self.page.evaluate("selector => document.activeElement.matches(selector)", selector)
