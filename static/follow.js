// Pages of a meeting that runs: they follow what changes, tick between the answers and say when the connection is lost.
// Without this file they are plain pages: each tap loads the next one, and a reload shows how it stands.
(function () {
  "use strict";

  const form = document.querySelector("form[data-live]");
  const live = form && form.querySelector("[data-follow]");
  if (!live || !window.fetch || !window.AbortController) return;

  const EVERY = 2000, HIDDEN = 30000, LONGEST = 15000, PATIENCE = 8000;
  const note = (name) => document.querySelector("[data-" + name + "]");
  const said = note("said");
  let tag = live.dataset.tag || "", failures = 0, timer, asking, shownAt = Date.now(), tapping = false, ended = false;

  document.querySelectorAll("[data-by-hand]").forEach((thing) => { thing.hidden = true; });

  // --- Clocks: the server says how many seconds are left, the device counts from there

  function words(seconds) {
    const whole = Math.abs(seconds);
    return (seconds < 0 ? "+" : "") + Math.floor(whole / 60) + ":" + String(whole % 60).padStart(2, "0");
  }

  function tick() {
    const passed = Math.floor((Date.now() - shownAt) / 1000);
    live.querySelectorAll("[data-clock]:not([data-still])").forEach((clock) => {
      const left = Number(clock.dataset.clock) - passed;
      clock.textContent = words(left);
      clock.toggleAttribute("data-over", left < 0);
    });
    live.querySelectorAll("[data-minutes]").forEach((clock) => {
      const left = Math.max(Math.ceil((Number(clock.dataset.minutes) - passed) / 60), 0);
      const { none, one, many } = clock.dataset;
      const now = left === 0 ? none : left === 1 ? one : many.replace("#", left);
      if (clock.textContent !== now) clock.textContent = now;
    });
  }

  // --- Showing what came: folds stay open, the button one was on stays the one, what matters is said once

  function show(html) {
    const open = Array.from(live.querySelectorAll("details[id]")).map((fold) => [fold.id, fold.open]);
    const focused = live.contains(document.activeElement) && document.activeElement;
    const before = say();
    live.innerHTML = html;
    open.forEach(([id, was]) => { const fold = document.getElementById(id); if (fold) fold.open = was; });
    if (focused) {
      const again = (focused.id && document.getElementById(focused.id)) || document.getElementById("tap-next") || live;
      again.focus({ preventScroll: true });
    }
    shownAt = Date.now();
    if (say() !== before) said.textContent = say();
    tick();
  }

  function say() {
    const words = live.querySelector("[data-say]");
    return words ? words.textContent.trim().replace(/\s+/g, " ") : "";
  }

  function reached() {
    failures = 0;
    note("lost").hidden = true;
  }

  function missed() {
    failures += 1;
    if (failures > 1 || !navigator.onLine) note("lost").hidden = false;
  }

  // --- The phone of whoever runs the meeting stays awake, where it can

  async function stayAwake() {
    if (live.dataset.awake === undefined || document.hidden || !navigator.wakeLock) return;
    try { await navigator.wakeLock.request("screen"); } catch (error) { /* a weak battery: it may sleep */ }
  }

  // --- Following

  function wait() {
    clearTimeout(timer);
    if (ended) return;
    const pause = document.hidden ? HIDDEN : failures ? Math.min(EVERY * 2 ** (failures - 1), LONGEST) : EVERY;
    timer = setTimeout(ask, pause);
  }

  async function ask() {
    clearTimeout(timer);
    if (tapping) return;
    const mine = asking = new AbortController();
    const tooLong = setTimeout(() => mine.abort(), PATIENCE);
    const headers = { "X-Background": "yes" };
    if (tag) headers["If-None-Match"] = tag;
    if (live.dataset.pass) headers["X-Pass"] = live.dataset.pass;
    try {
      const answer = await fetch(live.dataset.follow, {
        headers,
        credentials: live.dataset.pass ? "omit" : "same-origin",
        cache: "no-store",
        redirect: "manual",
        signal: mine.signal,
      });
      if (answer.status === 200) {
        const html = await answer.text();
        if (mine !== asking || tapping) return;
        tag = answer.headers.get("ETag") || "";
        show(html);
        reached();
      } else if (answer.status === 304) {
        reached();
      } else if (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404) {
        if (!(await renew())) stop();
      } else {
        missed();
      }
    } catch (error) {
      if (mine === asking) missed();
    } finally {
      clearTimeout(tooLong);
      if (mine === asking) wait();
    }
  }

  // The pass of this page is over: whoever is still signed in gets the page, and a new one, without noticing.
  async function renew() {
    if (!live.dataset.pass) return false;
    const answer = await fetch(form.action, { headers: { "X-Background": "yes" }, cache: "no-store", redirect: "manual" });
    return answer.status === 200 && take(await answer.text());
  }

  function stop() {
    ended = true;
    note("signed-out").hidden = false;
  }

  // --- Taps: sent without leaving the page; if they do not arrive, it says so and changes nothing

  function take(page) {
    const there = new DOMParser().parseFromString(page, "text/html").querySelector("[data-follow]");
    if (!there) return false;
    if (there.dataset.pass) live.dataset.pass = there.dataset.pass;
    tag = there.dataset.tag || "";
    show(there.innerHTML);
    return true;
  }

  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button) return;
    event.preventDefault();
    if (tapping) return;
    tapping = true;
    if (asking) asking.abort();
    note("not-sent").hidden = true;
    const body = new FormData(form);
    body.append(button.name, button.value);
    form.setAttribute("aria-busy", "true");
    const patience = new AbortController();
    const tooLong = setTimeout(() => patience.abort(), PATIENCE);
    try {
      const answer = await fetch(form.action, { method: "POST", body, cache: "no-store", signal: patience.signal });
      const page = await answer.text();
      if (take(page)) reached();
      else location.assign(answer.redirected ? answer.url : form.action);
    } catch (error) {
      note("not-sent").hidden = false;
      missed();
    } finally {
      clearTimeout(tooLong);
      form.removeAttribute("aria-busy");
      tapping = false;
      wait();
    }
  });

  document.addEventListener("visibilitychange", () => { if (!document.hidden) { tag = ""; ask(); stayAwake(); } });
  window.addEventListener("online", ask);
  window.addEventListener("offline", missed);
  live.tabIndex = -1;
  setInterval(tick, 250);
  stayAwake();
  wait();
})();
