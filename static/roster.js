// The roster: taps are sent without leaving the page. Without a connection they are kept in this tab, said so beside
// the name, and sent in order once it is back. Each names what the page showed, so nothing that somebody else noted
// meanwhile is written over. Without this file each tap loads the page again.
(function () {
  "use strict";

  const form = document.querySelector("form[data-roster]");
  if (!form || !window.fetch || !window.AbortController) return;

  const EVERY = 3000, LONGEST = 15000, PATIENCE = 8000, SOON = 1000, KEPT = "roster " + location.pathname;
  const CAME = ["present", "late", "left_early"], AWAY = ["absent", "excused"];
  const part = (name, page) => (page || document).querySelector("[data-" + name + "]");
  const block = (about, page) => (page || document).querySelector("#" + CSS.escape("m-" + about));
  const told = {};  // about whom: why a tap changed nothing
  let waiting = remembered(), known = written(document), painted = new Set();
  let sending = false, failures = 0, stopped = false, timer, pressing = false, later;

  // --- What is kept: ids and marks, no names; where nothing can be kept, as long as the page is open

  function remembered() {
    try { return JSON.parse(sessionStorage.getItem(KEPT)) || []; } catch (error) { return []; }
  }

  function remember() {
    try {
      if (waiting.length) sessionStorage.setItem(KEPT, JSON.stringify(waiting));
      else sessionStorage.removeItem(KEPT);
    } catch (error) { /* a browser that keeps nothing */ }
  }

  // --- What will be noted once everything is sent

  function outcome(tap) {
    if (tap.name === "clear") return "";
    if (tap.name === "headcount") return String(Math.max(Number(tap.seen) + Number(tap.value), 0));
    return tap.value.split(":")[1];
  }

  function noted(about) {
    const last = waiting.filter((tap) => tap.about === about).pop();
    const here = block(about);
    return last ? outcome(last) : here ? here.dataset.noted : "";
  }

  // --- Showing: what waits looks as it will, and says that it waits

  function counted(place, number) {
    place.textContent = number === 1 ? place.dataset.one : place.dataset.many.replace("#", number);
  }

  function paint() {
    const late = stopped || failures || !navigator.onLine || waiting.some((tap) => Date.now() - tap.at > SOON);
    new Set([...painted, ...waiting.map((tap) => tap.about)]).forEach((about) => {
      const here = block(about);
      if (!here) return;
      const last = waiting.filter((tap) => tap.about === about).pop();
      if (last) painted.add(about);
      if (about === "guests") paintGuests(here); else paintPerson(here, noted(about));
      const mark = part("waits", here);
      const words = last ? (wordsOf(here, last) ? wordsOf(here, last) + ": " : "") + form.dataset.words : "";
      if (mark) { mark.hidden = !(last && late); mark.textContent = words; }
    });
    if (waiting.length) {
      const here = Array.from(form.querySelectorAll(".roster li[id]"));
      const came = here.filter((row) => CAME.includes(noted(row.id.slice(2)))).length;
      counted(part("here"), came + Number(block("guests") ? noted("guests") : 0));
      if (part("unmarked")) part("unmarked").hidden = true;
    }
    const unsent = part("unsent");
    unsent.hidden = !(waiting.length && late);
    if (!unsent.hidden) counted(unsent, waiting.length); else unsent.textContent = "";
    part("no-connection").hidden = unsent.hidden || stopped || !(failures || !navigator.onLine);
    part("stopped").hidden = !stopped;
    Object.entries(told).forEach(([about, words]) => tell(about, words));
  }

  function wordsOf(here, tap) {
    const button = Array.from(here.querySelectorAll("button")).find((one) => one.value === tap.value);
    return tap.name === "headcount" || !button ? "" : button.dataset.plain || button.textContent.trim();
  }

  function paintPerson(here, mark) {
    here.querySelectorAll("[data-plain]").forEach((button, n) => {
      const means = n === 0 ? CAME : AWAY;
      const more = here.querySelector("details button[value$=':" + CSS.escape(mark) + "']");
      button.setAttribute("aria-pressed", String(means.includes(mark)));
      button.textContent = means.includes(mark) && more ? more.textContent : button.dataset.plain;
    });
    const undo = here.querySelector("[name=clear]");
    if (undo) undo.hidden = !mark;
  }

  function paintGuests(here) {
    counted(part("guests", here), Number(noted("guests")));
    here.querySelector("[value='-1']").hidden = noted("guests") === "0";
  }

  // Why a tap changed nothing stands beside the person until they are tapped again; of whoever left the roster, on top.
  function tell(about, words) {
    const here = block(about);
    const place = here ? here.querySelector("[data-told]") || here.appendChild(document.createElement("p")) : part("notice");
    if (here) { place.dataset.told = ""; place.className = "note"; place.setAttribute("role", "status"); }
    if (place.textContent !== words) place.textContent = words;
    place.hidden = false;
  }

  // --- Taking over a page that came: only what is another changes, so nobody loses the button under their finger

  function written(page) {
    const found = new Map();
    page.querySelectorAll("[data-roster] [id^='m-']").forEach((one) => found.set(one.id.slice(2), one.innerHTML));
    return found;
  }

  function take(page) {
    const fresh = written(page), there = page.querySelector(".roster"), here = document.querySelector(".roster");
    const busy = new Set(waiting.map((tap) => tap.about));
    fresh.forEach((html, about) => { if (block(about)) block(about).dataset.noted = block(about, page).dataset.noted; });
    if (pressing) { later = page; return; }
    later = null;
    const on = document.activeElement, was = form.contains(on) ? on.closest("[id^='m-']") : null;
    const open = new Set(Array.from(form.querySelectorAll("details[open]")).map((fold) => fold.closest("[id]").id));
    const others = (map) => Array.from(map.keys()).filter((about) => about !== "guests").join();
    if (others(fresh) !== others(known)) { here.innerHTML = there.innerHTML; painted.clear(); }
    fresh.forEach((html, about) => {
      const mine = block(about);
      if (!mine || busy.has(about)) return;
      if (html !== known.get(about) || painted.has(about)) mine.innerHTML = html;
      painted.delete(about);
    });
    known = fresh;
    if (!waiting.length) {
      ["here", "unmarked"].forEach((name) => {
        const old = part(name), now = part(name, page);
        if (old && now) old.innerHTML = now.innerHTML;
        if (old) old.hidden = !now;
      });
    }
    open.forEach((id) => { const fold = document.querySelector("#" + CSS.escape(id) + " details"); if (fold) fold.open = true; });
    if (was && !document.contains(on)) again(was.id, on);
  }

  function again(id, on) {
    const here = document.getElementById(id);
    if (!here) return;
    const buttons = Array.from(here.querySelectorAll("button, summary")).filter((one) => !one.hidden);
    const same = buttons.find((one) => one.localName === on.localName && one.name === on.name && one.value === on.value);
    (same || buttons[0]).focus({ preventScroll: true });
  }

  // --- Sending, the first first

  async function send(tap) {
    const body = new FormData(form);
    body.append(tap.name, tap.value);
    body.append("seen", tap.seen);
    const patience = new AbortController();
    const tooLong = setTimeout(() => patience.abort(), PATIENCE);
    try {
      const answer = await fetch(form.action, { method: "POST", body, cache: "no-store", signal: patience.signal });
      return { status: answer.status, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
    } finally {
      clearTimeout(tooLong);
    }
  }

  async function sendWaiting() {
    clearTimeout(timer);
    if (sending || stopped) return;
    sending = true;
    try {
      while (waiting.length) {
        const tap = waiting[0];
        const { status, page } = await send(tap);
        if (status === 429 || status >= 500) throw new Error("not now");
        failures = 0;
        if (!page.querySelector("form[data-roster]")) { stopped = true; break; }
        if (status === 409) {
          waiting = waiting.filter((other) => other.about !== tap.about);
          told[tap.about] = part("notice", page).textContent;
        } else {
          waiting.shift();
        }
        remember();
        take(page);
        paint();
      }
    } catch (error) {
      failures += 1;
      timer = setTimeout(sendWaiting, Math.min(EVERY * 2 ** (failures - 1), LONGEST));
    } finally {
      sending = false;
      paint();
    }
  }

  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !["record", "clear", "headcount"].includes(button.name)) return;
    event.preventDefault();
    const about = button.name === "headcount" ? "guests" : button.value.split(":")[0];
    const tap = { about, name: button.name, value: button.value, seen: noted(about), at: Date.now() };
    hush(about);
    if (outcome(tap) === tap.seen) return;  // pressed twice
    waiting.push(tap);
    remember();
    paint();
    if (document.activeElement === button && button.hidden) block(about).querySelector("button").focus();
    setTimeout(paint, SOON + 50);
    sendWaiting();
  });

  function hush(about) {
    if (!(about in told)) return;
    delete told[about];
    const place = block(about) && block(about).querySelector("[data-told]");
    if (place) place.remove();
  }

  // Other forms of this page load another: not while there is no connection, or this one would be gone.
  document.querySelectorAll("main form").forEach((other) => {
    if (other === form) return;
    other.addEventListener("submit", (event) => {
      if (navigator.onLine && !failures) return;
      event.preventDefault();
      part("no-connection").hidden = false;
      part("no-connection").scrollIntoView({ block: "center" });
    });
  });

  window.addEventListener("pointerdown", () => { pressing = true; });
  ["pointerup", "pointercancel"].forEach((name) => window.addEventListener(name, () => {
    pressing = false;
    setTimeout(() => { if (later) { take(later); paint(); } }, 50);
  }));
  window.addEventListener("online", () => { failures = 0; paint(); sendWaiting(); });
  window.addEventListener("offline", paint);
  if (waiting.length) { paint(); sendWaiting(); }
})();
