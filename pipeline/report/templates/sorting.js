"use strict";
const choices = [...document.querySelectorAll("select[data-row]")];
const data = JSON.parse(document.getElementById("data").textContent);
const sorted = data.rows.map((row) => row[1]);
const cell = (text) => '"' + text.replaceAll('"', '""') + '"';
const chosen = (choice) => Number(choice.value) ? data.labels[Number(choice.value) - 1] : "";
const count = () => {
  const labelled = data.rows.filter((row) => row[1]).length;
  const changed = data.rows.filter((row, number) => row[1] !== sorted[number]).length;
  document.getElementById("count").textContent =
    `${labelled} images have a label, ${changed} corrected.`;
};
const take = (choice) => {
  const number = Number(choice.dataset.row);
  data.rows[number][1] = chosen(choice);
  choice.closest("li").classList.toggle("changed", data.rows[number][1] !== sorted[number]);
};
for (const choice of choices) {
  choice.addEventListener("change", () => { take(choice); count(); });
}
document.getElementById("download").addEventListener("click", () => {
  const rows = data.rows
    .map(([path, label, confidence], number) => [path, label, label === sorted[number] ? confidence : "1"])
    .filter((row) => row[1]);
  const text = [["path", "label", "confidence"], ...rows]
    .map((row) => row.map(cell).join(",") + "\r\n").join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = data.file;
  link.click();
});
// A browser keeps what was chosen when the page is loaded again.
choices.forEach(take);
count();
