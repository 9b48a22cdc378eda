// Forms: choices that depend on others, rows that are added and removed, drafts, and no second submit by accident.
// Without this script a form works too: by its "Update choices" button and the server's answers.

import { announce, timeOfDay } from "./status.js";

const DRAFT = "twinbench-draft:";
const store = {
  get(key) {
    try {
      return JSON.parse(window.sessionStorage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      window.sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      // storage is full or closed to us: there is no draft then
    }
  },
  remove(key) {
    try {
      window.sessionStorage.removeItem(key);
    } catch {
      // nothing to remove
    }
  },
};

// Choices that depend on others: the form's part with data-choices is fetched with all the form's values. An answer to
// what has been chosen otherwise since is left out; htmx asks again as soon as it is there.
const outdated = new WeakSet();

document.addEventListener("change", ({ target }) => {
  const part = target.form?.querySelector("[data-choices]");
  const isOnItsWay = part?.classList.contains("htmx-request") && part.contains(target);
  if (!part || !(isOnItsWay || "depends" in target.dataset)) return;
  outdated.add(part);
  part.dispatchEvent(new CustomEvent("choices"));
});
document.addEventListener("htmx:beforeRequest", ({ detail }) => outdated.delete(detail.elt));
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (outdated.has(detail.target)) detail.shouldSwap = false;
});

// Rows: every row says its number, data-row="3"; numbers are never used twice, so names stay distinct.
function addRow(list, wanted) {
  const rows = list.querySelector("[data-rows-here]");
  if (rows.children.length >= Number(list.dataset.rowsMost)) {
    announce(`${list.dataset.rowsMost} rows are the most`);
    return null;
  }
  const number = wanted ?? Math.max(-1, ...[...rows.children].map((row) => Number(row.dataset.row))) + 1;
  rows.insertAdjacentHTML("beforeend", list.querySelector("template").innerHTML.replaceAll("__index__", String(number)));
  window.htmx?.process(rows.lastElementChild);
  return rows.lastElementChild;
}

function removeRow(row) {
  const list = row.closest("[data-rows]");
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  (next?.querySelector('[data-action="remove-row"]') ?? list.querySelector('[data-action="add-row"]'))?.focus();
  announce("Row removed");
  list.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const add = event.target.closest('[data-action="add-row"]');
  const remove = event.target.closest('[data-action="remove-row"]');
  if (add) {
    addRow(add.closest("[data-rows]"))?.querySelector("input, select")?.focus();
  } else if (remove) {
    removeRow(remove.closest("[data-row]"));
  } else if (event.target.closest('[data-action="discard-draft"]')) {
    const form = event.target.closest("form") ?? document.querySelector("form[data-draft]");
    store.remove(DRAFT + form.dataset.draft);
    window.location.assign(window.location.pathname);
  }
});

// Drafts: <form data-draft="new-request">; data-draft-skip where the server has filled the form itself.
function entriesOf(form) {
  const hidden = new Set([...form.elements].filter(({ type }) => type === "hidden").map(({ name }) => name)); // keys, tokens
  return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !hidden.has(name));
}

function fill(form, entries) {
  const left = new Map();
  for (const [name, value] of entries) left.set(name, [...(left.get(name) ?? []), value]);
  for (const control of form.elements) {
    const values = left.get(control.name);
    if (["file", "hidden", "submit", "button"].includes(control.type) || !control.name) continue;
    if (control.type === "checkbox" || control.type === "radio") control.checked = values?.includes(control.value) ?? false;
    else if (values?.length) control.value = values.shift();
  }
}

function literally(text) {
  return text.replace(/[^\w]/g, "\\$&");
}

function addMissingRows(form, entries) {
  for (const list of form.querySelectorAll("[data-rows]")) {
    const names = [...list.querySelector("template").content.querySelectorAll("[name]")].map((field) => field.name);
    const patterns = names.map((name) => new RegExp(`^${name.split("__index__").map(literally).join("(\\d+)")}$`));
    const numbers = entries.flatMap(([name]) => patterns.map((pattern) => name.match(pattern)?.[1])).filter(Boolean);
    for (const number of new Set(numbers)) {
      if (!list.querySelector(`[data-row="${number}"]`)) addRow(list, number);
    }
  }
}

async function restore(form, draft) {
  const part = form.querySelector("[data-choices]");
  if (part && window.htmx) {
    const values = {};
    for (const [name, value] of draft.entries) values[name] = name in values ? [values[name], value].flat() : value;
    await window.htmx.ajax("GET", part.getAttribute("hx-get"), { source: part, values });
  }
  addMissingRows(form, draft.entries);
  fill(form, draft.entries);
  const notice = form.querySelector("[data-draft-notice]") ?? document.querySelector("[data-draft-notice]");
  if (!notice) return;
  notice.querySelector("[data-draft-time]").textContent = `at ${timeOfDay(draft.at)}`;
  notice.hidden = false;
}

function keepDraft(form) {
  const key = DRAFT + form.dataset.draft;
  const draft = store.get(key);
  if (draft && !("draftSkip" in form.dataset)) restore(form, draft);
  let timer = 0;
  const keep = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => store.set(key, { at: Date.now(), entries: entriesOf(form) }), 300);
  };
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
}

// A draft ends where the page after the form says so (<body data-draft-done="new-request">) and the form was sent.
const { draftDone } = document.body.dataset;
if (draftDone && store.get(`${DRAFT}${draftDone}:sent`)) {
  store.remove(DRAFT + draftDone);
  store.remove(`${DRAFT}${draftDone}:sent`);
}
// htmx reads its settings when the document is ready; it was loaded first, so it is ready first.
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("form[data-draft]").forEach(keepDraft));

// One submit is enough. The idempotency key makes a second one harmless; this makes it unlikely.
const submitted = new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (submitted.has(form)) {
    event.preventDefault();
    return;
  }
  submitted.add(form);
  if (form.dataset.draft) store.set(`${DRAFT}${form.dataset.draft}:sent`, true);
  event.submitter?.setAttribute("aria-disabled", "true");
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelectorAll("form").forEach((form) => submitted.delete(form));
  document.querySelectorAll('[aria-disabled="true"]').forEach((button) => button.removeAttribute("aria-disabled"));
});
