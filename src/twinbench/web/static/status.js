// The one line of the page that is read out: short messages that pass, and one that stays while something is wrong.

const PASSES_AFTER_MS = 8000;

const line = document.getElementById("status");
let standing = "";
let timer = 0;

function show(text, isWarning) {
  if (!line || line.textContent === text) return;
  line.textContent = text;
  line.classList.toggle("is-warning", isWarning);
}

/** Say something once; it goes away by itself. */
export function announce(text) {
  if (!text) return;
  window.clearTimeout(timer);
  show(text, false);
  timer = window.setTimeout(() => show(standing, Boolean(standing)), PASSES_AFTER_MS);
}

/** Say something that stays until it is called again; an empty text ends it. */
export function warn(text) {
  if (text === standing) return;
  window.clearTimeout(timer);
  standing = text;
  show(text, Boolean(text));
}

const zone = document.body.dataset.timeZone;

function clock(options) {
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat("en-GB", options); // a zone that the browser does not know: its own
  }
}

const hoursAndMinutes = clock({ hour: "2-digit", minute: "2-digit" });

/** The time of day in the lab's zone, such as 14:02. */
export function timeOfDay(moment) {
  return hoursAndMinutes.format(moment);
}
