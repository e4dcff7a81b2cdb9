// Request lanes: above, dots that come, pass the gate or do not; below, a tick for each request of the run.
import { canvasPainter, make, SHAPES, svgPainter } from "./draw.js";
import { laneHeight, LANE } from "./layout.js";
import { fitText } from "./scale.js";
import { dotsAt, laneCounts, mostMoving, namesOf, OUTCOMES } from "./state.js";

const CROWD = 200;

/** Draws the track and returns what moves it: a function of time. */
export function buildLanes(view, track, baseline, box) {
  const outcomes = shownOutcomes(track, baseline);
  const pinned = baseline && laneCounts(baseline, baseline.t.at(-1) ?? 0);
  laneLegend(view, track, box, outcomes);
  const rows = track.lanes.map((name, lane) => laneRow(view, track, box, lane, name, outcomes));
  const paint = painter(view, track, box);
  return (at) => {
    laneCounts(track, at).forEach((counts, lane) => rows[lane].forEach(([outcome, number, was]) => {
      number.textContent = counts[outcome];
      was.textContent = pinned?.[lane] ? `pinned ${pinned[lane][outcome]}` : "";
    }));
    paint(dotsAt(track, at, view.lead, view.exit).map((dot) => ({ ...dot, ...pixels(view, rows, dot) })));
  };
}

/** The outcomes that occur here or in the baseline; the first two always, so that counts stay in place. */
function shownOutcomes(track, baseline) {
  return [0, 1, 2].filter((o) => o < 2 || track.outcome.includes(o) || baseline?.outcome.includes(o));
}

function laneLegend(view, track, box, outcomes) {
  let x = view.right;
  for (const outcome of outcomes.slice().reverse()) {
    const name = OUTCOMES[outcome], word = namesOf(track)[outcome];
    make("text", { x, y: box.top + 14, class: "atr-legend", "text-anchor": "end" }, view.scene, word);
    x -= view.textWidth(word) + 12;
    make("path", { d: SHAPES[name], class: `atr-dot atr-${name}`, transform: `translate(${x + 3},${box.top + 10}) scale(.8)` }, view.scene);
    x -= 18;
  }
  view.labelRoom = x - (view.wide ? view.left : 2);
}

function laneRow(view, track, box, lane, name, outcomes) {
  const top = box.plot + lane * laneHeight(view.wide) + (view.wide ? 0 : 18);
  const middle = top + 14, gate = gateX(view), strip = top + LANE.stage;
  laneName(view, name, top, middle);
  make("rect", { x: view.left, y: top, width: view.right - view.left, height: LANE.stage - 4, rx: 5, class: "atr-stage" }, view.scene);
  make("line", { x1: view.left + 6, x2: view.right - 6, y1: middle, y2: middle, class: "atr-rail" }, view.scene);
  make("path", { d: `M${gate},${top + 3}V${middle - 8}M${gate},${middle + 8}V${top + LANE.stage - 7}`, class: "atr-gate" }, view.scene);
  ticks(view, track, lane, strip);
  view.heads.push([strip - 2, strip + LANE.strip + 2]);
  view.veils.push([strip - 1, LANE.strip + 2]);
  const row = outcomes.map((outcome, i) => countText(view, outcome, i, top, outcomes.length));
  row.middle = middle;
  return row;
}

const gateX = (view) => Math.round(view.left + 0.55 * (view.right - view.left));

function laneName(view, name, top, middle) {
  const [x, y, room, anchor] = view.wide
    ? [view.left - 12, middle + 4, view.left - 14, "end"] : [view.left, top - 6, (view.right - view.left) * 0.45, "start"];
  const text = make("text", { x, y, class: "atr-lane", "text-anchor": anchor }, view.scene, fitText(name, room, view.textWidth));
  make("title", {}, text, name);
}

/** One path for all ticks of an outcome: drawing stays quick with thousands of requests. */
function ticks(view, track, lane, y) {
  const paths = ["", "", ""], half = LANE.strip / 2;
  make("line", { x1: view.left, x2: view.right, y1: y + half, y2: y + half, class: "atr-grid" }, view.plots);
  for (let i = 0; i < track.t.length; i++) {
    if (track.lane[i] !== lane) continue;
    const x = view.x(track.t[i]).toFixed(1), low = y + half + 6;
    if (track.outcome[i] === 0) paths[0] += `M${x},${y}V${y + half - 1}`;
    else if (track.outcome[i] === 1) paths[1] += `M${x - 3},${low - 3}l6,6m0,-6l-6,6`;
    else paths[2] += `M${x},${low - 4}l4,4l-4,4l-4,-4Z`;
  }
  paths.forEach((d, i) => d && make("path", { d, class: `atr-tick atr-${OUTCOMES[i]}` }, view.plots));
}

/** The running count of one outcome: beside the lane, or above it in a narrow picture. */
function countText(view, outcome, i, top, all) {
  const name = OUTCOMES[outcome];
  const x = view.wide ? view.side : view.right - (all - 1 - i) * 58 - 30;
  const y = view.wide ? top + 13 + i * 18 - (all > 2 ? 4 : 0) : top - 6;
  make("path", { d: SHAPES[name], class: `atr-dot atr-${name}`, transform: `translate(${x + 4},${y - 4.5}) scale(.8)` }, view.scene);
  const number = make("text", { x: x + 16, y, class: "atr-count" }, view.scene);
  const was = make("text", { x: x + 62, y, class: "atr-was" }, view.wide ? view.scene : null);
  return [outcome, number, was];
}

function painter(view, track, box) {
  if (mostMoving(track, view.lead, view.exit) <= CROWD) return svgPainter(view.dots);
  const canvas = make("canvas", { class: "atr-crowd", "aria-hidden": "true" }, view.stage);
  canvas.style.width = `${view.width}px`;
  canvas.style.height = `${box.bottom}px`;
  return canvasPainter(canvas, view.root, view.width, box.bottom);
}

function pixels(view, rows, dot) {
  const gate = gateX(view), start = view.left + 8, end = view.right - 8;
  const stop = dot.state === "admitted" ? gate : gate - 9;
  const px = dot.x <= 1 ? start + dot.x * (stop - start) : gate + (dot.x - 1) * (end - gate);
  return { px, py: rows[dot.lane].middle + dot.drop * 14 };
}
