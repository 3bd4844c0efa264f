/* Keys, focus and words for what was swapped in. Pages work without it. */
"use strict";
const $ = (query) => document.querySelector(query);
const typing = (target) => target.closest("input, select, textarea, [contenteditable]");
const off = () => document.cookie.includes("steelyard_keys=off");
let going = false;

function say(text, urgent = false) {
  const line = $("#status");
  if (!line || !text || line.textContent === text) return;
  line.setAttribute("aria-live", urgent ? "assertive" : "polite");
  line.textContent = text;
}

function move(step) {
  const links = [...document.querySelectorAll("main tbody th a, main .rows a.row")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + step))].focus();
}

function help() {
  const dialog = $("#keys");
  if (dialog && !dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if ($("dialog[open]")) return;
  if (event.key === "Escape") {
    const close = $("#drawer a.close");
    if (typing(event.target)) event.target.blur();
    else if (close) close.click();
    return;
  }
  if (off() || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key;
  if (going) {
    going = false;
    const link = $(`nav a[data-key="${CSS.escape(key)}"]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  if (key === "g") going = true;
  else if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "/" && $("[data-search]")) { event.preventDefault(); $("[data-search]").focus(); }
  else if (key === "?") help();
  else if (key >= "1" && key <= "9") {
    const tab = document.querySelectorAll(".tabs a")[Number(key) - 1];
    if (tab) tab.click();
  }
});

/* What was typed and is kept nowhere: the browser asks before it is left. */
let typed = false, sent = false;
document.addEventListener("input", (event) => { typed ||= Boolean(event.target.closest("form[data-keeps]")); });
document.addEventListener("submit", (event) => { sent = event.target.method !== "dialog"; });
window.addEventListener("beforeunload", (event) => {
  if (!sent && (typed || $('form[data-keeps="changed"]'))) event.preventDefault();
  sent = false;
});

/* Who fills a field means the choice that it belongs to. */
document.addEventListener("input", (event) => {
  const choice = document.getElementById(event.target.dataset?.chooses || "");
  if (choice && event.target.value) choice.checked = true;
});

/* What scripts follow already is not sent again as a page of its own: one Back leaves it. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!event.submitter?.matches("[data-live]") || !window.htmx || form.elements.add?.value) return;
  event.preventDefault();
  sent = false;
  form.dispatchEvent(new Event("input", { bubbles: true }));
});

/* A slider says where it stands as soon as it is moved. */
document.addEventListener("input", (event) => {
  const shown = event.target.type === "range" && event.target.parentElement.querySelector("output");
  if (!shown) return;
  shown.textContent = event.target.value;
  event.target.setAttribute("aria-valuetext", event.target.value);
  event.target.classList.remove("unset");
});

/* A drawer that is closed gives the focus back to the row that it was of. */
let back = null;
document.addEventListener("click", (event) => {
  const rows = event.target.closest("#drawer a.close") ? document.querySelectorAll("#tab a[hx-get]") : [];
  back = [...rows].find((link) => link.pathname === location.pathname) || null;
}, true);

/* After a part was swapped in: its words are said, and a drawer that opened gets the focus. */
document.addEventListener("htmx:after:swap", () => {
  const spoken = $("[data-say]");
  if (spoken) say(spoken.dataset.say, "urgent" in spoken.dataset);
  for (const field of document.querySelectorAll("[data-checked]")) {
    const wrong = $(`#${field.dataset.checked} .error:not(.limit)`);
    if (wrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  const heading = $("#drawer h2");
  if (heading && !$("#drawer").contains(document.activeElement)) heading.focus();
  else if (!heading && back) { back.focus(); back = null; }
});

/* A stream that was cut, or a server that is gone: said, and taken back when it is there again. */
let lost = "";
function offline(failed) {
  const bar = $(".offline") || document.createElement("p");
  lost ||= new Date().toTimeString().slice(0, 8);
  const form = failed ? " Whether your form arrived is not known: look before you send it again." : "";
  const text = `Not connected since ${lost}. What is shown is from before; the runner may go on.${form}`;
  if (!bar.isConnected) {
    bar.className = "offline";
    bar.setAttribute("role", "alert");
    ($("main") || document.body).prepend(bar);
  }
  if (bar.textContent !== text) bar.textContent = text;
}
function online() {
  lost = "";
  $(".offline")?.remove();
}
const posts = (event) => event.detail?.ctx?.request?.method?.toUpperCase() === "POST";
document.addEventListener("htmx:sse:error", () => offline(false));
document.addEventListener("htmx:error", (event) => offline(posts(event)));
for (const name of ["htmx:sse:after:connection", "htmx:after:request"]) {
  document.addEventListener(name, online);
}
