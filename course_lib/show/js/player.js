// The player: one play head over all tracks. A frame is a pure function of (trace, time): no kernel needed.
import { buildHistogram, buildLevel, buildSeries } from "./charts.js";
import { buildCells } from "./cells.js";
import { make, textMeasure } from "./draw.js";
import { buildLanes } from "./lanes.js";
import { layoutTracks } from "./layout.js";
import { buildSequence } from "./sequence.js";
import { buildStates } from "./states.js";
import { baseRate, clamp, fitText, niceTicks, timeUnit } from "./scale.js";

const BUILDERS = {
  lanes: buildLanes, level: buildLevel, series: buildSeries, histogram: buildHistogram, sequence: buildSequence, states: buildStates, cells: buildCells,
};
const WIDEST = 860, NARROWEST = 300;

/** Draws the fixed parts of `trace` into `stage` and returns { draw(at), timeAt(x) }. */
export function buildPicture(root, stage, trace, baseline, available) {
  const view = newView(root, stage, trace, available);
  const updates = trace.tracks.map((track, i) => {
    view.labelRoom = view.right - view.left - 120;
    const same = matching(baseline, track, i);
    const update = BUILDERS[track.kind](view, track, same, view.boxes[i]);
    trackLabel(view, track, view.boxes[i]);
    return update;
  });
  timeAxis(view);
  const [veil, head] = headNodes(view);
  stage.replaceChildren(view.svg, ...stage.querySelectorAll("canvas"));
  const draw = (at) => {
    updates.forEach((update) => update(at));
    const x = view.x(at);
    veil.setAttribute("d", view.veils.map(([y, h]) => `M${x.toFixed(1)},${y}H${view.right + 1}v${h}H${x.toFixed(1)}Z`).join(""));
    head.setAttribute("transform", `translate(${x.toFixed(1)},0)`);
  };
  const timeAt = (x) => clamp((x - view.left) / (view.right - view.left), 0, 1) * trace.end;
  return { draw, timeAt, svg: view.svg };
}

/** The pinned run's track for this one, if there is one of the same kind in its place. */
function matching(baseline, track, i) {
  const other = baseline?.tracks?.[i];
  return other && other.kind === track.kind && other.label === track.label ? other : null;
}

function newView(root, stage, trace, available) {
  stage.querySelectorAll("canvas").forEach((canvas) => canvas.remove());
  const family = getComputedStyle(root).fontFamily || "sans-serif";
  const textWidth = textMeasure(`12px ${family}`), width = Math.round(clamp(available, NARROWEST, WIDEST));
  const plan = layoutTracks(trace, width, textWidth), rate = baseRate(trace.end, trace.clock);
  const svg = make("svg", { width, height: plan.height, viewBox: `0 0 ${width} ${plan.height}`, role: "img", class: "atr-picture" });
  const layers = Object.fromEntries(["plots", "veil", "marks", "head", "scene", "dots"].map((name) => [name, make("g", {}, svg)]));
  const x = (t) => plan.left + (Math.min(t, trace.end) / trace.end) * (plan.right - plan.left);
  return {
    ...plan, ...layers, root, stage, svg, x, textWidth, heads: [], veils: [],
    end: trace.end, clock: trace.clock, lead: 1.1 * rate, exit: 0.9 * rate,
  };
}

function trackLabel(view, track, box) {
  const unit = track.unit && track.kind !== "histogram" ? `  (${track.unit})` : "";
  const text = fitText(track.label + unit, Math.max(60, view.labelRoom) / 1.1, view.textWidth);
  const label = make("text", { x: view.wide ? view.left : 2, y: box.top + 14, class: "atr-label" }, view.scene, text);
  make("title", {}, label, track.label + unit);
}

/** One time axis, below the last track that runs over time. */
function timeAxis(view) {
  if (view.axis === null) return;
  const { factor, unit } = timeUnit(view.end, view.clock), y = view.axis + 8;
  const ticks = niceTicks(0, view.end * factor, (view.right - view.left) / 90);
  ticks.forEach((tick, i) => {
    const x = view.x(tick / factor), text = i === ticks.length - 1 ? `${tick} ${unit}` : String(tick);
    const middle = Math.min(x, view.width - 2 - view.textWidth(text) / 2);
    make("path", { d: `M${x.toFixed(1)},${y}v5`, class: "atr-axis" }, view.scene);
    make("text", { x: middle, y: y + 18, class: "atr-number", "text-anchor": "middle" }, view.scene, text);
  });
  make("path", { d: `M${view.left},${y}H${view.right}`, class: "atr-axis" }, view.scene);
}

function headNodes(view) {
  const veil = make("path", { class: "atr-veil" }, view.veil);
  const grip = view.axis === null ? "" : `M0,${view.axis + 8}l-5,9h10Z`;
  const group = make("g", {}, view.head);
  make("path", { d: view.heads.map(([from, to]) => `M0,${from}V${to}`).join(""), class: "atr-head" }, group);
  const last = Math.max(0, ...view.heads.map(([, to]) => to), view.axis === null ? 0 : view.axis + 8);
  if (view.heads.length) make("path", { d: `M0,${view.heads[0][0]}V${last}`, class: "atr-thread" }, group);
  make("path", { d: grip, class: "atr-grip" }, group);
  return [veil, group];
}

