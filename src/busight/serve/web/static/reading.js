// Time of a reading, and its keys.
"use strict";

const begun = performance.now();
const reading = document.querySelector("form.reading");
const seconds = reading.querySelector("input[name=seconds]");
seconds.value = "0"; // without this script the time counts as unknown
reading.addEventListener("submit", () => { seconds.value = ((performance.now() - begun) / 1000).toFixed(2); });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input[type=number]")) return;
  const choice = reading.querySelectorAll("input[name=category]")[Number(event.key) - 1];
  if (choice) { choice.checked = true; choice.focus(); }
  if (event.key === "s") { event.preventDefault(); reading.querySelector("input[name=suspicion]").focus(); }
});
