// Cells: a grid whose squares change state; each state has a shape as well as a colour.
import { make } from "./draw.js";
import { cellGrid, placeLegend, stateLines } from "./layout.js";
import { fitText } from "./scale.js";
import { cellName, cellsAt } from "./state.js";

/** What is drawn into a square of side s for the n-th state; the outline is always there. */
const GLYPHS = [
  () => "",
  (s) => `M1.5,${s - 1.5}V1.5L${s - 1.5},${s - 1.5}Z`,
  (s) => `M1.5,1.5H${s - 1.5}V${s - 1.5}H1.5Z`,
  (s) => `M${s * 0.25},${s * 0.25}L${s * 0.75},${s * 0.75}M${s * 0.75},${s * 0.25}L${s * 0.25},${s * 0.75}`,
  (s) => `M${s / 2},${s * 0.16}L${s * 0.84},${s / 2}L${s / 2},${s * 0.84}L${s * 0.16},${s / 2}Z`,
  (s) => [0.25, 0.5, 0.75].map((y) => `M2,${s * y}H${s - 2}`).join(""),
];

/** Draws the track and returns what moves it: a function of time. */
export function buildCells(view, track, baseline, box) {
  const grid = cellGrid(track, view.right - view.left, view.textWidth);
  const nodes = Array.from({ length: track.count }, (_, i) => cell(view, track, box, grid, i));
  const pinned = baseline && cellsAt(baseline, Infinity).counts;
  const legend = stateLegend(view, track, box, pinned);
  const shown = new Array(track.count).fill(-1);
  return (at) => {
    const { cells, counts } = cellsAt(track, at);
    cells.forEach((state, i) => {
      if (shown[i] === state) return;
      shown[i] = state;
      nodes[i].mark.setAttribute("d", GLYPHS[state](nodes[i].side));
      nodes[i].mark.setAttribute("class", `atr-cellMark atr-cell${state}`);
      nodes[i].title.textContent = `${cellName(track, i)}: ${track.states[state]}`;
    });
    legend.forEach((number, state) => { number.textContent = counts[state]; });
  };
}

function cell(view, track, box, grid, i) {
  const x = view.left + (i % grid.columns) * grid.width, y = box.plot + Math.floor(i / grid.columns) * grid.height;
  const side = grid.height - 3;
  const group = make("g", { transform: `translate(${x},${y})`, "data-cell": i }, view.scene);
  const title = make("title", {}, group);
  make("rect", { x: 0.5, y: 0.5, width: grid.width - 4, height: side - 1, rx: 2.5, class: "atr-cell" }, group);
  const mark = make("path", {}, group);
  const room = grid.width - side - 10;
  const name = track.names[i] && fitText(track.names[i], room, view.textWidth);
  if (name) make("text", { x: side + 3, y: side / 2 + 4, class: "atr-legend" }, group, name);
  return { mark, title, side };
}

/** Each state with its mark and how many cells are in it: beside the grid, or above it. */
function stateLegend(view, track, box, pinned) {
  const { places } = placeLegend(stateLines(track), view.right - view.left, view.textWidth);
  return track.states.map((name, state) => {
    const x = view.wide ? view.side : view.left + places[state].x;
    const y = view.wide ? box.plot + 12 + state * 20 : box.top + 34 + places[state].row * 18;
    const group = make("g", { transform: `translate(${x},${y - 11})` }, view.scene);
    make("rect", { x: 0.5, y: 0.5, width: 12, height: 12, rx: 2, class: "atr-cell" }, group);
    make("path", { d: GLYPHS[state](13), class: `atr-cellMark atr-cell${state}` }, group);
    const text = fitText(name, 92, view.textWidth);
    make("text", { x: x + 19, y, class: "atr-legend" }, view.scene, text);
    const after = x + 26 + view.textWidth(text);
    const number = make("text", { x: after, y, class: "atr-count" }, view.scene);
    if (pinned && view.wide) {
      const was = `pinned ${pinned[state]}`;
      make("text", { x: view.width - 2, y, class: "atr-was", "text-anchor": "end" }, view.scene, was);
    }
    return number;
  });
}
