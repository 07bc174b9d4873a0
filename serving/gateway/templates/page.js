// Sends an image to the model, and shows its likeliest classes. Text of the model or of a file
// goes into the page as text alone, never as HTML.
"use strict";

const MOST = 5;
const LIKELIEST = -1;
// Ends the name of an output of a further label column, which begins with the column's.
const OF_COLUMN = "/probabilities";
const part = (id) => document.getElementById(id);
let model = { name: "", body_mib: 64 };
let asked = 0;
let file = null;
let title = "";

function say(text, isError) {
  part("message").textContent = text;
  part("message").className = isError ? "error" : "";
}

// The classes of one image, the likeliest first: [[name, probability, place], ...].
function classes(outputs) {
  const probabilities = outputs.probabilities[0];
  if (outputs.labels && outputs.class_ids) {
    const ids = outputs.class_ids[0];
    return outputs.labels[0].map((name, i) => [name, probabilities[ids[i]], ids[i]]);
  }
  if (outputs.label) return [[outputs.label[0], outputs.score[0]]];
  return probabilities.map((p, i) => [`class ${i}`, p]).sort((a, b) => b[1] - a[1]);
}

// Where a class was seen is told for any of them: its name asks.
function nameOf(name, id, isShown) {
  const button = document.createElement("button");
  button.textContent = String(name);
  button.setAttribute("aria-pressed", isShown);
  button.addEventListener("click", () => ask(id));
  return button;
}

function addRow(body, name, probability) {
  const row = body.insertRow();
  row.insertCell().append(name);
  row.insertCell().textContent = `${(100 * probability).toFixed(1)} %`;
  const bar = document.createElement("progress");
  bar.value = probability;
  row.insertCell().append(bar);
}

function show(outputs, explained) {
  const rows = classes(outputs);
  const body = part("answer").tBodies[0];
  body.replaceChildren();
  for (const [name, probability, id] of rows.slice(0, MOST)) {
    const isShown = id === (explained === LIKELIEST ? rows[0][2] : explained);
    addRow(body, outputs.heat ? nameOf(name, id, isShown) : String(name), probability);
    if (isShown) part("heat").setAttribute("aria-label", `What speaks for ${name}`);
  }
  const columns = Object.keys(outputs).filter((name) => name.endsWith(OF_COLUMN));
  for (const column of columns.map((name) => name.slice(0, -OF_COLUMN.length))) {
    const head = body.insertRow().insertCell();
    head.colSpan = 3;
    head.className = "column";
    head.textContent = column;
    const [probabilities, labels, class_ids] = ["probabilities", "labels", "class_ids"].map(
      (name) => outputs[`${column}/${name}`],
    );
    for (const [name, probability] of classes({ probabilities, labels, class_ids }).slice(0, MOST)) {
      addRow(body, String(name), probability);
    }
  }
  part("answer").hidden = false;
}

// The square that the model saw, in grey, and warm colours where it speaks for the class. The
// colder half of the places stays grey.
async function draw(outputs) {
  const seen = Uint8Array.from(atob(outputs.seen_bytes[0].b64), (letter) => letter.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([seen], { type: "image/jpeg" }));
  const side = outputs.heat[0].length;
  const heat = outputs.heat[0].flat();
  const middle = heat.toSorted((one, other) => one - other)[heat.length >> 1];
  const most = Math.max(1e-6, ...heat.map((value) => value - middle));
  const colours = new ImageData(side, side);
  heat.forEach((value, place) => {
    const strength = Math.max(0, value - middle) / most;
    const warmer = 115 * strength ** 2;
    colours.data.set([255, 120 + warmer, warmer, 204 * strength], 4 * place);
  });
  const small = new OffscreenCanvas(side, side);
  small.getContext("2d").putImageData(colours, 0, 0);
  const canvas = part("heat");
  const context = canvas.getContext("2d");
  context.filter = "grayscale(1) brightness(0.75)";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.filter = "none";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error("The file cannot be read."));
    reader.readAsDataURL(file);
  });
}

async function outputsFor(explained) {
  // Base64 makes four bytes of three, and JSON needs a few more.
  if (file.size > 0.7 * model.body_mib * 2 ** 20) {
    throw new Error(`The image is larger than the ${model.body_mib} MiB that a request may have.`);
  }
  if (file.size === 0) throw new Error("The file is empty.");
  const headers = { "Content-Type": "application/json" };
  if (part("key").value) headers["X-API-Key"] = part("key").value;
  const question = { inputs: { image_bytes: [{ b64: await base64(file) }] } };
  if (part("explain").checked) {
    question.signature_name = "explained";
    question.inputs.class_id = [explained];
  }
  const body = JSON.stringify(question);
  const path = `/v1/models/${encodeURIComponent(model.name)}:predict`;
  const response = await fetch(path, { method: "POST", headers, body }).catch(() => {
    throw new Error("The gateway does not answer. Is the connection there?");
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || `The gateway answers ${response.status}.`);
  if (!answer.outputs) throw new Error("What answers is no model.");
  return answer.outputs;
}

async function ask(explained) {
  const number = ++asked;
  say("Asking …", false);
  try {
    const outputs = await outputsFor(explained);
    if (number !== asked) return; // something else was asked meanwhile
    if (outputs.heat) await draw(outputs);
    part("heat").hidden = !outputs.heat;
    show(outputs, explained);
    say(title, false);
  } catch (error) {
    if (number === asked) say(error.message, true);
  }
}

function choose(files) {
  if (!files.length) {
    say("No file came with that. Save the image first, and drop or choose its file.", true);
    return;
  }
  file = files[0];
  title = files.length > 1 ? `${file.name} (the first of ${files.length} files)` : file.name;
  URL.revokeObjectURL(part("picture").src);
  part("picture").src = URL.createObjectURL(file);
  part("picture").hidden = false;
  part("answer").hidden = part("heat").hidden = true;
  ask(LIKELIEST);
}

for (const [event, isOver] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(event, (happened) => {
    happened.preventDefault();
    part("drop").classList.toggle("over", isOver);
    if (event === "drop") choose(happened.dataTransfer.files);
  });
}
// What the browser cannot show the model may know all the same.
part("picture").addEventListener("error", () => {
  part("picture").hidden = true;
});
part("explain").addEventListener("change", () => {
  if (file) ask(LIKELIEST);
});
part("file").addEventListener("change", () => {
  if (part("file").files.length) choose(part("file").files);
});
fetch("/model.json").then((response) => response.json()).then((found) => {
  model = found;
  part("model").textContent = found.name;
});
