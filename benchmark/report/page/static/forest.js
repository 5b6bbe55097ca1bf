// Where a value is on the scale of all forests; what is below it stands at its end, a line with a head that points there.
const scaleFrom = (metric) => (metric === "auroc" ? 5000 : 0);
const forestAt = (metric, units) => (120 * (Math.max(units, scaleFrom(metric)) - scaleFrom(metric))) / (10000 - scaleFrom(metric)) + 4;

// The scale itself, for the head of a column.
const scaledHead = (scale, text) => el("th", { scope: "col", "data-name": text }, scale, text);
function forestScale(metric) {
  const marks = [scaleFrom(metric), (scaleFrom(metric) + 10000) / 2, 10000];
  return svg("svg", { class: "forest", viewBox: "0 0 128 12", width: 128, height: 12, "aria-hidden": "true" },
    marks.map((mark, at) => svg("text", { x: forestAt(metric, mark), y: 10, "text-anchor": ["start", "middle", "end"][at] }, (mark / 10000).toFixed(2))));
}

// Pooled value with its interval and where the next hospital is expected, on one scale for all rows.
function forest(metric, pooled, dots) {
  const at = (units) => forestAt(metric, units);
  const known = (...all) => all.every((one) => one !== null && one !== undefined);
  const [value, low, high, farLow, farHigh] = pooled ?? [];
  const line = (x1, x2, name) => svg("line", { x1: at(x1), x2: at(x2), y1: 11, y2: 11, class: name });
  return svg("svg", { class: "forest", viewBox: "0 0 128 22", width: 128, height: 22, "aria-hidden": "true" },
    svg("line", { x1: 4, x2: 124, y1: 21, y2: 21, class: "axis" }),
    known(farLow, farHigh) && line(farLow, farHigh, "prediction") || null,
    known(low, high) && line(low, high, "interval") || null,
    [low, farLow].some((end) => known(end) && end < scaleFrom(metric)) && svg("path", { d: "M5 7 L1 11 L5 15", class: "further" }) || null,
    dots.map((units) => svg("circle", { cx: at(units), cy: 11, r: 2.2, class: "dot" })),
    known(value) && svg("rect", { x: at(value) - 3.5, y: 7.5, width: 7, height: 7, class: "pooled" }) || null);
}
