// Draws every figure with data-chart out of the table inside it (templates/charts.html says what is in it).
//
// A kind of chart is a function of the rows and of {unit, columns, width} to the options of Observable Plot. A page
// brings its own kinds with register(), before or after this module has looked at the figures.

import * as Plot from "./vendor/plot.js";

const kinds = new Map();
const drawn = new WeakMap();
const HEIGHT = 190;

export function register(kind, options) {
  kinds.set(kind, options);
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    if (figure.dataset.chart === kind) watch(figure);
  }
}

// Days of a calendar stand in the table without a zone: they are drawn in UTC, so that they stay the days they are.
export function rowsOf(figure) {
  return [...figure.querySelectorAll("tbody tr")].map((row) => {
    const time = row.querySelector("time");
    const cells = [...row.querySelectorAll("td")];
    const values = cells.map((cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value)));
    return {
      at: new Date(time.dateTime),
      end: time.dataset.end ? new Date(time.dataset.end) : null,
      label: time.textContent.trim(),
      href: row.querySelector("th a")?.getAttribute("href") ?? null,
      values,
      value: values[0],
      texts: cells.map((cell) => cell.textContent.trim()),
    };
  });
}

const STEPS = [1, 2, 5, 10, 15, 30].flatMap((n) => [n, n * 60]).concat([3600, 7200, 10800, 21600, 43200])
  .concat([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((n) => n * 86400)).sort((a, b) => a - b);

export function shortDuration(seconds) {
  if (seconds === 0) return "0";
  for (const [size, name] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${Math.round((seconds / size) * 10) / 10} ${name}`;
  }
  return `${Math.round(seconds * 10) / 10} s`;
}

// An axis of values with three to five round steps, from nought up.
export function valueAxis(values, unit) {
  const top = Math.max(...values.filter((value) => value !== null), 0);
  const format = unit === "seconds" ? shortDuration : unit === "ratio" ? (v) => `${Math.round(v * 1000) / 10} %` : (v) => v.toLocaleString("en");
  if (unit === "ratio") {
    const step = [0.01, 0.02, 0.05, 0.1, 0.25].find((each) => top / each <= 4) ?? 0.25;
    return {format, ...steps(step, top || 0.04)};
  }
  if (unit === "seconds") {
    const high = top || 3600;
    return {format, ...steps(STEPS.find((each) => high / each <= 4) ?? high / 4, high)};
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(top, 1) / 4));
  const whole = [1, 2, 5, 10].map((n) => n * power).find((each) => top / each <= 4);
  return {format, ...steps(Math.max(whole, 1), top || 1)};
}

function steps(step, top) {
  const number = Math.max(Math.ceil(top / step - 1e-9), 1);
  return {ticks: Array.from({length: number + 1}, (_, i) => i * step), top: number * step};
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const month = (at) => MONTHS[at.getUTCMonth()];
const dayAndMonth = (at) => `${at.getUTCDate()} ${month(at)}`;
const monthAndYear = (at) => `${month(at)} ${at.getUTCFullYear()}`;

// A few dates below, as many as there is room for.
export function timeAxis(rows, width) {
  const most = Math.max(2, Math.min(6, Math.floor(width / 90)));
  const every = Math.max(1, Math.ceil(rows.length / most));
  const days = rows.length > 1 ? (rows[1].at - rows[0].at) / 864e5 : 1;
  const ticks = rows.filter((_, i) => i % every === 0).map((row) => row.at);
  const long = rows.length && rows.at(-1).at - rows[0].at > 300 * 864e5;
  return {ticks, tickFormat: long ? monthAndYear : days >= 28 ? month : dayAndMonth};
}

// What stands beside the pointer.
export function tipOf(rows, x, y, columns) {
  return Plot.tip(
    rows,
    Plot.pointerX({
      x,
      y,
      title: (row) => [row.label, ...row.texts.map((text, i) => `${columns[i + 1]}: ${text}`)].join("\n"),
      fill: "var(--raised)",
      stroke: "var(--line-strong)",
      textPadding: 10,
      lineHeight: 1.4,
      pathFilter: null,
    }),
  );
}

function frame(axis, time) {
  return [
    Plot.gridY(axis.ticks.slice(1), {stroke: "var(--line)", strokeOpacity: 1}),
    Plot.axisY(axis.ticks, {tickFormat: axis.format, tickSize: 0, label: null, tickPadding: 8}),
    Plot.axisX(time.ticks, {tickFormat: time.tickFormat, tickSize: 0, label: null, tickPadding: 8, textAnchor: "start"}),
    Plot.ruleY([0], {stroke: "var(--line-strong)"}),
  ];
}

function endOf(rows, i) {
  return rows[i].end ?? rows[i + 1]?.at ?? new Date(+rows[i].at + (i ? rows[i].at - rows[i - 1].at : 864e5));
}

// One bar for each bucket; a bucket without any is an empty place.
function bars(rows, {unit, columns, width}) {
  const axis = valueAxis(rows.map((row) => row.value), unit);
  const spans = rows.map((row, i) => ({...row, end: endOf(rows, i), middle: new Date((+row.at + +endOf(rows, i)) / 2)}));
  const inset = Math.min(2, (0.12 * width) / Math.max(rows.length, 1));
  return {
    y: {domain: [0, axis.top]},
    marks: [
      ...frame(axis, timeAxis(rows, width)),
      Plot.rectY(spans, {x1: "at", x2: "end", y: "value", fill: "var(--accent)", insetLeft: inset, insetRight: inset, rx: rows.length > 60 ? 0 : 2}),
      tipOf(spans, "middle", "value", columns),
    ],
  };
}

// A dot for each bucket that has a value, joined where nothing lies between them.
function dots(rows, {unit, columns, width}) {
  const axis = valueAxis(rows.map((row) => row.value), unit);
  // A value that is not known is NaN: null would be drawn as nought.
  const spans = rows.map((row, i) => ({...row, value: row.value ?? NaN, middle: new Date((+row.at + +endOf(rows, i)) / 2)}));
  const known = spans.filter((row) => !Number.isNaN(row.value));
  const ends = rows.length ? [rows[0].at, endOf(rows, rows.length - 1)] : undefined;
  return {
    x: {domain: ends},
    y: {domain: [0, axis.top]},
    marks: [
      ...frame(axis, timeAxis(rows, width)),
      Plot.areaY(spans, {x: "middle", y1: 0, y2: "value", fill: "var(--accent)", fillOpacity: 0.1}),
      Plot.lineY(spans, {x: "middle", y: "value", stroke: "var(--accent)", strokeWidth: 1.75}),
      Plot.dot(known, {x: "middle", y: "value", fill: "var(--accent)", r: rows.length > 120 ? 1.25 : rows.length > 40 ? 2 : 3}),
      tipOf(known, "middle", "value", columns),
    ],
  };
}

function draw(figure, width) {
  const options = kinds.get(figure.dataset.chart);
  const place = figure.querySelector(".plot");
  if (!options || width < 40 || place.classList.contains("nothing")) return;
  const columns = [...figure.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  const made = options(rowsOf(figure), {unit: figure.dataset.unit, columns, width, figure});
  const chart = Plot.plot({
    height: HEIGHT,
    marginTop: 12,
    marginRight: 8,
    marginBottom: 26,
    marginLeft: 48,
    className: "drawn",
    ...made,
    width,
    x: {type: "utc", ...made.x},
  });
  // Its own style sheet is against the policy; style.css has the same rules.
  for (const style of chart.querySelectorAll("style")) style.remove();
  chart.removeAttribute("style");
  // The place around it is an image with a name; what can be followed in a drawing makes it a group instead.
  for (const mark of chart.querySelectorAll("g[aria-label]")) {
    mark.dataset.mark = mark.getAttribute("aria-label");
    mark.removeAttribute("aria-label");
  }
  if (chart.querySelector("a")) place.setAttribute("role", "group");
  else chart.setAttribute("aria-hidden", "true");
  // Marks that are links stand in the table, too: there they are for keyboards and screen readers.
  if (chart.querySelector("a")) {
    place.removeAttribute("role");
    place.removeAttribute("aria-label");
    chart.setAttribute("aria-hidden", "true");
    for (const link of chart.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
  }
  place.replaceChildren(chart);
}

const IN_A_FRAME = 8; // ms; what is not drawn by then waits for the next, so that a click does not wait for all
const waiting = new Map(); // the width of each figure that is to be drawn, from the top of the page down

const resized = new ResizeObserver((entries) => {
  if (!waiting.size) requestAnimationFrame(drawSome);
  for (const {target, contentRect} of entries) waiting.set(target.closest("figure"), Math.floor(contentRect.width));
});

function drawSome() {
  const begun = performance.now();
  try {
    for (const [figure, width] of waiting) {
      waiting.delete(figure);
      if (drawn.get(figure) !== width) draw(figure, width);
      drawn.set(figure, width);
      if (performance.now() - begun > IN_A_FRAME) break;
    }
  } finally {
    if (waiting.size) requestAnimationFrame(drawSome);
  }
}

function watch(figure) {
  resized.observe(figure.querySelector(".plot"));
  for (const button of figure.querySelectorAll("[data-export]")) {
    if ("ready" in button.dataset) continue;
    if (button.dataset.export === "svg" && figure.querySelector(".plot.nothing")) continue;
    button.dataset.ready = "";
    button.addEventListener("click", () => (button.dataset.export === "svg" ? saveDrawing(figure) : saveTable(figure)));
  }
}

function redraw(figure) {
  const place = figure.querySelector(".plot");
  draw(figure, Math.floor(place.getBoundingClientRect().width));
}

const KEPT = ["fill", "stroke", "stroke-width", "stroke-opacity", "fill-opacity", "opacity", "font-family", "font-size", "font-weight", "text-anchor"];

const XLINK = "http://www.w3.org/1999/xlink";

// A drawing that stands by itself: its links lead back here, colours as they are seen now, a title, and no style sheet needed.
export function drawingOf(figure) {
  const chart = figure.querySelector(".plot svg");
  const copy = chart.cloneNode(true);
  const parts = [chart, ...chart.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((part, i) => {
    const seen = getComputedStyle(parts[i]);
    for (const name of KEPT) part.setAttribute(name, seen.getPropertyValue(name));
  });
  for (const link of copy.querySelectorAll("a")) {
    const href = link.getAttribute("href") ?? link.getAttributeNS(XLINK, "href");
    link.setAttributeNS(XLINK, "xlink:href", new URL(href, location.href).href);
  }
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = figure.dataset.title;
  copy.prepend(title, ground);
  return new XMLSerializer().serializeToString(copy);
}

function saveDrawing(figure) {
  if (!figure.querySelector(".plot svg")) redraw(figure); // it waits for its frame
  save(`${figure.id}.svg`, "image/svg+xml", drawingOf(figure));
}

// RFC 4180; a text that a spreadsheet would take for a formula is told as text.
export function tableOf(figure) {
  const quoted = (text) => {
    const told = /^[=+\-@\t]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\r\n]/.test(told) ? `"${told.replaceAll('"', '""')}"` : told;
  };
  const heads = [...figure.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  const lines = [...figure.querySelectorAll("tbody tr")].map((row) => [
    row.querySelector("time").dateTime,
    ...[...row.querySelectorAll("td")].map((cell) => cell.dataset.value ?? cell.textContent.trim()),
  ]);
  return [heads, ...lines].map((line) => line.map(quoted).join(",") + "\r\n").join("");
}

function saveTable(figure) {
  save(`${figure.id}.csv`, "text/csv", tableOf(figure));
}

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

register("bars", bars);
register("dots", dots);
