// Keyboard, light and dark, and the parts of forms that open. Works without: every page is a plain form too.
"use strict";

const scheme = document.querySelector("[data-scheme-switch]");
if (scheme) {
  scheme.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = root.dataset.scheme === "dark" || (root.dataset.scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.scheme = isDark ? "light" : "dark";
    document.cookie = `scheme=${root.dataset.scheme};path=/;max-age=31536000;samesite=lax`;
  });
}

const keys = document.getElementById("keys");
document.querySelector("[data-keys]")?.addEventListener("click", () => keys.showModal());

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) openDiffers(opener);
  const row = event.target.closest("tr[data-row]");
  if (row && !event.target.closest("a, button, input, select")) location.href = row.dataset.row;
});

function openDiffers(opener) {
  const form = opener.form;
  const differs = form.querySelector(".differs");
  const verdict = opener.dataset.opens;
  differs.hidden = false;
  differs.querySelector(".override-label").hidden = verdict !== "overridden";
  differs.querySelector("button").value = verdict;
  for (const button of form.querySelectorAll("[data-opens]")) button.setAttribute("aria-expanded", String(button === opener));
  differs.querySelector(verdict === "overridden" ? "select" : "input").focus();
}

let pending = "";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys?.open) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const go = pending === "g" && { w: "/worklist/", u: "/upload/", b: "/batches/" }[event.key];
  pending = event.key === "g" ? "g" : "";
  if (go) { location.href = go; return; }
  const act = {
    "?": () => keys?.showModal(),
    "/": () => document.querySelector("input[type=search]")?.focus(),
    j: () => step(1),
    k: () => step(-1),
    n: () => document.querySelector("input[name=note]")?.focus(),
    1: () => press("1"), 2: () => press("2"), 3: () => press("3"),
  }[event.key];
  if (act) { event.preventDefault(); act(); }
  if (event.key === "Enter" && event.target === document.body) {
    const chosen = document.querySelector("tr.chosen");
    if (chosen) location.href = chosen.dataset.row;
  }
});

function press(key) { document.querySelector(`[data-key="${key}"]`)?.click(); }

function step(by) {
  const link = document.querySelector(by > 0 ? ".neighbours [rel=next]" : ".neighbours [rel=prev]");
  if (link) { location.href = link.href; return; }
  const rows = [...document.querySelectorAll("tr[data-row]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains("chosen"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
  rows.forEach((row) => row.classList.toggle("chosen", row === next));
  next.scrollIntoView({ block: "nearest" });
}
