// Dark or light: her choice if she made one, else the system's. A classic script, run before the first paint.
(() => {
  const KEY = "phoenix.theme";
  const root = document.documentElement;
  const systemIsLight = matchMedia("(prefers-color-scheme: light)");

  function chosen() {
    try { return localStorage.getItem(KEY); } catch { return null; } // storage may be forbidden
  }

  function show() {
    const choice = chosen();
    if (choice) root.dataset.theme = choice;
    root.dataset.shownTheme = choice ?? (systemIsLight.matches ? "light" : "dark");
  }

  function toggle() {
    const next = root.dataset.shownTheme === "light" ? "dark" : "light";
    try { localStorage.setItem(KEY, next); } catch { root.dataset.theme = next; }
    show();
  }

  show();
  systemIsLight.addEventListener("change", show);
  document.addEventListener("click", event => {
    if (event.target.closest("[data-theme-toggle]")) toggle();
  });
})();
