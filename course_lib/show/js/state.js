// The state of a run at a moment: each function is pure in (track, time).
import { clamp, countUpTo, numberText, timeText } from "./scale.js";

export const OUTCOMES = ["admitted", "denied", "failed"];

/** Counts for each lane at time `at`: [[admitted, denied, failed], ...]. */
export function laneCounts(track, at) {
  const counts = track.lanes.map(() => [0, 0, 0]);
  const seen = countUpTo(track.t, at);
  for (let i = 0; i < seen; i++) counts[track.lane[i]][track.outcome[i]]++;
  return counts;
}

/** The dots that are on stage at `at`. `x` runs from 0 (entry) over 1 (gate) to 2 (exit); `drop` from 0 to 1. */
export function dotsAt(track, at, lead, exit) {
  const dots = [], from = countUpTo(track.t, at - exit - 1e-12), to = countUpTo(track.t, at + lead);
  for (let i = from; i < to; i++) {
    const past = at - track.t[i];
    const outcome = past < 0 ? null : track.outcome[i];
    const way = past < 0 ? 1 + past / lead : past / exit;
    dots.push({ index: i, lane: track.lane[i], ...placeDot(outcome, way) });
  }
  return dots;
}

/** Waiting dots come; admitted go through; denied bounce off the gate; failed fall in front of it. */
function placeDot(outcome, way) {
  const fade = clamp((1 - way) * 3, 0, 1);
  if (outcome === null) return { state: "waiting", x: way, drop: 0, opacity: clamp(way * 6, 0, 1) };
  if (outcome === 0) return { state: "admitted", x: 1 + way, drop: 0, opacity: fade };
  if (outcome === 1) return { state: "denied", x: 1 - 0.3 * Math.sqrt(way), drop: way * way, opacity: fade };
  return { state: "failed", x: 1, drop: way * way, opacity: fade };
}

/** The most dots that are on stage at once, for the choice between SVG and canvas. */
export function mostMoving(track, lead, exit) {
  let most = 0, first = 0;
  for (let i = 0; i < track.t.length; i++) {
    while (track.t[first] < track.t[i] - lead - exit) first++;
    most = Math.max(most, i - first + 1);
  }
  return most;
}

/** The value of a line at `at`; null before its first point. "step" holds, the others run straight. */
export function valueAt(line, at, shape) {
  const seen = countUpTo(line.t, at);
  if (seen === 0) return null;
  const held = line.v[seen - 1];
  if (shape === "step" || seen === line.t.length) return held;
  const span = line.t[seen] - line.t[seen - 1];
  return held + (line.v[seen] - held) * ((at - line.t[seen - 1]) / span);
}

/** Bars of a histogram for the samples up to `at`; what lies outside the edges counts at the rim. */
export function histogramCounts(track, at) {
  const seen = countUpTo(track.t, at), bars = new Array(track.edges.length - 1).fill(0);
  for (let i = 0; i < seen; i++) {
    bars[clamp(countUpTo(track.edges, track.v[i]) - 1, 0, bars.length - 1)]++;
  }
  return { bars, seen };
}

/** The q-quantile (0 to 1) of the samples up to `at`, by the nearest rank; null without samples. */
export function quantileAt(track, at, q) {
  const values = Float64Array.from(track.v.slice(0, countUpTo(track.t, at))).sort();
  return values.length ? values[clamp(Math.ceil(q * values.length) - 1, 0, values.length - 1)] : null;
}

/** The state (an index) of each cell at `at`, and how many cells are in each state. */
export function cellsAt(track, at) {
  const cells = new Array(track.count).fill(0), seen = countUpTo(track.t, at);
  for (let i = 0; i < seen; i++) cells[track.cell[i]] = track.state[i];
  const counts = track.states.map((_, state) => cells.filter((each) => each === state).length);
  return { cells, counts };
}

/** "4 waiting, 12 stored": the states that some cell is in. */
export const cellsText = (track, counts) => track.states.map((name, i) => `${counts[i]} ${name}`)
  .filter((_, i) => counts[i] > 0).join(", ");

/** The name of a cell, or its number counted from 1. */
export const cellName = (track, cell) => track.names[cell] ?? `${track.label} ${cell + 1}`;

/** Messages of a sequence at `at`: how far each arrow has come (0: not sent yet), and the current one. */
export function messagesAt(track, at) {
  const progress = track.sent.map((sent, i) => {
    const span = track.received[i] - sent;
    return span > 0 ? clamp((at - sent) / span, 0, 1) : Number(sent <= at);
  });
  return { progress, current: progress.findLastIndex((share) => share > 0) };
}

/** The row at which each arrow ends: its own, or below the messages sent while it travelled. */
export function endRows(track) {
  return track.received.map((received, i) => {
    let row = i;
    while (row + 1 < track.sent.length && track.sent[row + 1] < received) row++;
    return row;
  });
}

/** Where a state machine's boxes stand; in a narrow picture columns become rows, so that names fit. */
export function stateGrid(track, wide) {
  const [column, row] = wide ? [track.column, track.row] : [track.row, track.column];
  return { column, row, columns: Math.max(...column) + 1, rows: Math.max(...row) + 1 };
}

/** How many runs are in each state at `at`, how often each arrow was taken, and the last move's index. */
export function statesAt(track, at) {
  const counts = track.states.map(() => 0), taken = track.from.map(() => 0);
  counts[track.start] = track.runs.length;
  const seen = countUpTo(track.t, at);
  for (let i = 0; i < seen; i++) {
    const arrow = track.arrow[i];
    counts[track.from[arrow]]--;
    counts[track.to[arrow]]++;
    taken[arrow]++;
  }
  return { counts, taken, last: seen - 1 };
}

/** Every moment at which something happens, sorted, once each. Lines count only if nothing else happens. */
export function eventTimes(trace) {
  const events = [], points = [];
  for (const track of trace.tracks) {
    if (track.kind === "sequence") events.push(...(trace.clock === "steps" ? [] : track.sent), ...track.received);
    else if (["lanes", "histogram", "cells", "states"].includes(track.kind)) events.push(...track.t);
    else if (track.kind === "level") points.push(...track.t);
    else for (const line of track.lines) points.push(...line.t);
  }
  const all = events.length ? events : points;
  return [...new Set(all)].sort((a, b) => a - b);
}

/** The next moment after `at`, or the end of the run. */
export function nextEvent(times, at, end) {
  const index = countUpTo(times, at + 1e-9);
  return index < times.length ? times[index] : end;
}

/** Moments for playing without motion: all events, or an even choice of `most` of them. */
export function stepTimes(times, end, most = 40) {
  const every = Math.max(1, Math.ceil(times.length / most));
  const chosen = times.filter((_, i) => i % every === every - 1);
  return chosen.at(-1) === end ? chosen : [...chosen, end];
}

/** What a screen reader hears about one track at `at`. */
export function trackText(track, at) {
  if (track.kind === "lanes") {
    const each = laneCounts(track, at).map((counts, i) => `${track.lanes[i]} ${countsText(counts, outcomeNames(track))}`);
    return `${track.label}: ${each.join("; ")}`;
  }
  if (track.kind === "level") {
    const value = numberText(valueAt(track, at, track.shape) ?? 0);
    return `${track.label}: ${value} of ${numberText(track.maximum)} ${track.unit}`.trimEnd();
  }
  if (track.kind === "series") {
    const each = track.lines.map((line) => `${line.name} ${numberText(valueAt(line, at, track.shape))}`);
    return `${track.label}: ${each.join("; ")} ${track.unit}`.trimEnd();
  }
  if (track.kind === "cells") return `${track.label}: ${cellsText(track, cellsAt(track, at).counts)}`;
  if (track.kind === "states") return statesText(track, at);
  if (track.kind === "histogram") return `${track.label}: ${histogramCounts(track, at).seen} samples`;
  return `${track.label}: ${messagesAt(track, at).current + 1} of ${track.sent.length} messages`;
}

/** The words for a track's outcomes. */
export const outcomeNames = (track) => track.names ?? OUTCOMES;

/** "Breaker: open" for one run, "Orders: charge 2, completed 1" for several. */
function statesText(track, at) {
  const { counts } = statesAt(track, at);
  const there = track.states.map((name, i) => [name, counts[i]]).filter(([, count]) => count > 0);
  if (track.runs.length === 1) return `${track.label}: ${there[0][0]}`;
  return `${track.label}: ${there.map(([name, count]) => `${name} ${count}`).join(", ")}`;
}

export const countsText = (counts, names = OUTCOMES) => names.map((name, i) => `${counts[i]} ${name}`)
  .filter((_, i) => i < 2 || counts[i] > 0).join(", ");

/** The whole picture in words. */
export function summaryAt(trace, at) {
  return `${timeText(at, trace.end, trace.clock)}. ${trace.tracks.map((t) => trackText(t, at)).join(". ")}.`;
}

/** The last thing that happened at or before `at`, in words; empty before the first. */
export function captionAt(trace, at) {
  let text = "", when = -1;
  for (const track of trace.tracks) {
    const said = WORDS[track.kind];
    if (!said) continue;
    const last = track.kind === "sequence" ? messagesAt(track, at).current : countUpTo(track.t, at) - 1;
    const time = last < 0 ? -1 : (track.t ?? track.sent)[last];
    if (time > when) [when, text] = [time, said(track, last)];
  }
  return text;
}

const WORDS = { lanes: eventText, sequence: messageText, states: moveText, cells: cellText };

/** "order-1: done, charge to ship". */
function moveText(track, i) {
  const arrow = track.arrow[i], [from, to] = [track.states[track.from[arrow]], track.states[track.to[arrow]]];
  return `${track.runs[track.run[i]]}: ${track.event[i]}, ${from} to ${to}`;
}

function eventText(track, i) {
  const note = track.notes[i] ? ` (${track.notes[i]})` : "";
  return `${track.lanes[track.lane[i]]}: ${outcomeNames(track)[track.outcome[i]]}${note}`;
}

function cellText(track, i) {
  const note = track.notes[i] ? ` (${track.notes[i]})` : "";
  return `${cellName(track, track.cell[i])}: ${track.states[track.state[i]]}${note}`;
}

/** "server 1 to redis: GET n", with what became of it. */
export function messageText(track, i) {
  const failed = track.failed[i] ? " (failed)" : "";
  const [from, to] = [track.actors[track.from[i]], track.actors[track.to[i]]];
  return from === to ? `${from}: ${track.text[i]}${failed}` : `${from} to ${to}: ${track.text[i]}${failed}`;
}
