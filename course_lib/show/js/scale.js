// Numbers, ticks and words. Pure functions: no document, no clock.
export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** How many of the sorted `times` are at or before `at`. */
export function countUpTo(times, at) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= at) low = middle + 1; else high = middle;
  }
  return low;
}

/** The next of 1, 2, 5, 10, 20, ... that is not below `value`. */
export function niceStep(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((f) => f * power >= value * (1 - 1e-9));
  return factor * power;
}

/** Round numbers from `low` to `high`, at most about `count` of them. */
export function niceTicks(low, high, count) {
  if (!(high > low)) return [low];
  const step = niceStep((high - low) / Math.max(1, count)), ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

/** The unit in which a run of `end` seconds reads best: `factor` units are one second. */
export function timeUnit(end, clock = "seconds") {
  if (clock === "steps") return { factor: 1, unit: "", digits: 0 };
  const units = [[1e-3, 1e6, "µs"], [1, 1e3, "ms"], [300, 1, "s"], [10800, 1 / 60, "min"]];
  const [, factor, unit] = units.find(([limit]) => end < limit) ?? [0, 1 / 3600, "h"];
  const digits = clamp(3 - Math.floor(Math.log10(end * factor)), 0, 3);
  return { factor, unit, digits: Math.min(digits, 2) };
}

/** "4.25 s", "step 3": a time as the clock shows it. */
export function timeText(at, end, clock = "seconds") {
  if (clock === "steps") return `step ${Math.ceil(at - 1e-9)} of ${Math.ceil(end - 1e-9)}`;
  const { factor, unit, digits } = timeUnit(end, clock);
  return `${(at * factor).toFixed(digits)} ${unit}`;
}

/** A value for a reader: about three figures, no trailing noise, thousands with a comma. */
export function numberText(value) {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value), digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return Number(value.toFixed(digits)).toLocaleString("en-GB", { maximumFractionDigits: digits });
}

/** `text`, cut with an ellipsis so that `measure(text)` is at most `width`. */
export function fitText(text, width, measure) {
  if (measure(text) <= width) return text;
  let low = 0, high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(text.slice(0, middle).trimEnd() + "…") <= width) low = middle; else high = middle - 1;
  }
  return text.slice(0, low).trimEnd() + "…";
}

/** Seconds of the run that pass in one second of watching at speed 1: about 12 s for a whole run. */
export function baseRate(end, clock = "seconds") {
  if (clock === "steps") return 1.25;
  if (end >= 4 && end <= 30) return 1;
  return niceStep(end / 18);
}

/** What the speed select shows for `factor` times `base`. */
export function speedText(factor, base, clock = "seconds") {
  const names = { 0.25: "¼×", 0.5: "½×", 1: "1×", 2: "2×", 4: "4×" };
  if (base === 1 || clock === "steps") return names[factor];
  const speed = factor * base;
  return speed >= 1 ? `${numberText(speed)}×` : `1/${numberText(1 / speed)}×`;
}
