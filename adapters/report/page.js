"use strict";
// Unpacks Plotly, draws each chart for the theme and the width, and draws it again when one of them changes.
(async () => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 699px)");
  const theme = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const places = [...document.querySelectorAll("[data-chart]")];
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const config = {
    displaylogo: false, responsive: true, displayModeBar: false,
    toImageButtonOptions: { format: "svg" },
  };
  const draw = async () => {
    const [colours, width] = [theme(), narrow.matches ? "narrow" : "wide"];
    await Promise.all(places.map(async (place) => {
      const figure = figures[colours][width][place.dataset.chart];
      place.style.height = figure.layout.height + "px";
      await Plotly.react(place, figure.data, figure.layout, config);
      await Plotly.Plots.resize(place); // a figure drawn anew keeps the width of the one before
    }));
    root.dataset.shown = colours + " " + width;
  };
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
  for (const query of [dark, narrow]) query.addEventListener("change", () => window.Plotly && draw());
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
