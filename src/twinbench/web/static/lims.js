// The pages' behaviour that needs a script: dialogs, copying, how long ago something was. Live updates, swaps and forms
// are modules of their own. Everything is found by data-... attributes, so fragments need no set-up.

import "./forms.js";
import "./live.js";
import "./swaps.js";
import { announce } from "./status.js";

// Dialogs: <button data-dialog="id"> opens <dialog id="id">; the forms in it post.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    document.getElementById(opener.dataset.dialog)?.showModal();
    return;
  }
  const dialog = event.target.closest("dialog");
  if (event.target.closest('[data-action="close-dialog"]') || event.target === dialog) dialog?.close();
});

// Copying
function copyOldWay(text) {
  const area = document.createElement("textarea");
  const focused = document.activeElement;
  area.value = text;
  area.readOnly = true;
  area.className = "visually-hidden";
  (focused.closest("dialog") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused.focus({ preventScroll: true });
  return done;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text); // plain http has no clipboard API
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-address]");
  if (!button) return;
  const isAddress = "copyAddress" in button.dataset;
  const done = await copy(isAddress ? window.location.href : button.dataset.copy);
  const what = isAddress ? "Address" : button.dataset.copy;
  announce(done ? `${what} copied` : `The browser did not copy: select the text instead`);
});

// How long ago: <time datetime="..."><span data-ago>3 min ago</span></time>, anew each 30 s.
const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

function inWords(seconds) {
  const distance = Math.abs(seconds);
  const [size, unit] = UNITS.find(([least]) => distance >= least) ?? [];
  if (!unit) return seconds >= 0 ? "just now" : "in a moment";
  const amount = `${Math.floor(distance / size)} ${unit}`;
  return seconds >= 0 ? `${amount} ago` : `in ${amount}`;
}

function tellAges() {
  const now = Date.now();
  for (const span of document.querySelectorAll("time[datetime] [data-ago]")) {
    const moment = Date.parse(span.closest("time").dateTime);
    const text = Number.isNaN(moment) ? span.textContent : inWords((now - moment) / 1000);
    if (span.textContent !== text) span.textContent = text;
  }
}

tellAges();
window.setInterval(tellAges, 30_000);
document.addEventListener("htmx:afterSwap", tellAges);
