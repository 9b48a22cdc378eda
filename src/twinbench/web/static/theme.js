// The colours follow Airflow: its pages (same origin) keep "light", "dark" or "system" in localStorage under "theme".
// A plain script in <head>, so that the page is never painted in the wrong colours first.
(function () {
  "use strict";

  const KEY = "theme";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return window.localStorage.getItem(KEY);
    } catch {
      return null; // storage is closed to us: the system decides
    }
  }

  function apply() {
    const wanted = chosen();
    const known = wanted === "light" || wanted === "dark";
    const theme = known ? wanted : dark.matches ? "dark" : "light";
    if (root.dataset.bsTheme === theme) return;
    root.dataset.bsTheme = theme;
    root.dispatchEvent(new CustomEvent("theme", { bubbles: true, detail: theme }));
  }

  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  window.addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) apply();
  });
})();
