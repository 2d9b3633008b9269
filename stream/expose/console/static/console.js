// Draws the charts of a page: each <figure data-chart="id"> from the JSON block of that id. Everything else works without it.
"use strict";

(function () {
  const HEIGHT = 270;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function number(value) {
    return value === null || value === undefined ? "–" : String(Number(value.toPrecision(4)));
  }

  function moment(seconds) {
    return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
  }

  // Each distinct threshold of the lines that are shown, dashed.
  function thresholds(plot, lines) {
    const shown = lines.filter((line, at) => plot.series[at + 1].show && line.threshold !== null);
    const context = plot.ctx;
    const box = plot.bbox;
    context.save();
    context.strokeStyle = colour("limit");
    context.setLineDash([5, 5]);
    for (const level of new Set(shown.map((line) => line.threshold))) {
      const y = Math.round(plot.valToPos(level, "y", true)) + 0.5;
      if (y >= box.top && y <= box.top + box.height) {
        context.beginPath();
        context.moveTo(box.left, y);
        context.lineTo(box.left + box.width, y);
        context.stroke();
      }
    }
    context.restore();
  }

  // From zero to a little above what is shown; a threshold far above it does not flatten the lines.
  function range(lines) {
    return function (plot, low, high) {
      const near = lines
        .filter((line, at) => plot.series[at + 1].show && line.threshold !== null && line.threshold < 4 * high)
        .map((line) => line.threshold);
      const top = Math.max(high || 0, ...near);
      return [Math.min(0, low || 0), top > 0 ? top * 1.08 : 1];
    };
  }

  function axis(extra) {
    return Object.assign(
      { stroke: colour("soft"), font: "11px system-ui, sans-serif", grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } },
      extra,
    );
  }

  // Dates as on the rest of the page: days where the marks are days apart, else hours, with the day under its first one.
  function dates(plot, marks, axis, space, apart) {
    const written = marks.map(moment);
    return written.map((text, at) => {
      const day = text.slice(0, 10);
      if (apart >= 86400) return day;
      return at && written[at - 1].startsWith(day) ? text.slice(11) : text.slice(11) + "\n" + day;
    });
  }

  function options(data, figure, width) {
    const lines = data.series.map((line, at) => ({
      label: line.name,
      show: box(figure, at) ? box(figure, at).checked : true,
      stroke: colour("c" + (at % 10)),
      width: 1.6,
      points: { show: data.times.length < 40, size: 4 },
    }));
    return {
      width: width,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      padding: [null, 32, null, null], // room for the last date
      legend: { show: false },
      cursor: { drag: { x: true, y: false }, points: { size: 7 } },
      scales: { y: { range: range(data.series) } },
      axes: [axis({ size: 40, space: 90, values: dates }), axis({ size: 46 })],
      series: [{}].concat(lines),
      hooks: { draw: [(plot) => thresholds(plot, data.series)], setCursor: [(plot) => read(plot, data, figure)] },
    };
  }

  function box(figure, at) {
    return figure.querySelector('input[data-series="' + (at + 1) + '"]');
  }

  // What lies under the cursor, in words; the newest values where it is nowhere.
  function read(plot, data, figure) {
    const under = plot.cursor.idx;
    const at = under === null || under === undefined ? data.times.length - 1 : under;
    const values = data.series
      .map((line, index) => ({ name: line.name, value: line.values[at], shown: plot.series[index + 1].show }))
      .filter((line) => line.shown && line.value !== null)
      .sort((one, other) => other.value - one.value)
      .map((line) => (data.series.length > 1 ? line.name + " " : "") + number(line.value));
    figure.querySelector(".readout").textContent = moment(data.times[at]) + ": " + (values.join(" · ") || "–") + (data.unit === "%" ? " %" : "");
  }

  function step(plot, data, by) {
    const held = plot.cursor.idx;
    const start = held === null || held === undefined ? data.times.length - 1 : held;
    const at = Math.min(data.times.length - 1, Math.max(0, start + by));
    plot.setCursor({ left: plot.valToPos(data.times[at], "x"), top: plot.bbox.height / 4 });
  }

  function draw(figure) {
    const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const place = figure.querySelector(".plot");
    const columns = [data.times].concat(data.series.map((line) => line.values));
    let plot = null;

    function make() {
      if (plot) plot.destroy();
      plot = new uPlot(options(data, figure, place.clientWidth), columns, place);
      read(plot, data, figure);
    }

    make();
    dark.addEventListener("change", make);
    new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
    data.series.forEach((line, at) => {
      const input = box(figure, at);
      if (!input) return;
      input.addEventListener("change", () => {
        plot.setSeries(at + 1, { show: input.checked });
        read(plot, data, figure);
      });
    });
    place.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
      if (by) {
        event.preventDefault();
        step(plot, data, by);
      }
    });
  }

  document.querySelectorAll("figure[data-chart]").forEach(draw);
})();
