// Sends an image to the model, and shows its likeliest classes. Text of the model or of a file
// goes into the page as text alone, never as HTML.
"use strict";

const MOST = 5;
const part = (id) => document.getElementById(id);
let model = { name: "", body_mib: 64 };
let asked = 0;

function say(text, isError) {
  part("message").textContent = text;
  part("message").className = isError ? "error" : "";
}

// The classes of one image, the likeliest first: [[name, probability], ...].
function classes(outputs) {
  const probabilities = outputs.probabilities[0];
  if (outputs.labels && outputs.class_ids) {
    return outputs.labels[0].map((name, i) => [name, probabilities[outputs.class_ids[0][i]]]);
  }
  if (outputs.label) return [[outputs.label[0], outputs.score[0]]];
  return probabilities.map((p, i) => [`class ${i}`, p]).sort((a, b) => b[1] - a[1]);
}

function show(rows) {
  const body = part("answer").tBodies[0];
  body.replaceChildren();
  for (const [name, probability] of rows.slice(0, MOST)) {
    const row = body.insertRow();
    row.insertCell().textContent = String(name);
    row.insertCell().textContent = `${(100 * probability).toFixed(1)} %`;
    const bar = document.createElement("progress");
    bar.value = probability;
    row.insertCell().append(bar);
  }
  part("answer").hidden = false;
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error("The file cannot be read."));
    reader.readAsDataURL(file);
  });
}

async function outputsFor(file) {
  // Base64 makes four bytes of three, and JSON needs a few more.
  if (file.size > 0.7 * model.body_mib * 2 ** 20) {
    throw new Error(`The image is larger than the ${model.body_mib} MiB that a request may have.`);
  }
  if (file.size === 0) throw new Error("The file is empty.");
  const headers = { "Content-Type": "application/json" };
  if (part("key").value) headers["X-API-Key"] = part("key").value;
  const body = JSON.stringify({ inputs: { image_bytes: [{ b64: await base64(file) }] } });
  const path = `/v1/models/${encodeURIComponent(model.name)}:predict`;
  const response = await fetch(path, { method: "POST", headers, body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || `The gateway answers ${response.status}.`);
  return answer.outputs;
}

async function ask(file) {
  const number = ++asked;
  URL.revokeObjectURL(part("picture").src);
  part("picture").src = URL.createObjectURL(file);
  part("picture").hidden = false;
  part("answer").hidden = true;
  say("Asking …", false);
  try {
    const outputs = await outputsFor(file);
    if (number !== asked) return; // another image was dropped meanwhile
    show(classes(outputs));
    say(file.name, false);
  } catch (error) {
    if (number === asked) say(error.message, true);
  }
}

function choose(files) {
  if (files.length) ask(files[0]);
}

for (const [event, isOver] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(event, (happened) => {
    happened.preventDefault();
    part("drop").classList.toggle("over", isOver);
    if (event === "drop") choose(happened.dataTransfer.files);
  });
}
part("file").addEventListener("change", () => choose(part("file").files));
fetch("/model.json").then((response) => response.json()).then((found) => {
  model = found;
  part("model").textContent = found.name;
});
