// Level, series and histogram.
import { linePath, make } from "./draw.js";
import { placeLegend } from "./layout.js";
import { clamp, fitText, niceTicks, numberText } from "./scale.js";
import { histogramCounts, quantileAt, valueAt } from "./state.js";

const LINES = 6;

/** Gridlines and numbers for values from 0 to `top`; returns the pixel height of a value. */
function valueAxis(view, box, top) {
  const y = (value) => box.bottom - (clamp(value, 0, top) / top) * box.height;
  for (const value of niceTicks(0, top, 4)) {
    const line = { x1: view.left, x2: view.right, y1: y(value), y2: y(value) };
    make("line", { ...line, class: value === 0 ? "atr-axis" : "atr-grid" }, view.plots);
    make("text", { x: view.left - 8, y: y(value) + 4, class: "atr-number", "text-anchor": "end" }, view.scene, axisText(value));
  }
  return y;
}

const axisText = (value) => (value >= 10000 ? `${numberText(value / 1000)}k` : numberText(value));

function limitLine(view, y, value, text, kind) {
  make("line", { x1: view.left, x2: view.right, y1: y(value), y2: y(value), class: `atr-${kind}` }, view.marks);
  make("text", { x: view.right - 4, y: y(value) - 5, class: "atr-halo", "text-anchor": "end" }, view.marks, text);
}

/** Points of a line in pixels, held until the end of the run. */
function pixelPoints(view, y, line, end) {
  const shown = line.t.map((t, i) => [view.x(t), y(line.v[i])]).filter((_, i) => line.t[i] <= end);
  if (shown.length) shown.push([view.x(end), shown.at(-1)[1]]);
  return shown;
}

/** A level: filled below the line, with a bucket beside it that shows the value at the play head. */
export function buildLevel(view, track, baseline, box) {
  const top = Math.max(track.maximum, baseline?.maximum ?? 0, track.limit ?? 0) * 1.08;
  const y = valueAxis(view, box, top);
  const step = track.shape === "step", points = pixelPoints(view, y, track, view.end);
  const path = linePath(points, step);
  if (path) make("path", { d: `${path}V${box.bottom}H${points[0][0].toFixed(1)}Z`, class: "atr-area" }, view.plots);
  make("path", { d: path, class: "atr-levelLine" }, view.plots);
  if (baseline) make("path", { d: linePath(pixelPoints(view, y, baseline, view.end), step), class: "atr-ghost" }, view.marks);
  limitLine(view, y, track.maximum, `maximum ${numberText(track.maximum)}`, "maximum");
  if (track.limit !== null) limitLine(view, y, track.limit, `limit ${numberText(track.limit)}`, "limit");
  view.heads.push([box.plot - 4, box.bottom]);
  view.veils.push([box.plot - 4, box.height + 3]);
  const bucket = view.wide ? buildBucket(view, track, box) : headerText(view, box);
  const digits = track.shape === "step" && track.v.every(Number.isInteger) ? 0 : clamp(2 - Math.floor(Math.log10(track.maximum)), 0, 2);
  return (at) => {
    const value = valueAt(track, at, track.shape) ?? track.v[0] ?? 0;
    bucket(value.toFixed(digits), track, value);
  };
}

function headerText(view, box) {
  const text = make("text", { x: view.right, y: box.top + 14, class: "atr-count", "text-anchor": "end" }, view.scene);
  return (words, track) => { text.textContent = `${words} ${track.unit}`; };
}

function buildBucket(view, track, box) {
  const x = view.side, width = 46, height = box.height - 24, top = box.plot + 6, floor = top + height;
  const fill = make("rect", { x: x + 2, width: width - 4, rx: 3, class: "atr-fill" }, view.scene);
  make("path", { d: `M${x},${top}V${floor - 5}q0,6 6,6h${width - 12}q6,0 6,-6V${top}`, class: "atr-bucket" }, view.scene);
  const number = make("text", { x: x + width + 12, y: floor - height / 2 + 2, class: "atr-big" }, view.scene);
  const unit = fitText(track.unit, 68, view.textWidth);
  make("text", { x: x + width + 12, y: floor - height / 2 + 18, class: "atr-legend" }, view.scene, unit);
  return (words, _, value) => {
    const full = clamp(value / track.maximum, 0, 1) * (height - 2);
    fill.setAttribute("y", (floor - 1 - full).toFixed(1));
    fill.setAttribute("height", full.toFixed(1));
    number.textContent = words;
  };
}

/** Several lines: a dash pattern as well as a colour for each, the value at the play head in the legend. */
export function buildSeries(view, track, baseline, box) {
  const lines = [...track.lines, ...(baseline?.lines ?? [])];
  const highest = Math.max(1e-9, track.limit ?? 0, ...lines.flatMap((line) => line.v));
  const y = valueAxis(view, box, highest * 1.08), step = track.shape === "step";
  const d = (line) => linePath(pixelPoints(view, y, line, view.end), step);
  track.lines.forEach((line, i) => make("path", { d: d(line), class: `atr-line atr-line${i % LINES}` }, view.plots));
  baseline?.lines.forEach((line) => {
    const same = Math.max(0, track.lines.findIndex((other) => other.name === line.name));
    make("path", { d: d(line), class: `atr-line atr-ghost atr-ghost${same % LINES}` }, view.marks);
  });
  if (track.limit !== null) limitLine(view, y, track.limit, `limit ${numberText(track.limit)}`, "limit");
  view.heads.push([box.plot - 4, box.bottom]);
  view.veils.push([box.plot - 4, box.height + 3]);
  const values = seriesLegend(view, track, box);
  return (at) => track.lines.forEach((line, i) => {
    values[i].textContent = numberText(valueAt(line, at, track.shape));
  });
}

function seriesLegend(view, track, box) {
  const { places } = placeLegend(track, view.right - view.left, view.textWidth);
  return track.lines.map((line, i) => {
    const x = view.wide ? view.side : view.left + places[i].x;
    const y = view.wide ? box.plot + 10 + i * 38 : box.top + 34 + places[i].row * 18;
    make("path", { d: `M${x},${y - 4}h22`, class: `atr-line atr-line${i % LINES}` }, view.scene);
    const name = view.wide ? fitText(line.name, view.width - x - 2, view.textWidth) : line.name;
    const spot = view.wide ? { x, y: y + 16 } : { x: x + 28, y };
    const label = make("text", { ...spot, class: "atr-legend" }, view.scene, name);
    make("title", {}, label, line.name);
    const place = { x: view.wide ? x + 30 : x + 33 + view.textWidth(line.name), y };
    return make("text", { ...place, class: "atr-count" }, view.scene);
  });
}

/** Bars for the samples so far; the outline of the whole run stays in sight. */
export function buildHistogram(view, track, baseline, box) {
  const whole = histogramCounts(track, view.end).bars, before = baseline && sameEdges(track, baseline)
    ? histogramCounts(baseline, Infinity).bars : null;
  const y = valueAxis(view, box, Math.max(1, ...whole, ...(before ?? [])) * 1.05);
  const [low, high] = [track.edges[0], track.edges.at(-1)];
  const x = (value) => view.left + ((value - low) / (high - low)) * (view.right - view.left);
  const span = (i) => ({ x: x(track.edges[i]) + 1, width: Math.max(1, x(track.edges[i + 1]) - x(track.edges[i]) - 2) });
  const upTo = (count) => ({ y: y(count), height: box.bottom - y(count) });
  whole.forEach((count, i) => make("rect", { ...span(i), ...upTo(count), class: "atr-barGhost" }, view.plots));
  const bars = whole.map((_, i) => make("rect", { ...span(i), class: "atr-bin" }, view.plots));
  before?.forEach((count, i) => make("rect", { ...span(i), ...upTo(count), class: "atr-barWas" }, view.marks));
  niceTicks(low, high, (view.right - view.left) / 80).forEach((value, i, all) => {
    const text = i === all.length - 1 ? `${axisText(value)} ${track.unit}` : axisText(value);
    make("text", { x: x(value), y: box.bottom + 16, class: "atr-number", "text-anchor": "middle" }, view.scene, text);
  });
  const readout = histogramReadout(view, track, box);
  return (at) => {
    const { bars: counts, seen } = histogramCounts(track, at);
    counts.forEach((count, i) => {
      bars[i].setAttribute("y", y(count).toFixed(1));
      bars[i].setAttribute("height", (box.bottom - y(count)).toFixed(1));
    });
    readout(at, seen);
  };
}

const sameEdges = (a, b) => a.edges.length === b.edges.length && a.edges.every((edge, i) => edge === b.edges[i]);

function histogramReadout(view, track, box) {
  const line = (i) => make("text", view.wide ? { x: view.side, y: box.plot + 12 + i * 20, class: "atr-legend" }
    : { x: view.right, y: box.top + 14, class: "atr-legend", "text-anchor": "end" }, view.scene);
  const [count, half, most] = view.wide ? [line(0), line(1), line(2)] : [line(0), null, null];
  const at95 = (at) => `95%: up to ${numberText(quantileAt(track, at, 0.95))} ${track.unit}`;
  return (at, seen) => {
    count.textContent = `${numberText(seen)} samples${view.wide ? "" : `, ${at95(at)}`}`;
    if (!half) return;
    half.textContent = `half: up to ${numberText(quantileAt(track, at, 0.5))} ${track.unit}`;
    most.textContent = at95(at);
  };
}
