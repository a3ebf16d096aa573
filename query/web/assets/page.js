// What every page has: the theme's switch, and forms whose empty fields stay out of the address.

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

for (const form of document.querySelectorAll("form[method=get]")) {
  form.addEventListener("formdata", ({formData}) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}
