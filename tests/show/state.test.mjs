// The player's state functions need no browser: `node --test`.
import assert from "node:assert/strict";
import test from "node:test";

import { bowRoom, cellGrid, layoutTracks } from "../../course_lib/show/js/layout.js";
import * as scale from "../../course_lib/show/js/scale.js";
import * as state from "../../course_lib/show/js/state.js";

const lanes = {
  kind: "lanes", label: "Requests", lanes: ["a", "b"], t: [1, 2, 2, 3], lane: [0, 1, 0, 0], outcome: [0, 1, 2, 0], notes: { 1: "retry after 1 s" },
};
const ramp = { kind: "level", label: "Tokens", t: [0, 2, 2, 4], v: [4, 8, 6, 10], maximum: 10, unit: "tokens", shape: "ramp", limit: null };
const dialogue = {
  kind: "sequence", label: "Log", actors: ["a", "redis"], sent: [0, 0.5, 1], received: [0.5, 1, 3], from: [0, 1, 0], to: [1, 0, 1], text: ["GET", "1", "DECR"], failed: [0, 0, 1],
};
const breaker = {
  kind: "states", label: "Breaker", states: ["closed", "open", "half-open"], start: 0, ends: [0, 0, 0], column: [0, 1, 2], row: [0, 0, 0],
  from: [0, 1, 2, 2], to: [1, 2, 0, 1], events: ["failures", "time", "success", "failure"], runs: ["b"],
  t: [1, 2, 3], run: [0, 0, 0], arrow: [0, 1, 3], event: ["failures", "time", "failure"],
};
const series = { kind: "series", label: "Load", unit: "", limit: null, shape: "line", lines: [{ name: "x", t: [1, 3], v: [0, 4] }] };

const cells = {
  kind: "cells", label: "Chunks", count: 4, names: [], states: ["waiting", "sending", "stored"], columns: 0, t: [1, 1, 2, 3], cell: [0, 1, 0, 1], state: [1, 1, 2, 0], notes: { 3: "broken" },
};

test("counts up to a time include events at that time", () => {
  assert.deepEqual(state.laneCounts(lanes, 0.999), [[0, 0, 0], [0, 0, 0]]);
  assert.deepEqual(state.laneCounts(lanes, 2), [[1, 0, 1], [0, 1, 0]]);
  assert.deepEqual(state.laneCounts(lanes, 99), [[2, 0, 1], [0, 1, 0]]);
});

test("a ramp runs straight between points, a jump takes its later value, the last one holds", () => {
  assert.equal(state.valueAt(ramp, 1, "ramp"), 6);
  assert.equal(state.valueAt(ramp, 2, "ramp"), 6);
  assert.equal(state.valueAt(ramp, 9, "ramp"), 10);
});

test("a step holds its value until the next point, and a line has none before its first", () => {
  assert.equal(state.valueAt(ramp, 1.99, "step"), 4);
  assert.equal(state.valueAt(series.lines[0], 0.5, "line"), null);
  assert.equal(state.valueAt(series.lines[0], 2, "line"), 2);
});

test("dots come to the gate, and only the admitted pass it", () => {
  const at = (time) => Object.fromEntries(state.dotsAt(lanes, time, 1, 1).map((dot) => [dot.index, dot]));
  assert.equal(at(0.5)[0].state, "waiting");
  assert.equal(at(0.5)[0].x, 0.5);
  assert.ok(at(1.5)[0].x > 1);
  assert.ok(at(2.5)[1].x < 1 && at(2.5)[1].drop > 0);
  assert.ok(at(2.5)[2].x === 1 && at(2.5)[2].state === "failed");
  assert.deepEqual(Object.keys(at(1.5)), ["0", "1", "2"]);
});

test("a frame depends on nothing but the trace and the time", () => {
  const frames = () => [0, 1.3, 2.7, 1.3].map((at) => JSON.stringify(state.dotsAt(lanes, at, 1, 1)));
  assert.deepEqual(frames(), frames());
  assert.equal(frames()[1], frames()[3]);
});

test("the crowd is the most dots within the time on stage", () => {
  assert.equal(state.mostMoving(lanes, 0.5, 0.4), 2);
  assert.equal(state.mostMoving(lanes, 1, 1), 4);
});

test("histogram bars count each sample once, strays at the rim", () => {
  const track = { t: [1, 2, 3, 4], v: [0, 5, 99, -1], edges: [0, 5, 10] };
  assert.deepEqual(state.histogramCounts(track, 2), { bars: [1, 1], seen: 2 });
  assert.deepEqual(state.histogramCounts(track, 9), { bars: [2, 2], seen: 4 });
  assert.equal(state.quantileAt(track, 9, 0.5), 0);
  assert.equal(state.quantileAt(track, 0, 0.5), null);
});

test("arrows grow while a message travels, and the current one is the last that left", () => {
  assert.deepEqual(state.messagesAt(dialogue, 0), { progress: [0, 0, 0], current: -1 });
  assert.deepEqual(state.messagesAt(dialogue, 0.25), { progress: [0.5, 0, 0], current: 0 });
  assert.deepEqual(state.messagesAt(dialogue, 2), { progress: [1, 1, 0.5], current: 2 });
});

test("an overtaken message ends below the rows of those that overtook it", () => {
  assert.deepEqual(state.endRows({ sent: [0, 1, 2], received: [2.5, 1.5, 3] }), [2, 1, 2]);
  assert.deepEqual(state.endRows(dialogue), [0, 1, 2]);
});

test("a cell has its latest state, and starts in the first", () => {
  assert.deepEqual(state.cellsAt(cells, 0.5), { cells: [0, 0, 0, 0], counts: [4, 0, 0] });
  assert.deepEqual(state.cellsAt(cells, 1), { cells: [1, 1, 0, 0], counts: [2, 2, 0] });
  assert.deepEqual(state.cellsAt(cells, 99), { cells: [2, 0, 0, 0], counts: [3, 0, 1] });
});

test("cells are told in words: how many in which state, and the last change", () => {
  assert.equal(state.trackText(cells, 2), "Chunks: 2 waiting, 1 sending, 1 stored");
  assert.equal(state.captionAt({ tracks: [cells] }, 3), "Chunks 2: waiting (broken)");
  assert.equal(state.captionAt({ tracks: [{ ...cells, names: ["a", "b", "c", "d"] }] }, 2), "a: stored");
  assert.deepEqual(state.eventTimes({ tracks: [cells, ramp] }), [1, 2, 3]);
});

test("a grid of cells fits its width, whatever the number and the names", () => {
  for (const width of [260, 560, 700]) {
    for (const track of [cells, { ...cells, count: 1000 }, { ...cells, names: ["a", "a long name of a slot", "c", "d"] }, { ...cells, columns: 2 }]) {
      const grid = cellGrid(track, width, (text) => text.length * 7);
      assert.ok(grid.columns * grid.width <= width && grid.columns * grid.rows >= track.count);
    }
  }
  assert.equal(cellGrid({ ...cells, columns: 2 }, 700, () => 0).columns, 2);
});

test("a run is in one state at a time, and the arrows that it took are counted", () => {
  assert.deepEqual(state.statesAt(breaker, 0.5), { counts: [1, 0, 0], taken: [0, 0, 0, 0], last: -1 });
  assert.deepEqual(state.statesAt(breaker, 2), { counts: [0, 0, 1], taken: [1, 1, 0, 0], last: 1 });
  assert.deepEqual(state.statesAt(breaker, 9), { counts: [0, 1, 0], taken: [1, 1, 0, 1], last: 2 });
});

test("all runs are counted, wherever they are", () => {
  const two = { ...breaker, runs: ["a", "b"], t: [1, 2], run: [0, 1], arrow: [0, 0], event: ["failures", "failures"] };
  assert.deepEqual(state.statesAt(two, 1.5).counts, [1, 1, 0]);
  assert.equal(state.trackText(two, 1.5), "Breaker: closed 1, open 1");
  assert.equal(state.trackText(breaker, 2.5), "Breaker: half-open");
});

test("a state machine says its last move, and its moves are steps", () => {
  assert.equal(state.captionAt({ tracks: [breaker] }, 2.5), "b: time, open to half-open");
  assert.equal(state.captionAt({ tracks: [breaker] }, 0.5), "");
  assert.deepEqual(state.eventTimes({ tracks: [breaker, series] }), [1, 2, 3]);
});

test("columns become rows in a narrow picture, and an arrow over a box has room", () => {
  assert.deepEqual(state.stateGrid(breaker, true), { column: [0, 1, 2], row: [0, 0, 0], columns: 3, rows: 1 });
  assert.deepEqual(state.stateGrid(breaker, false), { column: [0, 0, 0], row: [0, 1, 2], columns: 1, rows: 3 });
  assert.ok(bowRoom(breaker, true).bottom > bowRoom(breaker, false).bottom);
});

test("lanes can have words of their own for their outcomes", () => {
  const done = { ...lanes, names: ["done", "undone", "refused"] };
  assert.equal(state.trackText(done, 2), "Requests: a 1 done, 0 undone, 1 refused; b 0 done, 1 undone");
  assert.equal(state.captionAt({ tracks: [done] }, 1.5), "a: done");
});

test("steps go through every event once, in order, and stop at the end", () => {
  const trace = { end: 5, clock: "seconds", tracks: [lanes, ramp] }, times = state.eventTimes(trace);
  assert.deepEqual(times, [1, 2, 3]);
  const walk = [0];
  while (walk.at(-1) < 5) walk.push(state.nextEvent(times, walk.at(-1), 5));
  assert.deepEqual(walk, [0, 1, 2, 3, 5]);
  assert.deepEqual(state.eventTimes({ tracks: [series] }), [1, 3]);
});

test("playing without motion takes a bounded number of steps and ends at the end", () => {
  const steps = state.stepTimes(Array.from({ length: 1000 }, (_, i) => i), 2000);
  assert.ok(steps.length <= 41);
  assert.equal(steps.at(-1), 2000);
});

test("words say what the picture shows", () => {
  const trace = { end: 5, clock: "seconds", tracks: [lanes, ramp, series, dialogue] };
  const words = state.summaryAt(trace, 2);
  for (const part of ["2.00 s", "a 1 admitted, 0 denied, 1 failed", "b 0 admitted, 1 denied", "6 of 10 tokens", "x 2", "3 of 3 messages"]) {
    assert.ok(words.includes(part), `${part} in ${words}`);
  }
  assert.equal(state.captionAt({ tracks: [lanes] }, 1.5), "a: admitted");
  assert.equal(state.captionAt({ tracks: [lanes] }, 0), "");
  const renamed = { ...lanes, names: ["delivered", "dropped", "missed"] };
  assert.equal(state.captionAt({ tracks: [renamed] }, 1.5), "a: delivered");
  assert.ok(state.trackText(renamed, 2).includes("a 1 delivered, 0 dropped, 1 missed"));
  assert.equal(state.messageText(dialogue, 2), "a to redis: DECR (failed)");
});

test("ticks are round numbers within the range", () => {
  assert.deepEqual(scale.niceTicks(0, 12, 8), [0, 2, 4, 6, 8, 10, 12]);
  assert.deepEqual(scale.niceTicks(0, 0.3, 3), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(scale.niceTicks(5, 5, 3), [5]);
});

test("times are shown in the unit that fits the run", () => {
  assert.equal(scale.timeText(4.25, 12), "4.25 s");
  assert.equal(scale.timeText(0.0015, 0.002), "1.50 ms");
  assert.equal(scale.timeText(7200, 86400), "2.00 h");
  assert.equal(scale.timeText(2.5, 8, "steps"), "step 3 of 8");
});

test("numbers are short, and missing ones are a dash", () => {
  assert.equal(scale.numberText(1680), "1,680");
  assert.equal(scale.numberText(0.12345), "0.123");
  assert.equal(scale.numberText(null), "–");
});

test("a text is cut to its room", () => {
  const measure = (text) => text.length;
  assert.equal(scale.fitText("short", 9, measure), "short");
  assert.equal(scale.fitText("a long label", 7, measure), "a long…");
});

test("a whole run takes about ten to twenty seconds, however long it lasted", () => {
  for (const end of [0.001, 0.5, 5, 12, 60, 3600, 86400]) {
    const seconds = end / scale.baseRate(end);
    assert.ok(seconds >= 4 && seconds <= 30, `${end}: ${seconds}`);
  }
  assert.equal(scale.speedText(0.5, 1), "½×");
  assert.equal(scale.speedText(1, 200), "200×");
});

test("boxes stack without overlap at every width, and stay inside it", () => {
  const trace = { end: 5, clock: "seconds", tracks: [lanes, ramp, series, { ...ramp, kind: "histogram" }, dialogue, breaker, cells] };
  for (const width of [360, 500, 760, 860]) {
    const plan = layoutTracks(trace, width, (text) => text.length * 7);
    plan.boxes.reduce((before, box) => { assert.ok(box.top >= before.bottom); return box; }, { bottom: 0 });
    assert.ok(plan.boxes.at(-1).bottom <= plan.height && plan.right <= width && plan.left < plan.right);
  }
});
