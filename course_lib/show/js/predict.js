// Commit, then reveal: the question, an input, and a button that locks the answer.
import { make } from "./draw.js";

function mountPredict({ model, el }) {
  const optOut = (node) => { node.setAttribute("data-lm-suppress-shortcuts", "true"); return node; };
  const root = make("form", { class: "atr-root atr-predict" }, el);
  const question = model.get("question");
  make("div", { class: "atr-title" }, root, question);
  const choices = model.get("choices");
  const row = make("div", { class: choices.length ? "atr-answers" : "atr-answers atr-oneLine" }, root);
  const [low, high, unit] = ["low", "high", "unit"].map((key) => model.get(key));
  const fields = choices.length ? choices.map((text) => choiceField(row, text)) : [numberField(row)];
  const commit = optOut(make("button", { type: "submit", class: "atr-play" }, root, "Commit"));
  const said = make("div", { class: "atr-caption atr-said", role: "status" }, root);

  function numberField(parent) {
    const field = optOut(make("input", { type: "number", step: "any", min: low, max: high, "aria-label": question }, parent));
    make("span", { class: "atr-hint" }, parent, `${low} to ${high} ${unit}`.trim());
    return field;
  }

  function choiceField(parent, text) {
    const label = make("label", {}, parent);
    const field = optOut(make("input", { type: "radio", name: "choice", value: text }, label));
    make("span", {}, label, text);
    return field;
  }

  const answer = () => (choices.length ? fields.find((field) => field.checked)?.value : fields[0].value.trim());

  function problem(text) {
    if (!text) return choices.length ? "Choose one first; a guess is enough." : "Enter a number first; a guess is enough.";
    const outside = !choices.length && !(Number(text) >= low && Number(text) <= high);
    return outside ? `The number must be between ${low} and ${high}.` : "";
  }

  root.onsubmit = (event) => {
    event.preventDefault();
    const text = answer(), wrong = problem(text);
    said.textContent = wrong;
    if (wrong || model.get("closed")) return;
    model.set("committed", text);
    model.save_changes();
    show();
  };

  function show() {
    const committed = model.get("committed"), closed = model.get("closed");
    for (const field of [...fields, commit]) field.disabled = committed !== "" || closed;
    if (committed !== "") {
      fields.forEach((field) => { if (choices.length) field.checked = field.value === committed; else field.value = committed; });
      said.textContent = `Committed: ${committed} ${unit}`.trim() + ". Run on to see what is measured.";
    } else if (closed) said.textContent = "The result is out. Run this cell again to predict afresh.";
  }

  // Inside a notebook of JupyterLab, Enter in a field does not submit the form by itself.
  for (const field of fields) {
    field.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      root.requestSubmit();
    };
  }

  model.on("change:committed", show);
  model.on("change:closed", show);
  root.noValidate = true;
  show();
  return () => { model.off("change:committed", show); model.off("change:closed", show); };
}

export default { render: mountPredict };
