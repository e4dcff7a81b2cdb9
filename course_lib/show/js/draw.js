// Making elements. Text only ever goes in as textContent.
const NAMESPACE = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "rect", "path", "circle", "line", "text", "title"]);

/** A new element `name` with `attributes`, at the end of `parent`. */
export function make(name, attributes = {}, parent = null, text = null) {
  const node = SVG_TAGS.has(name) ? document.createElementNS(NAMESPACE, name) : document.createElement(name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== null) node.textContent = text;
  parent?.append(node);
  return node;
}

const measuring = { context: null };

/** A function that says how wide a text is in `font` (CSS shorthand). */
export function textMeasure(font) {
  measuring.context ??= document.createElement("canvas").getContext("2d");
  return (text) => {
    measuring.context.font = font;
    return measuring.context.measureText(text).width;
  };
}

/** Shapes around (0, 0): outcome is told by shape as well as by colour. */
export const SHAPES = {
  waiting: "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0",
  admitted: "M-5.5,0a5.5,5.5 0 1,0 11,0a5.5,5.5 0 1,0 -11,0",
  denied: "M-4.5,-4.5L4.5,4.5M4.5,-4.5L-4.5,4.5",
  failed: "M0,-6L6,0L0,6L-6,0Z",
};

/** A path through (x, y) points; `step` keeps the height until the next point. */
export function linePath(points, step) {
  let path = "";
  points.forEach(([x, y], i) => {
    if (i === 0) path = `M${x.toFixed(1)},${y.toFixed(1)}`;
    else path += step ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `L${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return path;
}

/** A painter of moving dots as SVG: keeps one node for each dot that is on stage. */
export function svgPainter(group) {
  const nodes = new Map();
  return (dots) => {
    const used = new Set();
    for (const dot of dots) {
      let node = nodes.get(dot.index);
      if (!node) nodes.set(dot.index, (node = make("path", { "data-event": dot.index }, group)));
      used.add(dot.index);
      node.setAttribute("transform", `translate(${dot.px.toFixed(1)},${dot.py.toFixed(1)})`);
      node.setAttribute("opacity", dot.opacity.toFixed(2));
      if (node.dataset.state === dot.state) continue;
      node.dataset.state = dot.state;
      node.setAttribute("class", `atr-dot atr-${dot.state}`);
      node.setAttribute("d", SHAPES[dot.state]);
    }
    for (const [index, node] of nodes) if (!used.has(index)) { node.remove(); nodes.delete(index); }
  };
}

/** A painter of moving dots on a canvas, for crowds; colours are read from the styles of `root`. */
export function canvasPainter(canvas, root, width, height) {
  const scale = window.devicePixelRatio || 1, context = canvas.getContext("2d");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const shapes = Object.fromEntries(Object.entries(SHAPES).map(([state, d]) => [state, new Path2D(d)]));
  return (dots) => {
    const style = getComputedStyle(root);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (const dot of dots) {
      const colour = style.getPropertyValue(`--atr-${dot.state}`);
      context.setTransform(scale, 0, 0, scale, dot.px * scale, dot.py * scale);
      context.globalAlpha = dot.opacity;
      if (dot.state === "waiting" || dot.state === "admitted") {
        context.fillStyle = colour;
        context.fill(shapes[dot.state]);
      } else {
        context.strokeStyle = colour;
        context.lineWidth = dot.state === "denied" ? 2.6 : 2;
        context.stroke(shapes[dot.state]);
      }
    }
  };
}
