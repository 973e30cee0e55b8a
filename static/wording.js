// The picture of a mail follows what is typed. Without this file the button "Show how it looks" does it.
(function () {
  "use strict";

  const form = document.querySelector("form[data-preview]");
  const picture = document.getElementById("picture");
  if (!form || !picture) return;
  let soon;
  let asked = 0;

  async function draw() {
    const turn = ++asked;
    const open = picture.querySelector("details[open]") !== null;
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) });
    if (!answer.ok || answer.redirected || turn !== asked) return;
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    if (turn !== asked) return;
    if (open) drawn.querySelector("details").open = true;
    picture.replaceChildren(...drawn.childNodes);
  }

  form.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(draw, 400);
  });
})();
