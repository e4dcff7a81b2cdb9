// The widget: controls around the picture. Nothing that happens here sends a message to the kernel.
import { make } from "./draw.js";
import { buildPicture } from "./player.js";
import { baseRate, clamp, speedText, timeText } from "./scale.js";
import { captionAt, eventTimes, messageText, nextEvent, stepTimes, summaryAt } from "./state.js";

const SCRUB = 1000, STEP_MS = 700;

/** JupyterLab takes arrows and letters unless each focusable element itself opts out. */
const optOut = (node) => { node.setAttribute("data-lm-suppress-shortcuts", "true"); return node; };

/** Opting out is all or nothing, so it is taken back while Ctrl+S or Cmd+S goes to JupyterLab. */
function letSaveThrough(event) {
  const save = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
  if (!save || !event.target.closest?.(".atr-root, .atr-tune")) return;
  event.target.removeAttribute("data-lm-suppress-shortcuts");
  setTimeout(() => optOut(event.target));
}

/** ipywidgets' sliders are not ours: they opt out when they get the focus, and say their name. */
function letSlidersHaveKeys() {
  if (document.documentElement.dataset.atrKeys) return;
  document.documentElement.dataset.atrKeys = "on";
  window.addEventListener("keydown", letSaveThrough, true);
  document.addEventListener("focusin", ({ target }) => {
    const row = target.closest?.(".atr-row");
    if (!target.closest?.(".atr-tune")) return;
    optOut(target);
    const name = row?.querySelector(".atr-name")?.textContent;
    if (name && !target.hasAttribute("aria-label")) target.setAttribute("aria-label", name);
  });
}

function buildFrame(el) {
  const root = make("div", { class: "atr-root" }, el);
  const title = make("div", { class: "atr-title" }, root), summary = make("div", { class: "atr-summary" }, root);
  const stage = make("div", { class: "atr-wrap" }, root), bar = make("div", { class: "atr-bar" }, root);
  const button = (label, text) => optOut(make("button", { type: "button", "aria-label": label }, bar, text));
  const play = button("Play", "Play"), back = button("Back to start", "Start"), step = button("Step to the next event", "Step");
  play.className = "atr-play";
  const scrub = optOut(make("input", { type: "range", min: 0, max: SCRUB, step: 1, "aria-label": "Time", class: "atr-scrub" }, bar));
  const clock = make("span", { class: "atr-clock" }, bar);
  const speed = optOut(make("select", { "aria-label": "Speed" }, bar));
  const caption = make("div", { class: "atr-caption", "aria-hidden": "true" }, root);
  const live = make("div", { class: "atr-spoken", "aria-live": "polite" }, root);
  const list = make("ol", { class: "atr-spoken", "aria-label": "Messages in order" }, root);
  return { root, title, summary, stage, play, back, step, scrub, clock, speed, caption, live, list };
}

function fillSpeeds(speed, trace) {
  const chosen = speed.value || "1", base = baseRate(trace.end, trace.clock);
  speed.replaceChildren(...[0.25, 0.5, 1, 2, 4].map((factor) =>
    make("option", { value: factor }, null, speedText(factor, base, trace.clock))));
  speed.value = chosen;
}

function listMessages(list, trace) {
  const lines = trace.tracks.filter((track) => track.kind === "sequence")
    .flatMap((track) => track.sent.map((_, i) => messageText(track, i)));
  list.replaceChildren(...lines.map((line) => make("li", {}, null, line)));
  list.hidden = lines.length === 0;
}

function mountPlayer({ model, el }) {
  const ui = buildFrame(el);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let trace, times = [], picture, at = null, playing = false, timer = 0, frameId = 0, before = 0, width = 0;

  function rebuild() {
    width = ui.stage.clientWidth || width || 760;
    ui.root.classList.toggle("atr-narrow", width < 600);
    picture = buildPicture(ui.root, ui.stage, trace, model.get("baseline"), width);
    draw(!playing);
  }

  function load() {
    const wasAtEnd = trace && at >= trace.end - 1e-9;
    trace = model.get("trace");
    if (!trace?.tracks) return;
    at = at === null ? model.get("start") ?? trace.end : wasAtEnd && !playing ? trace.end : at;
    times = eventTimes(trace);
    ui.title.textContent = trace.title;
    ui.summary.textContent = trace.summary;
    fillSpeeds(ui.speed, trace);
    listMessages(ui.list, trace);
    rebuild();
  }

  function draw(announce) {
    at = clamp(at, 0, trace.end);
    picture.draw(at);
    const clock = timeText(at, trace.end, trace.clock);
    ui.scrub.value = Math.round((at / trace.end) * SCRUB);
    ui.scrub.style.setProperty("--atr-done", `${(at / trace.end) * 100}%`);
    ui.scrub.setAttribute("aria-valuetext", clock);
    ui.clock.textContent = clock;
    ui.caption.textContent = captionAt(trace, at);
    ui.root.dataset.at = at;
    if (announce) announceNow();
  }

  function announceNow() {
    const words = summaryAt(trace, at);
    ui.live.textContent = words;
    ui.root.dataset.state = words;
    picture.svg.setAttribute("aria-label", `${trace.title}. ${words}`);
  }

  function setPlaying(on) {
    playing = on;
    ui.play.textContent = on ? "Pause" : "Play";
    ui.play.setAttribute("aria-label", on ? "Pause" : "Play");
    cancelAnimationFrame(frameId);
    clearInterval(timer);
    before = 0;
    if (!on) return draw(true);
    if (at >= trace.end) at = 0;
    if (calm.matches) timer = setInterval(stepCalmly, STEP_MS);
    else frameId = requestAnimationFrame(frame);
  }

  function frame(now) {
    const rate = baseRate(trace.end, trace.clock) * Number(ui.speed.value);
    if (before) at += Math.min(0.1, (now - before) / 1000) * rate;
    before = now;
    draw(false);
    if (at >= trace.end) setPlaying(false); else frameId = requestAnimationFrame(frame);
  }

  function stepCalmly() {
    at = nextEvent(stepTimes(times, trace.end), at, trace.end);
    draw(true);
    if (at >= trace.end) setPlaying(false);
  }

  const seek = (time) => { at = time; if (playing) setPlaying(false); else draw(true); };
  const drag = (event) => {
    const [box, track] = [picture.svg.getBoundingClientRect(), trace.tracks];
    if (track.some((each) => !["sequence", "states"].includes(each.kind))) seek(picture.timeAt(event.clientX - box.left));
  };
  ui.play.onclick = () => setPlaying(!playing);
  ui.back.onclick = () => seek(0);
  ui.step.onclick = () => seek(nextEvent(times, at >= trace.end ? -1 : at, trace.end));
  ui.scrub.oninput = () => seek((Number(ui.scrub.value) / SCRUB) * trace.end);
  ui.scrub.onkeydown = (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    seek(at + (way * trace.end) / (event.shiftKey ? SCRUB : 100));
  };
  ui.stage.onpointerdown = (event) => { ui.stage.setPointerCapture(event.pointerId); drag(event); };
  ui.stage.onpointermove = (event) => { if (event.buttons & 1) drag(event); };

  const dim = () => ui.root.classList.toggle("atr-dimmed", Boolean(model.get("dimmed")));
  const pin = () => trace && rebuild();
  const resized = new ResizeObserver(() => {
    if (trace?.tracks && ui.stage.clientWidth && Math.abs(ui.stage.clientWidth - width) > 1) rebuild();
  });
  const seen = new IntersectionObserver(([entry]) => { if (!entry.isIntersecting && playing) setPlaying(false); });
  const themed = new MutationObserver(() => trace?.tracks && draw(false));
  model.on("change:trace", load);
  model.on("change:baseline", pin);
  model.on("change:dimmed", dim);
  load();
  dim();
  letSlidersHaveKeys();
  resized.observe(ui.stage);
  seen.observe(ui.root);
  themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  return () => {
    cancelAnimationFrame(frameId);
    clearInterval(timer);
    [resized, seen, themed].forEach((observer) => observer.disconnect());
    model.off("change:trace", load);
    model.off("change:baseline", pin);
    model.off("change:dimmed", dim);
  };
}

export default { render: mountPlayer };
