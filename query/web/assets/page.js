// What every page has: the theme's switch, forms whose empty fields stay out of the address, and that something is
// under way.

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

const button = document.getElementById("theme");
const tell = () => button.setAttribute("aria-pressed", String(isDark()));
button.hidden = false;
tell();
system.addEventListener("change", tell);
button.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // Then it holds for this page only.
  }
  tell();
});

// What was asked for takes its time: that is to be seen at once, and what changes something is not sent twice.
const PATIENCE = 10_000; // ms after which whoever has stopped it may go on here
const main = document.querySelector("main");
const rest = () => main.removeAttribute("aria-busy");
document.addEventListener("submit", (event) => {
  if (event.target.method === "post" && main.hasAttribute("aria-busy")) event.preventDefault();
  main.setAttribute("aria-busy", "true");
  setTimeout(rest, PATIENCE);
});
addEventListener("pageshow", rest);

for (const form of document.querySelectorAll("form[method=get]")) {
  form.addEventListener("formdata", ({formData}) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}
