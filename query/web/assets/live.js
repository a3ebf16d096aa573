// Events as they arrive. What comes is kept, at most as many as are shown, and drawn a few times a second in one
// go; the list holds still while somebody is in it. A position says where to go on, so that nothing is left out
// by a broken connection: what was not drawn is counted.

const list = document.getElementById("events");
const template = document.getElementById("row").content.firstElementChild;
const pause = document.getElementById("pause");
const at = {state: "state", count: "count", summary: "summary", notice: "notice", nothing: "nothing"};
for (const name of Object.keys(at)) at[name] = document.getElementById(name);

const MOST = Number(list.dataset.shown);
const BETWEEN = 250; // ms between two drawings at least
const SHARE = 8; // and so many times what a drawing takes: it has to leave time for whoever clicks
const SAID_EVERY = 5000; // ms between two sentences of a screen reader
const LONGEST_PAUSE = 15000; // ms before another attempt to connect
const TONES = {mapped: "good", ignored: "none", unmapped: "doubt", dead: "bad"};
const clock = new Intl.DateTimeFormat("en-GB", {timeStyle: "medium", timeZone: list.dataset.zone});
const number = new Intl.NumberFormat("en-GB");

const rows = new Map(); // of what is shown, by source and id
for (const row of list.rows) {
  const query = new URLSearchParams(row.querySelector(".type").search);
  row.dataset.key = keyOf({source: query.get("source"), id: query.get("id")});
  rows.set(row.dataset.key, row);
  const time = row.querySelector("time");
  time.textContent = clock.format(new Date(time.dateTime));
}

let after = list.dataset.after;
let source = null;
let paused = false;
let wait = 500;
let waiting = []; // data of events, the latest last
let told = 0;
let passed = 0; // told and never drawn
let drawnAt = 0;
let rest = BETWEEN;
let planned = false;
let sinceSaid = {events: 0, dead: 0, unmapped: 0};

function keyOf({source, id}) {
  return `${source}\n${id}`;
}

function connect() {
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of [...asked]) if (value === "") asked.delete(name);
  asked.set("after", after);
  source = new EventSource(`/v1/stream?${asked}`);
  source.onopen = () => {
    wait = 500;
    say();
  };
  source.onerror = () => {
    say();
    if (source.readyState !== EventSource.CLOSED) return; // it connects again by itself
    const lost = source;
    setTimeout(() => source === lost && !paused && connect(), wait);
    wait = Math.min(wait * 2, LONGEST_PAUSE);
  };
  source.addEventListener("cloudevent", (event) => {
    after = event.lastEventId;
    told += 1;
    waiting.push(event.data);
    if (waiting.length > MOST) {
      waiting.shift();
      passed += 1;
    }
    plan();
  });
  source.addEventListener("position", (event) => {
    after = event.lastEventId;
    trouble(JSON.parse(event.data).trouble);
  });
  source.addEventListener("trouble", (event) => trouble(JSON.parse(event.data).trouble));
  source.addEventListener("gap", (event) => notice(JSON.parse(event.data).detail));
  source.addEventListener("recomputed", () =>
    notice("All events were looked at anew: what is shown may have another fate by now. Reload the page to see it."),
  );
}

function say() {
  if (paused) at.state.textContent = "Paused; nothing is left out";
  else if (source.readyState === EventSource.OPEN) at.state.textContent = holding() ? "Holding still while you are in the list" : "Following";
  else at.state.textContent = "Connection lost; trying again";
  at.state.dataset.state = paused ? "paused" : ["connecting", "open", "closed"][source.readyState];
}

function trouble(text) {
  if (text) notice(text);
  else if (at.notice.dataset.passing) at.notice.hidden = true;
  at.notice.dataset.passing = text ? "true" : "";
}

function notice(text) {
  at.notice.textContent = text;
  at.notice.hidden = false;
}

const holding = () => list.matches(":hover") || list.contains(document.activeElement);

function plan() {
  if (planned) return;
  planned = true;
  setTimeout(() => requestAnimationFrame(draw), Math.max(0, drawnAt + rest - performance.now()));
}

function draw() {
  planned = false;
  drawnAt = performance.now();
  say();
  if (holding()) {
    count();
    return;
  }
  const made = document.createDocumentFragment();
  for (const data of waiting) {
    const event = JSON.parse(data);
    const key = keyOf(event);
    const known = rows.get(key);
    const row = fill(known ?? template.cloneNode(true), event);
    sinceSaid.events += 1;
    if (event.fate in sinceSaid) sinceSaid[event.fate] += 1;
    row.classList.toggle("again", known !== undefined);
    row.dataset.key = key;
    if (known === undefined || known.parentNode === made) made.prepend(row);
    rows.set(key, row);
  }
  waiting = [];
  list.prepend(made);
  while (list.rows.length > MOST) {
    const last = list.rows[list.rows.length - 1];
    rows.delete(last.dataset.key);
    last.remove();
  }
  at.nothing.hidden = list.rows.length > 0;
  count();
  void list.offsetHeight; // laid out now, so that it is part of what drawing takes
  const ended = performance.now();
  rest = Math.max(BETWEEN, SHARE * (ended - drawnAt));
  drawnAt = ended;
}

function count() {
  const held = waiting.length ? ` ${number.format(waiting.length)} wait to be shown.` : "";
  const left = passed ? ` ${number.format(passed)} came too fast to be shown here; the REST API lists them.` : "";
  at.count.textContent = told ? `${number.format(told)} since you came; the latest ${number.format(MOST)} are shown.${held}${left}` : "";
  at.count.dataset.told = told;
}

// Only ever text: what stands in an event was written by whoever sent it.
function fill(row, event) {
  const page = (url) => url.replace("/v1/events?", "/event?");
  const put = (selector, text, most) => {
    row.querySelector(selector).textContent = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  };
  const time = row.querySelector("time");
  time.dateTime = event.received_at;
  time.textContent = clock.format(new Date(event.received_at));
  row.querySelector(".type").href = page(event.url);
  put(".type bdi", event.type, 120);
  put(".from bdi", event.source, 200);
  put(".subject bdi", event.subject ?? "", 200);
  put(".reason bdi", event.reason ?? "", 300);
  const badge = row.querySelector(".badge");
  badge.className = `badge ${TONES[event.fate]}`;
  badge.textContent = event.fate[0].toUpperCase() + event.fate.slice(1);
  const became = event.cdevents.slice(0, 8).map((cdevent) => {
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    link.href = page(cdevent.url);
    link.appendChild(document.createElement("bdi")).textContent = cdevent.type.slice(0, 120);
    return item;
  });
  row.querySelector(".became ul").replaceChildren(...became);
  const more = event.cdevents.length - became.length;
  const rule = event.rule ? `rule ${event.rule.slice(0, 80)}` : "";
  row.querySelector(".rule").textContent = [more > 0 ? `${more} more` : "", rule].filter(Boolean).join(" · ");
  return row;
}

pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.textContent = paused ? "Continue" : "Pause";
  if (paused) source.close();
  else connect();
  say();
});
for (const kind of ["pointerleave", "focusout"]) {
  list.addEventListener(kind, () => waiting.length && plan());
}
list.addEventListener("focusin", say);
addEventListener("pagehide", () => source.close());
addEventListener("pageshow", (event) => event.persisted && !paused && connect());

// One sentence now and then, and not every row.
setInterval(() => {
  const {events, dead, unmapped} = sinceSaid;
  sinceSaid = {events: 0, dead: 0, unmapped: 0};
  if (!events) return;
  const further = [dead && `${number.format(dead)} dead`, unmapped && `${number.format(unmapped)} unmapped`].filter(Boolean);
  at.summary.textContent = `${number.format(events)} new events${further.length ? `, ${further.join(", ")}` : ""}`;
}, SAID_EVERY);

connect();
say();
