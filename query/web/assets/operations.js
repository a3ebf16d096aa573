// Fetches the page again now and then, and puts in what has changed. What somebody is in, or has chosen
// something in, stays as it is.

const EVERY = 3000; // ms

const isInUse = (part) =>
  part.contains(document.activeElement) || part.querySelector("input:checked, details[open]") !== null ||
  [...part.querySelectorAll("input[type=password]")].some((field) => field.value !== "");

async function renew() {
  if (document.hidden) return;
  const answer = await fetch("/ops", {headers: {Accept: "text/html"}});
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live], #as-of")) {
    const now = page.getElementById(part.id);
    if (now !== null && !isInUse(part) && now.innerHTML !== part.innerHTML) part.replaceChildren(...now.childNodes);
  }
}

async function goOn() {
  try {
    await renew();
  } catch {
    // Not to be reached now: the page says as of when it is.
  }
  setTimeout(goOn, EVERY);
}
setTimeout(goOn, EVERY);
