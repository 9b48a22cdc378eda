// What stays as it was when htmx puts a new fragment in place of an old one: opened details, scroll positions and
// the focus. What is new is said: the text of data-announce, if it is another than before.

import { announce } from "./status.js";

const NAMED_BY = ["id", "href", "name", "data-dialog", "data-copy", "data-action", "aria-label"];
const before = new Map(); // old element -> what it was like

function ordinal(element, root, selector) {
  return [...root.querySelectorAll(selector)].indexOf(element);
}

function handleOf(element) {
  const name = NAMED_BY.find((attribute) => element.getAttribute(attribute));
  const tag = element.tagName.toLowerCase();
  return name ? `${tag}[${name}="${CSS.escape(element.getAttribute(name))}"]` : tag;
}

function remember(root) {
  const focused = document.activeElement;
  const inside = root.contains(focused) && focused !== root;
  const selector = inside ? handleOf(focused) : "";
  return {
    key: root.id || root.getAttribute("hx-get"),
    announce: root.dataset.announce ?? "",
    open: [...root.querySelectorAll("details")].map((details) => details.open),
    scrolled: [...root.querySelectorAll(".table-frame, .chart-canvas")].map((frame) => [frame.scrollLeft, frame.scrollTop]),
    selector,
    nth: inside ? ordinal(focused, root, selector) : -1,
  };
}

function restore(root, was) {
  [...root.querySelectorAll("details")].forEach((details, n) => {
    if (n < was.open.length) details.open = was.open[n];
  });
  [...root.querySelectorAll(".table-frame, .chart-canvas")].forEach((frame, n) => {
    if (n < was.scrolled.length) [frame.scrollLeft, frame.scrollTop] = was.scrolled[n];
  });
  if (was.nth >= 0 && !root.contains(document.activeElement)) {
    const same = root.querySelectorAll(was.selector);
    (same[was.nth] ?? same[0])?.focus({ preventScroll: true });
  }
}

function successor(target, key) {
  if (target.isConnected) return target;
  if (!key) return null;
  return document.getElementById(key) ?? document.querySelector(`[hx-get="${CSS.escape(key)}"]`);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.shouldSwap) before.set(event.detail.target, remember(event.detail.target));
});

document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  const was = before.get(target);
  before.delete(target);
  const root = was && successor(target, was.key);
  if (!root) return;
  restore(root, was);
  const said = root.dataset.announce ?? "";
  if (said !== was.announce || "choices" in root.dataset) announce(said);
});

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (document.body.dataset.liveState === "stopped") return; // that is said already
  if (status === 401) announce("You are logged out: reload the page to log in again");
  else if (status === 403) announce("You may no longer see a part of this page: reload it");
  else announce(`A part of this page could not be fetched: the lab answered ${status}`);
});
