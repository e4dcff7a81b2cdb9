// Mounts the course's player on each saved trace, when it comes near the window. No kernel, no network.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");

  /** The player asks JupyterLab's attribute for the theme; here it follows the site's. */
  function followTheme() {
    const { theme } = document.body.dataset;
    const isDark = theme === "dark" || (theme !== "light" && dark.matches);
    document.body.dataset.jpThemeLight = String(!isDark);
  }

  /** What the player reads of a widget: its state, and who hears of changes (nobody, here). */
  function modelOf(state) {
    return { get: (key) => state[key], set() {}, on() {}, off() {}, save_changes() {} };
  }

  function mount(place) {
    const state = JSON.parse(place.querySelector("script").textContent);
    const here = document.createElement("div");
    place.replaceChildren(here);
    window.courseAnswersPlayer.render({ model: modelOf({ dimmed: false, ...state }), el: here });
    place.style.minHeight = "";
  }

  function start() {
    followTheme();
    dark.addEventListener("change", followTheme);
    new MutationObserver(followTheme).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
    const near = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        mount(target);
      }
    }, { rootMargin: "600px" });
    document.querySelectorAll(".atr-live").forEach((place) => near.observe(place));
  }

  document.addEventListener("DOMContentLoaded", start);
})();
