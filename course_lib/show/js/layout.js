// Where each track goes, in pixels of the real width: text keeps its size, only the plots shrink.
import { clamp } from "./scale.js";
import { endRows, stateGrid } from "./state.js";

const HEADER = 24, GAP = 22, SIDE = 156, AXIS = 30;
export const LANE = { stage: 36, strip: 20, gap: 12 };
export const ROW = 34;
export const STATE = { height: 34, row: 84, top: 18 };

/** Boxes of all tracks: header, plot, and the readouts beside the plot if there is room (`wide`). */
export function layoutTracks(trace, width, textWidth) {
  const wide = width >= 600;
  const left = leftMargin(trace, wide, textWidth);
  const right = wide ? width - SIDE : width - 12;
  const plan = { width, wide, left, right, side: right + 18, boxes: [], heads: [], axis: null };
  const lastTimed = trace.tracks.findLastIndex(isTimed);
  let y = 2;
  trace.tracks.forEach((track, i) => {
    const plot = y + HEADER + (wide ? 0 : legendRows(track, right - left, textWidth) * 18);
    const height = plotHeight(track, wide, right - left, textWidth);
    plan.boxes.push({ top: y, plot, height, bottom: plot + height });
    y = plot + height + (track.kind === "histogram" ? AXIS - 8 : 0) + GAP;
    if (i === lastTimed) y = (plan.axis = plot + height) + AXIS + GAP;
  });
  plan.height = y - GAP + 2;
  return plan;
}

export const isTimed = (track) => ["lanes", "level", "series"].includes(track.kind);

function leftMargin(trace, wide, textWidth) {
  if (!wide) return 40;
  const names = trace.tracks.flatMap((track) => (track.kind === "lanes" ? track.lanes : []));
  return clamp(Math.max(46, ...names.map((name) => textWidth(name) + 14)), 46, 128);
}

/** Rows of legend below the label, for series and cells in a narrow picture. */
export function legendRows(track, width, textWidth) {
  if (track.kind === "cells") return placeLegend(stateLines(track), width, textWidth).rows;
  return track.kind === "series" ? placeLegend(track, width, textWidth).rows : 0;
}

/** The states of cells as entries of a legend. */
export const stateLines = (track) => ({ lines: track.states.map((name) => ({ name })) });

/** How cells stand in `width` pixels: columns and rows, and the size of a cell with its gap. */
export function cellGrid(track, width, textWidth) {
  const longest = Math.max(0, ...track.names.map((name) => textWidth(name)));
  const side = track.count > 240 ? 13 : track.count > 80 ? 18 : 26;
  const wide = track.names.length ? Math.min(width, Math.max(side, longest + 30)) : side;
  const fit = Math.max(1, Math.floor(width / wide));
  const columns = Math.min(track.count, track.columns ? Math.min(track.columns, fit) : fit);
  return { columns, rows: Math.ceil(track.count / columns), width: wide, height: side, longest };
}

/** Legend entries from left to right, wrapped: [{ x, row }], and how many rows that takes. */
export function placeLegend(track, width, textWidth) {
  let x = 0, row = 0;
  const places = track.lines.map((line) => {
    const need = 33 + textWidth(line.name) + 68;
    if (x > 0 && x + need > width) [x, row] = [0, row + 1];
    const place = { x, row };
    x += need;
    return place;
  });
  return { places, rows: row + 1 };
}

function plotHeight(track, wide, width, textWidth) {
  if (track.kind === "cells") {
    const grid = cellGrid(track, width, textWidth);
    return Math.max(grid.rows * grid.height, wide ? track.states.length * 20 : 0);
  }
  if (track.kind === "lanes") return track.lanes.length * laneHeight(wide) - LANE.gap;
  if (track.kind === "series") return Math.max(116, wide ? track.lines.length * 38 : 0);
  if (track.kind === "sequence") return 44 + rowCount(track) * ROW + 10;
  if (track.kind === "states") return statesHeight(track, wide);
  return 104;
}

function statesHeight(track, wide) {
  const { top, bottom } = bowRoom(track, wide);
  return top + (stateGrid(track, wide).rows - 1) * STATE.row + STATE.height + bottom;
}

/** Room above and below a state machine for arrows that go over or under a box of their row. */
export function bowRoom(track, wide) {
  const { column, row, rows } = stateGrid(track, wide);
  const jumps = track.from.map((a, i) => [a, track.to[i]]).filter(([a, b]) => row[a] === row[b] && Math.abs(column[a] - column[b]) > 1);
  const over = jumps.some(([a, b]) => column[b] > column[a] && row[a] === 0);
  const under = jumps.some(([a, b]) => column[b] < column[a] && row[a] === rows - 1);
  const loops = track.from.some((a, i) => a === track.to[i] && row[a] === 0);
  return { top: STATE.top + (over ? 30 : loops ? 16 : 0), bottom: under ? 40 : 6 };
}

/** Height of one lane with its gap; a narrow picture writes the name above the lane. */
export const laneHeight = (wide) => LANE.stage + LANE.strip + LANE.gap + (wide ? 0 : 18);

const rowCount = (track) => Math.max(1, ...endRows(track).map((row) => row + 1));
