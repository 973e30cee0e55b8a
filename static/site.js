// What the pages do a little better with scripts. Everything works without this file.
(function () {
  "use strict";

  const root = document.documentElement;

  // The device's time zone, so that times can be shown in it too.
  function tellZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const told = "zone=" + zone;
    if (/^[\w+/-]+$/.test(zone) && !document.cookie.split("; ").includes(told)) {
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = told + "; Path=/; Max-Age=31536000; SameSite=Lax" + secure;
    }
  }

  // What a page keeps in this tab until there is a connection again ends with the session.
  function forgetKept() {
    try {
      Object.keys(sessionStorage).filter((key) => key.startsWith("roster ")).forEach((key) => sessionStorage.removeItem(key));
    } catch (error) { /* a browser that keeps nothing */ }
  }

  // "Leave this page": at once, in place of this page in the history; the session ends behind it.
  function leaveAtOnce(form) {
    const go = () => {
      document.body.hidden = true;
      forgetKept();
      fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual", keepalive: true });
      location.replace(root.dataset.leave);
    };
    form.addEventListener("submit", (event) => { event.preventDefault(); go(); });
    let presses = [];
    document.addEventListener("keyup", (event) => {
      if (event.key !== "Shift") { presses = []; return; }
      presses = presses.filter((at) => event.timeStamp - at < 5000).concat(event.timeStamp);
      if (presses.length >= 3) go();
    });
  }

  // Two minutes before a session ends: say so, and let one action prolong it. Another tab may have done so already.
  const WARN = 120;
  let left;

  async function ask() {
    const answer = await fetch(root.dataset.stay, { headers: { "X-Background": "yes" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.getElementById("stay");
  }

  function wait(seconds) {
    clearTimeout(left);
    left = setTimeout(look, Math.max(seconds, 1) * 1000);
  }

  async function look() {
    const words = await ask();
    if (!words) return;
    const seconds = Number(words.dataset.seconds);
    if (seconds > WARN) wait(seconds - WARN);
    else warn(words, seconds);
  }

  function warn(words, seconds) {
    const dialog = document.createElement("dialog");
    const before = document.activeElement;
    dialog.className = "stay";
    dialog.setAttribute("aria-labelledby", "stay-words");
    dialog.append(document.adoptNode(words));
    words.querySelector("p").id = "stay-words";
    const form = words.querySelector("form");
    const end = setTimeout(() => {
      words.querySelector("p").replaceWith(words.querySelector("[data-ended]"));
      words.querySelector("[data-ended]").hidden = false;
      form.setAttribute("method", "dialog");
      form.querySelector("button").textContent = "OK";
    }, seconds * 1000);
    form.addEventListener("submit", (event) => {
      if (form.getAttribute("method") === "dialog") return;
      event.preventDefault();
      fetch(form.getAttribute("action"), { method: "POST", body: new FormData(form) }).then((answer) => {
        if (answer.status !== 204) return;
        clearTimeout(end);
        dialog.close();
        wait(Number(root.dataset.idle) - WARN);
      });
    });
    dialog.addEventListener("close", () => { dialog.remove(); if (before) before.focus(); });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("button").focus();
  }

  // Passkeys need a script and a browser that knows them: only then are their buttons shown.
  function showPasskeys() {
    document.querySelectorAll("[data-passkey]").forEach((thing) => { thing.hidden = false; });
    document.querySelectorAll("[data-no-passkey]").forEach((thing) => { thing.hidden = true; });
    const trouble = document.querySelector("[data-passkey-trouble]");
    document.addEventListener("allauth.error", (event) => {
      if (trouble) { event.preventDefault(); trouble.hidden = false; }
    });
  }

  if (window.PublicKeyCredential) showPasskeys();
  if (!root.dataset.idle) forgetKept();
  try { tellZone(); } catch (error) { /* an old browser: times are shown in the group's own zone */ }
  const leave = document.querySelector("form.leave");
  if (leave && root.dataset.leave) leaveAtOnce(leave);
  if (root.dataset.idle && window.HTMLDialogElement) wait(Number(root.dataset.idle) - WARN);
})();
