// The two charts of a service's page. Their marks are links, so that they open what they stand for; whoever uses a
// keyboard or a screen reader finds the same links in the table of each chart and in the lists below.

import {register, shortDuration, valueAxis} from "./charts.js";
import * as Plot from "./vendor/plot.js";

const scale = JSON.parse(document.getElementById("scale").textContent);
const domain = [new Date(scale.from), new Date(scale.to)];
const days = scale.ticks.map(([at, told]) => [new Date(at), told]);

// Kinds in the order of query/timeline.py; each has a shape and a lane of its own, so that colour is never the only sign.
const KINDS = [
  {name: "Deployed", colour: "var(--good)", symbol: "circle", lane: "Deployed"},
  {name: "Failed", colour: "var(--bad)", symbol: "triangle", lane: "Failed"},
  {name: "Rollback", colour: "var(--doubt)", symbol: "square", lane: "Rollbacks"},
  {name: "Not counted", colour: "var(--soft)", symbol: "times", lane: "Not counted"},
];
const INCIDENT = KINDS.length;
const MARGIN = 84;
const BESIDE = 62; // right of the durations, for the names of their percentiles: on the dots nobody could read them

function timeAxis(width) {
  const every = Math.ceil(days.length / Math.max(2, Math.floor((width - MARGIN) / 72)));
  const shown = days.filter((_, i) => i % every === 0);
  const told = new Map(shown.map(([at, text]) => [+at, text]));
  return Plot.axisX(shown.map(([at]) => at), {tickFormat: (at) => told.get(+at), tickSize: 0, label: null, tickPadding: 8, textAnchor: "start"});
}

function tip(rows, x, y, columns, inner = (row) => row.texts) {
  const title = (row) => [row.label, ...inner(row).map((text, i) => `${columns[i + 1]}: ${text.slice(0, 120)}`)].join("\n");
  return Plot.tip(rows, Plot.pointer({x, y, title, fill: "var(--raised)", stroke: "var(--line-strong)", textPadding: 10, lineHeight: 1.4, pathFilter: null}));
}

const lanes = ["Deployed", "Failed", "Rollbacks", "Incidents", "Not counted"];

// Each kind in a lane of its own.
function timeline(rows, {columns, width}) {
  const incidents = rows
    .filter((row) => row.value === INCIDENT)
    .map((row) => ({...row, lane: "Incidents", begin: new Date(Math.max(row.at, domain[0])), end: new Date(Math.min(row.end ?? domain[1], domain[1]))}));
  const marks = rows.filter((row) => row.value !== INCIDENT).map((row) => ({...row, ...KINDS[row.value]}));
  return {
    height: 210,
    marginLeft: MARGIN,
    marginRight: 12,
    x: {domain},
    y: {domain: lanes, type: "point", padding: 0.6},
    marks: [
      Plot.ruleY(lanes, {stroke: "var(--line)"}),
      Plot.axisY(lanes, {tickSize: 0, label: null, tickPadding: 10}),
      timeAxis(width),
      Plot.ruleY(incidents, {y: "lane", x1: "begin", x2: "end", stroke: "var(--bad)", strokeWidth: 5, strokeLinecap: "round", href: "href"}),
      Plot.dot(incidents, {y: "lane", x: "begin", fill: "var(--bad)", r: 4, symbol: "diamond", href: "href"}),
      ...KINDS.map((kind) =>
        Plot.dot(marks.filter((row) => row.name === kind.name), {x: "at", y: "lane", symbol: kind.symbol, r: 4.5, fill: kind.symbol === "times" ? "none" : kind.colour, stroke: kind.symbol === "times" ? kind.colour : "var(--raised)", strokeWidth: kind.symbol === "times" ? 1.5 : 0.75, href: "href"}),
      ),
      tip([...marks, ...incidents.map((row) => ({...row, at: row.begin}))], "at", "lane", columns),
    ],
  };
}

// Half of what stands between two buckets: where they are narrow, less than a pixel.
function insetOf({at, end}, width) {
  return Math.min(0.5, ((width - MARGIN) * (end - at)) / (domain[1] - domain[0]) / 10);
}

// The same counted by days, weeks or months: one stack for each.
function parts(rows, {columns, width}) {
  const order = [0, 1, 2, 3];
  const stacks = rows.flatMap((row) => order.map((i) => ({...row, kind: KINDS[i], i, number: row.values[i]})).filter((part) => part.number));
  const tops = rows.map((row) => ({...row, top: row.values.reduce((sum, value) => sum + value, 0), middle: new Date((+row.at + +row.end) / 2)}));
  const inset = insetOf(rows[0], width);
  const axis = valueAxis(tops.map((row) => row.top), "deployments");
  return {
    height: 210,
    marginLeft: MARGIN - 30,
    marginRight: 12,
    x: {domain},
    y: {domain: [0, axis.top]},
    marks: [
      Plot.gridY(axis.ticks.slice(1), {stroke: "var(--line)", strokeOpacity: 1}),
      Plot.axisY(axis.ticks, {tickFormat: axis.format, tickSize: 0, label: null, tickPadding: 8}),
      timeAxis(width),
      Plot.rectY(stacks, {x1: "at", x2: "end", y: "number", fill: (part) => part.kind.colour, fillOpacity: 0.85, order: "i", insetLeft: inset, insetRight: inset, href: "href"}),
      Plot.ruleY([0], {stroke: "var(--line-strong)"}),
      tip(tops, "middle", "top", columns),
    ],
  };
}

const STEPS = [1, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 180 * 86400];

// Seconds from nought to half a year need a scale by magnitude. Below the first step lies everything faster.
function durations(values, width) {
  const known = values.filter((value) => value > 0);
  const low = STEPS.findLast((step) => step <= Math.min(...known, 3600)) ?? 1;
  const high = STEPS.find((step) => step >= Math.max(...known, 60)) ?? Math.max(...known);
  const ticks = STEPS.filter((step) => step >= low && step <= high);
  return {
    low,
    scale: {type: "log", domain: [low, Math.max(high, low * 10)], clamp: true, axis: null},
    marks: [
      Plot.gridY(ticks, {stroke: "var(--line)", strokeOpacity: 1}),
      // An axis of magnitudes would name powers of ten alone.
      Plot.text(ticks, {x: domain[0], y: (step) => step, text: shortDuration, textAnchor: "end", dx: -8}),
      timeAxis(width),
    ],
  };
}

function percentiles() {
  const told = document.getElementById("percentiles").dataset;
  const lines = [["p50", told.p50, "none"], ["p90", told.p90, "5 4"]].filter(([, value]) => Number(value) > 0).map(([name, value, dash]) => ({name, value: Number(value), dash}));
  return lines.flatMap((line) => [
    Plot.ruleY([line], {y: "value", stroke: "var(--ink)", strokeOpacity: 0.65, strokeDasharray: line.dash}),
    Plot.text([line], {y: "value", x: domain[1], text: (each) => `${each.name} ${shortDuration(each.value)}`, textAnchor: "start", dx: 6}),
  ]);
}

// Durations over the time that was chosen.
function drawn(axis, marks) {
  return {height: 240, marginLeft: MARGIN - 30, marginRight: BESIDE, x: {domain}, y: axis.scale, marks: [...axis.marks, ...marks]};
}

// One dot for each change, by the deployment that brought it.
function scatter(rows, {columns, width}) {
  const axis = durations(rows.map((row) => row.value), width);
  const dots = rows.map((row) => ({...row, seconds: Math.max(row.value, axis.low)}));
  return drawn(axis, [
    Plot.dot(dots, {x: "at", y: "seconds", r: 4, fill: "var(--accent)", fillOpacity: 0.55, stroke: "var(--accent)", href: "href"}),
    ...percentiles(),
    tip(dots, "at", "seconds", columns),
  ]);
}

// Too many dots: cells of time and duration, the darker the more changes they hold.
function density(rows, {columns, width}) {
  const axis = durations(rows.flatMap((row) => [row.values[0], row.values[2] ?? row.values[0] * 2]), width);
  const most = Math.max(...rows.map((row) => row.values[1]), 1);
  const inset = insetOf(rows[0], width);
  const cells = rows.map((row) => ({
    ...row,
    low: Math.max(row.values[0], axis.low),
    high: row.values[2] ?? axis.scale.domain[1],
    share: 0.18 + 0.82 * Math.sqrt(row.values[1] / most),
    middle: new Date((+row.at + +row.end) / 2),
  })).filter((cell) => cell.high > cell.low);
  return drawn(axis, [
    Plot.rectY(cells, {x1: "at", x2: "end", y1: "low", y2: "high", fill: "var(--accent)", fillOpacity: "share", inset, href: "href"}),
    ...percentiles(),
    tip(cells, "middle", "high", columns),
  ]);
}

for (const [kind, draw] of Object.entries({timeline, parts, scatter, density})) register(kind, draw);
