// The image with outline, activation and ruler: OpenSeadragon below, one SVG layer in pixels of the image above it.
"use strict";

const place = document.getElementById("viewer");
const width = Number(place.dataset.width), height = Number(place.dataset.height);
const spacing = [Number(place.dataset.spacingRow), Number(place.dataset.spacingColumn)];
const SVG = "http://www.w3.org/2000/svg";

const viewer = OpenSeadragon({
  element: place,
  tileSources: { type: "image", url: place.dataset.image, buildPyramid: false },
  showNavigationControl: false,
  gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
  maxZoomPixelRatio: 12,
  minZoomImageRatio: 0.8,
  visibilityRatio: 0.5,
  animationTime: 0.3,
  imageSmoothingEnabled: true,
  keyboardNavEnabled: false,
  drawer: "canvas",
});

const svg = document.createElementNS(SVG, "svg");
const layer = svg.appendChild(document.createElementNS(SVG, "g"));
const map = layer.appendChild(document.createElementNS(SVG, "image"));
const shadow = layer.appendChild(document.createElementNS(SVG, "path"));
const outline = layer.appendChild(document.createElementNS(SVG, "path"));
const ruler = layer.appendChild(document.createElementNS(SVG, "line"));
map.setAttribute("width", width);
map.setAttribute("height", height);
map.setAttribute("preserveAspectRatio", "none");
map.setAttribute("visibility", "hidden");
outline.setAttribute("class", "outline");
shadow.setAttribute("class", "outline-shadow");
ruler.setAttribute("class", "ruler");
const box = layer.appendChild(document.createElementNS(SVG, "rect"));
box.setAttribute("class", "box");
if (place.dataset.region) {
  const [top, left, bottom, right] = place.dataset.region.split(",").map(Number);
  if (right) drawBox([left, top], [right, bottom]);
  else drawBox([left - 2, top - 2], [left + 2, top + 2]);
}

function drawBox(one, other) {
  const [x, y] = [Math.min(one[0], other[0]), Math.min(one[1], other[1])];
  for (const [name, value] of [["x", x], ["y", y], ["width", Math.abs(one[0] - other[0])], ["height", Math.abs(one[1] - other[1])]]) box.setAttribute(name, value);
}
viewer.canvas.append(svg);

function follow() {
  const viewport = viewer.viewport;
  const zero = viewport.pixelFromPoint(viewport.imageToViewportCoordinates(0, 0), true);
  const one = viewport.pixelFromPoint(viewport.imageToViewportCoordinates(width, height), true);
  const scale = (one.x - zero.x) / width;
  layer.setAttribute("transform", `translate(${zero.x} ${zero.y}) scale(${scale})`);
}
for (const name of ["open", "animation", "resize", "update-viewport"]) viewer.addHandler(name, () => viewer.world.getItemCount() && follow());

function load() {
  const data = document.getElementById("overlay-data");
  if (!data) return;
  for (const path of [outline, shadow]) path.setAttribute("d", data.dataset.outline || "");
  if (data.dataset.activation) map.setAttribute("href", data.dataset.activation);
  if (tool("activation")) tool("activation").disabled = !data.dataset.activation;
  if (tool("outline")) tool("outline").disabled = !data.dataset.outline;
}
document.body.addEventListener("htmx:afterSwap", load);

const names = ["outline", "activation", "ruler", "region"].filter((name) => tool(name));
function tool(name) { return document.querySelector(`[data-tool="${name}"]`); }
function isOn(name) { return tool(name)?.getAttribute("aria-pressed") === "true"; }
function toggle(name) {
  tool(name).setAttribute("aria-pressed", String(!isOn(name)));
  const other = { ruler: "region", region: "ruler" }[name]; // one drags for one thing
  if (other && isOn(name) && isOn(other)) tool(other).setAttribute("aria-pressed", "false");
  for (const path of [outline, shadow]) path.setAttribute("visibility", isOn("outline") ? "visible" : "hidden");
  map.setAttribute("visibility", isOn("activation") ? "visible" : "hidden");
  viewer.setMouseNavEnabled(!isOn("ruler") && !isOn("region"));
}
const strength = document.querySelector("[data-activation-strength]");
strength?.addEventListener("input", () => {
  map.setAttribute("opacity", strength.value / 100);
  if (!isOn("activation") && !tool("activation").disabled) toggle("activation");
});
map.setAttribute("opacity", (strength?.value ?? 60) / 100);
for (const name of names) tool(name).addEventListener("click", () => toggle(name));
tool("home").addEventListener("click", () => viewer.viewport.goHome());

let from = null;
const length = document.querySelector("[data-ruler-length]");
function at(event) {
  const area = place.getBoundingClientRect();
  const point = viewer.viewport.viewportToImageCoordinates(viewer.viewport.pointFromPixel(new OpenSeadragon.Point(event.clientX - area.left, event.clientY - area.top), true));
  return [point.x, point.y];
}
place.addEventListener("pointerdown", (event) => {
  if (!isOn("ruler") && !isOn("region")) return;
  from = at(event);
  place.setPointerCapture(event.pointerId);
});
place.addEventListener("pointermove", (event) => {
  if (!from) return;
  const to = at(event);
  if (isOn("region")) { drawBox(from, to); return; }
  const [x, y] = [to[0] - from[0], to[1] - from[1]];
  for (const [name, value] of [["x1", from[0]], ["y1", from[1]], ["x2", to[0]], ["y2", to[1]]]) ruler.setAttribute(name, value);
  length.textContent = spacing[0] ? `${Math.hypot(x * spacing[1], y * spacing[0]).toFixed(1)} mm` : `${Math.hypot(x, y).toFixed(0)} pixels, spacing unknown`;
});
place.addEventListener("pointerup", (event) => {
  const begun = from;
  from = null;
  if (!begun || !isOn("region")) return;
  const to = at(event);
  const inside = ([x, y]) => [Math.round(Math.min(Math.max(y, 0), height)), Math.round(Math.min(Math.max(x, 0), width))];
  const [one, other] = [inside(begun), inside(to)];
  const isClick = Math.hypot(to[0] - begun[0], to[1] - begun[1]) < 4;
  const form = document.getElementById("region-form");
  form.elements.region.value = isClick ? inside(begun).join(",") : [Math.min(one[0], other[0]), Math.min(one[1], other[1]), Math.max(one[0], other[0]), Math.max(one[1], other[1])].join(",");
  form.submit();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=range]), select, textarea")) return;
  const act = { o: () => tool("outline")?.click(), a: () => tool("activation")?.click(), r: () => tool("ruler").click(), m: () => tool("region")?.click(), 0: () => tool("home").click() }[event.key];
  if (act) { event.preventDefault(); act(); }
});
load();
