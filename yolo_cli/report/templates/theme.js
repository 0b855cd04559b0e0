"use strict";
(() => {
  // Light or dark: as the system says, until the reader chooses.
  const root = document.documentElement, button = document.getElementById("theme"), key = "yolo-cli-theme";
  const store = { get: () => { try { return localStorage.getItem(key); } catch { return null; } },
                  set: (value) => { try { localStorage.setItem(key, value); } catch { /* a file may not */ } } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", `Show the page in ${isDark() ? "light" : "dark"} colours`); };
  if (store.get()) root.dataset.theme = store.get();
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; store.set(root.dataset.theme); label(); });
  system.addEventListener("change", label);
  button.hidden = false;
  label();
})();
