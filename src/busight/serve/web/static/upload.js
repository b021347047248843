// Sends files one by one, a few at once, and shows the fate of each; without this script the form sends all at once.
"use strict";

const form = document.querySelector("form.upload");
const drop = document.getElementById("drop");
const fates = document.getElementById("fates");
const list = document.getElementById("fates-list");
const summary = document.getElementById("fates-summary");
const bar = document.getElementById("fates-progress");
const link = document.getElementById("fates-link");
let batch = "", total = 0, done = 0, refused = 0;
const queue = [];
let running = 0;

drop.classList.add("scripted");
for (const part of document.querySelectorAll("[data-script-only]")) part.hidden = false;

form.querySelector("input[name=uploads]").addEventListener("change", (event) => add([...event.target.files].map((file) => [file, file.name])));
document.getElementById("folder").addEventListener("change", (event) => add([...event.target.files].map((file) => [file, file.webkitRelativePath])));
form.addEventListener("submit", (event) => event.preventDefault());
for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = entries.length ? (await Promise.all(entries.map((entry) => walk(entry, "")))).flat() : [...event.dataTransfer.files].map((file) => [file, file.name]);
  add(found);
});

async function walk(entry, folder) {
  if (entry.isFile) return [[await new Promise((good, bad) => entry.file(good, bad)), folder + entry.name]];
  const reader = entry.createReader();
  const all = [];
  for (;;) { // a reader gives at most a hundred entries at a time
    const some = await new Promise((good, bad) => reader.readEntries(good, bad));
    if (!some.length) break;
    all.push(...some);
  }
  return (await Promise.all(all.map((one) => walk(one, `${folder}${entry.name}/`)))).flat();
}

function add(files) {
  const wanted = files.filter(([, name]) => !name.split("/").some((part) => part.startsWith(".") || part === "__MACOSX"));
  total += wanted.length;
  queue.push(...wanted);
  fates.hidden = false;
  show();
  next();
}

function next() {
  while (queue.length && (running < 3 && (batch || !running))) send(...queue.shift()); // the first one makes the batch
}

async function send(file, name) {
  running += 1;
  const data = new FormData(form);
  data.delete("uploads");
  data.append("uploads", file, file.name);
  data.append("paths", name);
  data.set("batch", batch);
  let reason = "";
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
    const told = await answer.json();
    reason = told.reason || told.files?.[0].reason || "";
    if (told.batch) {
      batch = told.batch;
      link.href = told.address;
      link.hidden = false;
    }
  } catch {
    reason = `${name}: was not sent; the connection broke, try again`;
  }
  done += 1;
  if (reason) {
    refused += 1;
    const line = document.createElement("li");
    line.textContent = reason;
    line.className = "error";
    list.append(line);
  }
  running -= 1;
  show();
  next();
}

function show() {
  bar.max = total || 1;
  bar.value = done;
  summary.textContent = `${done} of ${total} sent${refused ? `, ${refused} refused` : ""}`;
}
