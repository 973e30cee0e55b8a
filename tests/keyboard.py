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
