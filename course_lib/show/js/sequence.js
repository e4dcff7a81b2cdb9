// A sequence diagram: actors, their lifelines, and arrows that appear as the play head passes.
import { make } from "./draw.js";
import { ROW } from "./layout.js";
import { fitText, timeUnit } from "./scale.js";
import { endRows, messagesAt } from "./state.js";

/** A lost message ends with a cross at this share of its way. */
const LOST = 0.62;

/** Draws the track and returns what moves it: a function of time. */
export function buildSequence(view, track, baseline, box) {
  const left = view.wide ? view.left : 34, right = view.width - 8;
  const gap = (right - left) / track.actors.length;
  const x = track.actors.map((_, i) => left + gap * (i + 0.5));
  const first = box.plot + 44, rowY = (row) => first + row * ROW + 22;
  track.actors.forEach((name, i) => actor(view, box, name, x[i], Math.min(gap - 8, 150)));
  const band = make("rect", { x: 2, width: view.width - 4, height: ROW, rx: 5, class: "atr-band" }, view.plots);
  const ends = endRows(track), place = { x, rowY, ends, left, right };
  const arrows = track.sent.map((_, i) => arrow(view, track, i, place));
  return (at) => {
    const { progress, current } = messagesAt(track, at);
    arrows.forEach((show, i) => show(progress[i], i === current));
    band.setAttribute("y", first + Math.max(0, current) * ROW);
    band.setAttribute("opacity", current < 0 ? 0 : 1);
  };
}

function actor(view, box, name, x, width) {
  const text = fitText(name, width - 14, view.textWidth);
  make("line", { x1: x, x2: x, y1: box.plot + 28, y2: box.bottom, class: "atr-life" }, view.plots);
  make("rect", { x: x - width / 2, y: box.plot, width, height: 28, rx: 6, class: "atr-actor" }, view.plots);
  const label = make("text", { x, y: box.plot + 18, class: "atr-lane", "text-anchor": "middle" }, view.plots, text);
  make("title", {}, label, name);
}

/** One message; the number or time on the left, the text above the arrow, a cross where it was lost. */
function arrow(view, track, i, { x, rowY, ends, left, right }) {
  const from = x[track.from[i]], to = x[track.to[i]], y = rowY(i), failed = track.failed[i] === 1;
  const group = make("g", { class: `atr-message${failed ? " atr-lost" : ""}` }, view.marks);
  make("text", { x: left - 8, y: y - 3, class: "atr-number", "text-anchor": "end" }, group, rowLabel(view, track, i));
  const line = make("path", { class: "atr-arrow" }, group);
  const head = make("path", { class: failed ? "atr-cross" : "atr-arrowHead" }, group);
  const [middle, room] = textPlace(from, from + (to - from) * (failed ? LOST : 1), left, right);
  const text = fitText(track.text[i], room, view.textWidth);
  const label = make("text", { x: middle, y: y - 6, class: "atr-text", "text-anchor": "middle" }, group, text);
  make("title", {}, label, track.text[i]);
  const end = { x: from === to ? from + 4 : to - Math.sign(to - from) * 3, y: rowY(ends[i]) + (ends[i] > i ? 6 : 0) };
  return (progress, current) => {
    group.setAttribute("opacity", progress > 0 ? 1 : 0.13);
    group.classList.toggle("atr-current", current);
    drawArrow(line, head, { x: from, y }, end, progress > 0 ? progress : 1, failed, from === to);
  };
}

function rowLabel(view, track, i) {
  // The text schedule numbers effects; a reply belongs to the request above it.
  if (view.clock === "steps") return Number.isInteger(track.sent[i]) ? String(track.sent[i] + 1) : "";
  const { factor, digits } = timeUnit(view.end);
  return (track.sent[i] * factor).toFixed(digits);
}

/** The middle of a message's text and its room: never past the rim of the picture. */
function textPlace(from, to, left, right) {
  const middle = from === to ? from + 8 : (from + to) / 2;
  const rim = 2 * Math.min(middle - left, right - middle);
  return [middle, Math.min(Math.max(Math.abs(to - from) - 14, 190), rim)];
}

function drawArrow(line, head, from, end, progress, failed, self) {
  const reach = failed ? progress * LOST : progress;
  if (self) {
    line.setAttribute("d", `M${from.x},${from.y}h26v9h-22`);
    head.setAttribute("d", failed ? cross(from.x + 26, from.y + 4) : tip(from.x + 4, from.y + 9, Math.PI));
    return;
  }
  const [x, y] = [from.x + (end.x - from.x) * reach, from.y + (end.y - from.y) * reach];
  line.setAttribute("d", `M${from.x},${from.y}L${x.toFixed(1)},${y.toFixed(1)}`);
  head.setAttribute("d", failed ? cross(x, y) : tip(x, y, Math.atan2(end.y - from.y, end.x - from.x)));
}

const cross = (x, y) => `M${(x - 5).toFixed(1)},${(y - 5).toFixed(1)}l10,10m0,-10l-10,10`;

function tip(x, y, angle) {
  const corner = (turn) => [x + 9 * Math.cos(angle + turn), y + 9 * Math.sin(angle + turn)].map((n) => n.toFixed(1)).join(",");
  return `M${x.toFixed(1)},${y.toFixed(1)}L${corner(Math.PI - 0.42)}L${corner(Math.PI + 0.42)}Z`;
}
