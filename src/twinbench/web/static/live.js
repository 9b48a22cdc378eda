// Live updates: one event stream per page says what changed; the parts of the page that show it fetch themselves anew.
//
//   <body data-events="/lims/events">          the stream: `change` with "request TR-000042", and `alive` every few seconds
//   data-live="request TR-000042, bench"       what a part shows; "bench" means any bench
//   hx-get="..." hx-trigger="live"             how it is fetched; or listen to its DOM event `live`
//
// Nobody is disturbed: a part in which somebody types, or with an open dialog, waits; focus, opened details and
// scroll positions are kept.

import { announce, timeOfDay, warn } from "./status.js";

const SILENT_AFTER_MS = 10_000;
const POLL_EVERY_MS = 5_000;
const NOT_MORE_OFTEN_THAN_MS = 1_000;
const PAUSED = "twinbench-live-paused";

const address = document.body.dataset.events;
const button = document.querySelector('[data-action="pause-live"]');
const refreshedAt = new Map(); // key of a part -> when it was last fetched
const scheduled = new Map(); // key of a part -> timer
const waiting = new Set(); // keys of parts in which somebody is busy
let source = null;
let heardAt = 0;
let polledAt = 0;
let stopped = false;
let paused = false;

function parts() {
  return [...document.querySelectorAll("[data-live]")];
}

function keyOf(part) {
  return part.getAttribute("hx-get") || part.dataset.trends || part.id || part.dataset.live;
}

function concerns(part, subject) {
  return part.dataset.live.split(",").some((text) => {
    const shown = text.trim();
    return shown === subject || subject.startsWith(`${shown} `) || shown.startsWith(`${subject} `);
  });
}

function isChanged(control) {
  if (control.type === "hidden" || control.disabled) return false;
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control.tagName === "SELECT") {
    const byDefault = [...control.options].some((option) => option.defaultSelected);
    return byDefault ? [...control.options].some((o) => o.selected !== o.defaultSelected) : control.selectedIndex > 0;
  }
  return control.value !== control.defaultValue;
}

function isBusy(part) {
  const focused = document.activeElement;
  if (part.contains(focused) && focused.matches("input, select, textarea, [contenteditable]")) return true;
  if (part.querySelector("dialog[open]") || part.closest("dialog[open]")) return true;
  return [...part.querySelectorAll("input, select, textarea")].some(isChanged);
}

function refresh(key) {
  scheduled.delete(key);
  waiting.delete(key);
  for (const part of parts().filter((candidate) => keyOf(candidate) === key)) {
    if (isBusy(part)) {
      waiting.add(key);
      continue;
    }
    refreshedAt.set(key, Date.now());
    part.dispatchEvent(new CustomEvent("live"));
  }
}

function refreshSoon(part) {
  const key = keyOf(part);
  if (scheduled.has(key)) return;
  const wait = (refreshedAt.get(key) ?? 0) + NOT_MORE_OFTEN_THAN_MS - Date.now();
  if (wait <= 0) refresh(key);
  else scheduled.set(key, window.setTimeout(refresh, wait, key));
}

function refreshAll() {
  parts().forEach(refreshSoon);
}

function heard() {
  heardAt = Date.now();
  if (!stopped) return;
  stopped = false;
  document.body.dataset.liveState = "live";
  warn("");
  announce("Live updates are back");
  refreshAll();
}

function open() {
  if (source || paused || document.hidden) return;
  if (!stopped) heardAt = Date.now();
  document.body.dataset.liveState = stopped ? "stopped" : "live";
  source = new EventSource(address);
  source.addEventListener("open", () => stopped || heard()); // a stream that opens and stays silent is no good
  source.addEventListener("alive", heard);
  source.addEventListener("change", (event) => {
    heard();
    parts().filter((part) => concerns(part, event.data)).forEach(refreshSoon);
  });
}

function close() {
  source?.close();
  source = null;
}

function tick() {
  for (const key of [...waiting]) refresh(key); // a copy: what still waits is put back
  if (paused || document.hidden || !source) return;
  const now = Date.now();
  const broken = source.readyState === EventSource.CLOSED || now - heardAt > SILENT_AFTER_MS;
  if (!broken && !stopped) return;
  if (!stopped) {
    stopped = true;
    document.body.dataset.liveState = "stopped";
    warn(`Live updates stopped at ${timeOfDay(heardAt)} – reconnecting`);
  }
  if (now - polledAt < POLL_EVERY_MS) return;
  polledAt = now;
  if (source.readyState !== EventSource.CONNECTING) {
    close();
    open();
  }
  refreshAll();
}

function pause(wanted) {
  paused = wanted;
  button?.setAttribute("aria-pressed", String(wanted));
  try {
    window.sessionStorage.setItem(PAUSED, wanted ? "yes" : "");
  } catch {
    // storage is closed to us: the choice holds for this page only
  }
  if (wanted) {
    close();
    stopped = false;
    scheduled.forEach((timer) => window.clearTimeout(timer));
    scheduled.clear();
    document.body.dataset.liveState = "paused";
    warn(`Live updates paused at ${timeOfDay(Date.now())}`);
  } else {
    warn("");
    open();
    refreshAll();
  }
}

function wasPaused() {
  try {
    return window.sessionStorage.getItem(PAUSED) === "yes";
  } catch {
    return false;
  }
}

if (address) {
  if (wasPaused()) pause(true);
  else open();
  window.setInterval(tick, 1000);
  button?.addEventListener("click", () => pause(!paused));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    if (paused) return undefined;
    open();
    return refreshAll();
  });
}
