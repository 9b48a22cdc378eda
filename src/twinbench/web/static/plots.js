// Plots of one quantity over time, made with uPlot: axes, limits, colours of the theme, and how numbers are said.

import uPlot from "./vendor/uplot/1.6.32/uPlot.esm.js";

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
const AXIS_WIDTH = 64;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Seconds as 1:02:03. */
export function elapsed(seconds) {
  if (seconds == null) return "–";
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/** Lowest, highest and last value; null if there is none. */
export function extremes(values) {
  let [low, high, last] = [Infinity, -Infinity, null];
  for (const value of values) {
    if (value == null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    last = value;
  }
  return last === null ? null : { low, high, last };
}

/** The same number of decimals for all values of a series, by how far they reach. */
export function decimalsOf(values) {
  const found = extremes(values);
  const reach = found ? Math.max(found.high - found.low, Math.abs(found.high) / 100, 1e-6) : 1;
  return Math.min(6, Math.max(0, 3 - Math.ceil(Math.log10(reach))));
}

/** A value as people read it. */
export function withUnit(value, decimals, unit) {
  return value == null ? "–" : `${value.toFixed(decimals)}${unit ? ` ${unit}` : ""}`;
}

/** Series that share axes. */
export function groups(series) {
  const found = new Map();
  for (const one of series) {
    const name = one.plot ?? one.unit ?? "";
    found.set(name, [...(found.get(name) ?? []), one]);
  }
  return [...found.values()];
}

/** From the readings and from limits that are near them: a far limit would press the curves flat. */
function verticalRange(series) {
  return (_plot, low, high) => {
    if (low == null) return [0, 1];
    const span = Math.max(high - low, Math.abs(high) * 0.01, 1e-6);
    const near = series.flatMap((one) => one.limits ?? []).filter((v) => v != null && v > low - span && v < high + span);
    return [Math.min(low, ...near) - span * 0.06, Math.max(high, ...near) + span * 0.06];
  };
}

function drawLimits(plot, series) {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.save();
  plot.ctx.beginPath();
  plot.ctx.rect(left, top, width, height);
  plot.ctx.clip();
  for (const [low, high] of series.map((one) => one.limits).filter(Boolean)) {
    plot.ctx.fillStyle = colour("--limit");
    plot.ctx.strokeStyle = colour("--bad");
    plot.ctx.lineWidth = devicePixelRatio;
    plot.ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const [limit, edge] of [[low, top + height], [high, top]]) {
      if (limit == null) continue;
      const y = plot.valToPos(limit, "y", true);
      plot.ctx.fillRect(left, Math.min(y, edge), width, limit === low ? Math.max(0, edge - y) : Math.max(0, y - edge));
      plot.ctx.strokeRect(left - 9, y, width + 18, 0);
    }
  }
  plot.ctx.restore();
}

function optionsOf(series, { width, height, key, isLast, onZoom }) {
  const axis = { stroke: colour("--text-soft"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { stroke: colour("--grid") } };
  const units = [...new Set(series.map((one) => one.unit).filter(Boolean))];
  return {
    width,
    height,
    cursor: { sync: { key }, drag: { x: true, y: false, dist: 8 }, focus: { prox: 24 } },
    scales: { x: { time: false }, y: { range: verticalRange(series) } },
    axes: [
      { ...axis, size: isLast ? 28 : 8, values: (_plot, ticks) => ticks.map((tick) => (isLast ? elapsed(tick) : "")) },
      { ...axis, size: AXIS_WIDTH, label: units.join(", "), labelSize: 18 },
    ],
    series: [
      { label: "Time", value: (plot, value) => elapsed(value ?? plot.data[0].at(-1)) },
      ...series.map((one, n) => {
        const decimals = decimalsOf(one.values);
        return {
          label: one.name,
          stroke: colour(`--series-${(n % 6) + 1}`),
          width: 1.5,
          dash: DASHES[n % DASHES.length],
          spanGaps: false,
          points: { show: one.values.length < 3 },
          value: (plot, value, nth, index) => withUnit(index == null ? plot.data[nth].at(-1) : value, decimals, one.unit),
        };
      }),
    ],
    hooks: {
      drawClear: [(plot) => drawLimits(plot, series)],
      setSelect: [(plot) => plot.select.width > 0 && onZoom()],
    },
  };
}

/** An empty plot for some series, in an element. */
export function newPlot(series, holder, options) {
  return new uPlot(optionsOf(series, options), [[], ...series.map(() => [])], holder);
}
