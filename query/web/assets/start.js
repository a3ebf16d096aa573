// While the samples are played: says how many were sent, and opens the overview once all have become deployments.

const told = document.querySelector("#playing span");
let before = -1;

async function look() {
  const answer = await fetch("/samples", {headers: {accept: "application/json"}}).catch(() => null);
  if (answer?.ok) {
    const {playing, sent, failure, deployments} = await answer.json();
    if (told) told.textContent = `${sent.toLocaleString("en").replaceAll(",", "\u202f")} events sent …`;
    if (failure || (!playing && deployments > 0 && deployments === before)) {
      location.replace("/");
      return;
    }
    before = deployments;
  }
  setTimeout(look, 1000);
}

if (told) look();
