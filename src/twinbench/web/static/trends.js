// Trends of a run: channels over time, one plot per quantity, with a cursor that they share.
//
//   <figure data-trends="/lims/.../trends.json">   fetched at once and on every live change of data-live
//   {"time_s": [...], "series": [{"name", "unit", "values": [..., null, ...], "limits": [low, high], "plot"}],
//    "shown": 2000, "of": 36000}
//
// null is a gap. `limits` and `plot` may be left out; series with the same `plot` (or unit) share axes. With a range of
// 10 min or 1 h the address gets "last_s=600", so that the server can give more detail.

import { decimalsOf, elapsed, extremes, groups, newPlot, withUnit } from "./plots.js";
import { timeOfDay } from "./status.js";

class Trends {
  constructor(figure, number) {
    this.figure = figure;
    this.key = `trends-${number}`;
    this.place = figure.querySelector(".trends-plots");
    this.plots = [];
    this.range = "all";
    this.isZoomed = false;
    this.isPaused = false;
    figure.addEventListener("live", () => this.isPaused || this.fetch());
    figure.addEventListener("click", (event) => this.onClick(event));
    figure.addEventListener("dblclick", () => this.choose("all"));
    figure.querySelector("details")?.addEventListener("toggle", () => this.fillTable());
    document.addEventListener("theme", () => this.draw({ anew: true }));
    new ResizeObserver(() => this.resize()).observe(this.place);
    this.fetch();
  }

  onClick(event) {
    const range = event.target.closest("[data-range]");
    const pause = event.target.closest('[data-action="pause-trends"]');
    if (range) this.choose(range.dataset.range);
    if (!pause) return;
    this.isPaused = !this.isPaused;
    pause.setAttribute("aria-pressed", String(this.isPaused));
    if (!this.isPaused) this.fetch();
  }

  choose(range) {
    this.range = range;
    this.isZoomed = false;
    this.press();
    this.fetch();
  }

  press() {
    for (const button of this.figure.querySelectorAll("[data-range]")) {
      button.setAttribute("aria-pressed", String(!this.isZoomed && button.dataset.range === this.range));
    }
  }

  async fetch() {
    if (this.isFetching) {
      this.isStale = true;
      return;
    }
    this.isFetching = true;
    const address = new URL(this.figure.dataset.trends, window.location.href);
    if (this.range !== "all") address.searchParams.set("last_s", this.range);
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(`the lab answered ${response.status}`);
      this.data = await response.json();
      this.fetchedAt = Date.now();
      this.draw();
    } catch (error) {
      const last = this.fetchedAt ? ` Shown is what was known at ${timeOfDay(this.fetchedAt)}.` : "";
      this.say(`The readings could not be fetched: ${error.message}.${last}`);
    }
    this.isFetching = false;
    if (this.isStale) {
      this.isStale = false;
      this.fetch();
    }
  }

  say(text) {
    this.figure.querySelector("figcaption").textContent = text;
  }

  draw({ anew = false } = {}) {
    if (!this.data) return;
    const { time_s: time, series, shown, of } = this.data;
    if (!time.length) {
      this.say("No readings yet: they appear here as soon as the run sends some.");
      return;
    }
    const shape = JSON.stringify(series.map(({ name, unit, limits, plot }) => [name, unit, limits, plot]));
    if (anew || shape !== this.shape) this.build(series);
    this.shape = shape;
    groups(series).forEach((group, n) => this.update(this.plots[n], [time, ...group.map((one) => one.values)]));
    const every = of > shown ? `${shown.toLocaleString("en")} of ${of.toLocaleString("en")} points shown` : "all points shown";
    this.figure.querySelector(".trends-shown").textContent = every;
    this.say(this.summary(time, series, every));
  }

  build(series) {
    this.plots.forEach((plot) => plot.destroy());
    this.place.replaceChildren();
    const grouped = groups(series);
    this.plots = grouped.map((group, n) => {
      const holder = document.createElement("div");
      holder.className = "trends-plot";
      this.place.append(holder);
      const isLast = n === grouped.length - 1;
      const height = Number(this.figure.dataset.height || 150) + (isLast ? 20 : 0);
      const onZoom = () => {
        this.isZoomed = true;
        this.press();
      };
      return newPlot(group, holder, { width: this.place.clientWidth, height, key: this.key, isLast, onZoom });
    });
  }

  update(plot, data) {
    const time = data[0];
    const last = time[time.length - 1];
    const from = this.range === "all" ? time[0] : Math.max(time[0], last - Number(this.range));
    const kept = this.isZoomed && plot.scales.x.min != null;
    const { min, max } = kept ? plot.scales.x : { min: from, max: last > from ? last : from + 1 };
    plot.batch(() => {
      plot.setData(data, false);
      plot.setScale("x", { min, max });
    });
  }

  summary(time, series, every) {
    const words = series.map((one) => {
      const found = extremes(one.values);
      const decimals = decimalsOf(one.values);
      if (!found) return `${one.name}: no readings`;
      const limits = one.limits ? `, limits ${one.limits.map((v) => v ?? "none").join(" to ")}` : "";
      const reach = `${found.low.toFixed(decimals)} to ${withUnit(found.high, decimals, one.unit)}`;
      return `${one.name} ${reach} (last ${found.last.toFixed(decimals)}${limits})`;
    });
    return `From ${elapsed(time[0])} to ${elapsed(time[time.length - 1])} after the start: ${words.join("; ")}; ${every}.`;
  }

  fillTable() {
    const place = this.figure.querySelector(".trends-table");
    if (!this.figure.querySelector("details").open || !this.data || !place) return;
    const { time_s: time, series } = this.data;
    const table = document.createElement("table");
    table.className = "data";
    table.createCaption().textContent = `Readings as of ${timeOfDay(this.fetchedAt)}; open again for newer ones`;
    const head = table.createTHead().insertRow();
    for (const title of ["Time after start", ...series.map((one) => (one.unit ? `${one.name} (${one.unit})` : one.name))]) {
      head.append(Object.assign(document.createElement("th"), { scope: "col", className: "num", textContent: title }));
    }
    const body = table.createTBody();
    const decimals = series.map((one) => decimalsOf(one.values));
    time.forEach((moment, row) => {
      const cells = body.insertRow();
      const texts = [elapsed(moment), ...series.map((one, n) => withUnit(one.values[row], decimals[n], ""))];
      for (const text of texts) Object.assign(cells.insertCell(), { className: "num", textContent: text });
    });
    place.replaceChildren(table);
  }

  resize() {
    const width = this.place.clientWidth;
    for (const plot of this.plots) if (width && plot.width !== width) plot.setSize({ width, height: plot.height });
  }
}

const started = new WeakSet();

function start(root) {
  for (const figure of root.querySelectorAll("[data-trends]")) {
    if (started.has(figure)) continue;
    started.add(figure);
    new Trends(figure, document.querySelectorAll("[data-trends]").length);
  }
}

start(document);
document.addEventListener("htmx:afterSwap", () => start(document));
