// A state machine: boxes for states, arrows for moves; the runs stand where they are at the play head.
import { make } from "./draw.js";
import { bowRoom, STATE } from "./layout.js";
import { clamp, fitText } from "./scale.js";
import { stateGrid, statesAt } from "./state.js";

const BEND = 20, CLEAR = 18, STEPS = 28;

/** Draws the track and returns what moves it: a function of time. */
export function buildStates(view, track, baseline, box) {
  const places = boxesOf(view, track, box), single = track.runs.length === 1;
  const arrows = track.from.map((_, i) => drawMove(view, track, i, places));
  const nodes = track.states.map((name, i) => drawState(view, name, places[i], track.ends[i] === 1));
  startMark(view, places[track.start]);
  return (at) => {
    const { counts, taken, last } = statesAt(track, at);
    nodes.forEach(([group, badge, disc], i) => {
      group.classList.toggle("atr-here", counts[i] > 0);
      badge.textContent = counts[i] > 0 && !single ? counts[i] : "";
      disc.setAttribute("opacity", counts[i] > 0 && !single ? 1 : 0);
    });
    arrows.forEach((group, i) => {
      group.classList.toggle("atr-taken", taken[i] > 0);
      group.classList.toggle("atr-current", last >= 0 && track.arrow[last] === i);
    });
  };
}

/** The middle and size of each state's box. */
function boxesOf(view, track, box) {
  const { columns, column, row } = stateGrid(track, view.wide);
  const left = 8, gap = (view.width - 16) / columns;
  const width = clamp(gap - (view.wide ? 46 : 66), 64, 132), { top } = bowRoom(track, view.wide);
  return track.states.map((_, i) => ({
    x: left + gap * (column[i] + 0.5), y: box.plot + top + row[i] * STATE.row + STATE.height / 2, width, height: STATE.height,
  }));
}

function drawState(view, name, { x, y, width, height }, isEnd) {
  const group = make("g", { class: `atr-state${isEnd ? " atr-end" : ""}` }, view.marks);
  const rect = (inset, extra) => make("rect", {
    x: x - width / 2 + inset, y: y - height / 2 + inset, width: width - 2 * inset, height: height - 2 * inset, rx: 8 - inset, class: extra,
  }, group);
  rect(0, "atr-stateBox");
  if (isEnd) rect(3, "atr-stateInner");
  const label = make("text", { x, y: y + 4, class: "atr-stateName", "text-anchor": "middle" }, group, fitText(name, width - 10, view.textWidth));
  make("title", {}, label, name);
  const disc = make("circle", { cx: x + width / 2 - 2, cy: y - height / 2, r: 10, class: "atr-badge" }, group);
  const badge = make("text", { x: x + width / 2 - 2, y: y - height / 2 + 4, class: "atr-badgeText", "text-anchor": "middle" }, group);
  return [group, badge, disc];
}

function startMark(view, { x, y, width }) {
  make("path", { d: `M${x - width / 2 - 16},${y}h10`, class: "atr-startLine" }, view.marks);
  make("circle", { cx: x - width / 2 - 18, cy: y, r: 3.5, class: "atr-startDot" }, view.marks);
}

function drawMove(view, track, i, places) {
  const from = places[track.from[i]], to = places[track.to[i]];
  const group = make("g", { class: "atr-move" }, view.plots);
  const swing = from === to ? 0 : bend(track, i, places);
  const points = from === to ? loop(from) : outside(curve(from, to, swing), from, to);
  const [tip, before] = [points.at(-1), points.at(-2)];
  make("path", { d: points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join(""), class: "atr-moveLine" }, group);
  const angle = Math.atan2(tip[1] - before[1], tip[0] - before[0]);
  const corner = (turn) => [tip[0] + 8 * Math.cos(angle + turn), tip[1] + 8 * Math.sin(angle + turn)].map((n) => n.toFixed(1)).join(",");
  make("path", { d: `M${tip[0].toFixed(1)},${tip[1].toFixed(1)}L${corner(Math.PI - 0.45)}L${corner(Math.PI + 0.45)}Z`, class: "atr-moveTip" }, group);
  moveLabel(view, group, points, track.events[i], from, to, swing);
  return group;
}

/** How far an arrow swings to its left: 0 if nothing is in its way and none comes back. */
function bend(track, i, places) {
  const [a, b] = [track.from[i], track.to[i]];
  if (track.from.some((from, j) => from === b && track.to[j] === a)) return BEND;
  const onTheWay = places.find((place, n) => n !== a && n !== b && near(place, places[a], places[b]));
  if (!onTheWay) return 0;
  return CLEAR + (Math.abs(places[a].y - places[b].y) < 1 ? onTheWay.height : onTheWay.width) / 2;
}

/** Whether a box lies on the straight way between two others. */
function near(place, a, b) {
  for (let step = 1; step < STEPS; step++) {
    const x = a.x + ((b.x - a.x) * step) / STEPS, y = a.y + ((b.y - a.y) * step) / STEPS;
    if (inside(place, x, y, 2)) return true;
  }
  return false;
}

const inside = (box, x, y, room) => Math.abs(x - box.x) < box.width / 2 + room && Math.abs(y - box.y) < box.height / 2 + room;

/** Points from middle to middle, swung out by `by` pixels. */
function curve(a, b, by) {
  const length = Math.hypot(b.x - a.x, b.y - a.y), [nx, ny] = [(b.y - a.y) / length, (a.x - b.x) / length];
  const middle = [(a.x + b.x) / 2 + 2 * by * nx, (a.y + b.y) / 2 + 2 * by * ny];
  return Array.from({ length: STEPS + 1 }, (_, n) => {
    const t = n / STEPS, [u, v, w] = [(1 - t) ** 2, 2 * t * (1 - t), t * t];
    return [u * a.x + v * middle[0] + w * b.x, u * a.y + v * middle[1] + w * b.y];
  });
}

/** The part of a curve outside both boxes; its ends lie on their rims. */
function outside(points, from, to) {
  const free = points.map(([x, y]) => !inside(from, x, y, 1) && !inside(to, x, y, 2));
  const first = free.indexOf(true), last = free.lastIndexOf(true);
  if (first < 0 || first === last) return [points[0], points.at(-1)];
  return [rim(points[first], points[first - 1], from, 1), ...points.slice(first, last + 1), rim(points[last], points[last + 1], to, 2)];
}

/** The point between a free one and one inside a box where the box begins. */
function rim(free, held, box, room) {
  let [out, within] = [free, held];
  for (let n = 0; n < 8; n++) {
    const middle = [(out[0] + within[0]) / 2, (out[1] + within[1]) / 2];
    if (inside(box, ...middle, room)) within = middle; else out = middle;
  }
  return out;
}

function loop({ x, y, height }) {
  const top = y - height / 2;
  return [[x - 12, top - 1], [x - 15, top - 10], [x - 8, top - 15], [x + 8, top - 15], [x + 15, top - 10], [x + 12, top - 2]];
}

/** The events beside the middle of an arrow, on the side to which it swings. */
function moveLabel(view, group, points, text, from, to, swing) {
  const flat = Math.abs(from.y - to.y) < 1, middle = points[Math.floor(points.length / 2)];
  const room = flat && from !== to ? Math.abs(to.x - from.x) - (from.width + to.width) / 2 - 10 : 110;
  const shown = fitText(text, Math.max(20, room), view.textWidth);
  const below = swing > 0 && to.x < from.x, before = swing > 0 && to.y < from.y;
  const place = flat ? { x: middle[0], y: middle[1] + (below ? 14 : -6), "text-anchor": "middle" }
    : { x: middle[0] + (before ? -6 : 6), y: middle[1] + 4, "text-anchor": before ? "end" : "start" };
  const label = make("text", { ...place, class: "atr-moveText" }, group, shown);
  make("title", {}, label, text);
}
