"use strict";
// Unpacks Plotly, draws each chart in the palette of the theme, and draws it again when the theme changes.
(async () => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const places = [...document.querySelectorAll("[data-chart]")];
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const config = {
    displaylogo: false, responsive: true, displayModeBar: false,
    toImageButtonOptions: { format: "svg" },
  };
  const draw = () => Promise.all(places.map((place) => {
    const figure = figures[theme()][place.dataset.chart];
    return Plotly.react(place, figure.data, figure.layout, config);
  }));
  const unpack = async (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  const run = (code) => {
    const script = document.createElement("script");
    script.textContent = code;
    document.head.append(script);
  };
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    if (window.Plotly) draw();
  });
  dark.addEventListener("change", () => window.Plotly && draw());
  try {
    run(await unpack("plotly"));
    await draw();
    root.dataset.drawn = places.length;
  } catch (error) {
    root.dataset.failed = error;
    for (const place of places) {
      place.classList.add("failed");
      place.textContent = "This chart could not be drawn (" + error + "); its figures are in the tables below.";
    }
  }
})();
