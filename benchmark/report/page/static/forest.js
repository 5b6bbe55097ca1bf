// Pooled value with its interval and where the next hospital is expected, on one scale for all rows.
function forest(metric, pooled, dots) {
  const from = metric === "auroc" ? 5000 : 0;
  const at = (units) => (120 * (Math.max(units, from) - from)) / (10000 - from) + 4;
  const known = (...all) => all.every((one) => one !== null && one !== undefined);
  const [value, low, high, farLow, farHigh] = pooled ?? [];
  const line = (x1, x2, name) => svg("line", { x1: at(x1), x2: at(x2), y1: 11, y2: 11, class: name });
  return svg("svg", { class: "forest", viewBox: "0 0 128 22", width: 128, height: 22, "aria-hidden": "true" },
    svg("line", { x1: 4, x2: 124, y1: 21, y2: 21, class: "axis" }),
    dots.map((units) => svg("circle", { cx: at(units), cy: 11, r: 2.2, class: "dot" })),
    known(farLow, farHigh) && line(farLow, farHigh, "prediction") || null,
    known(low, high) && line(low, high, "interval") || null,
    known(value) && svg("rect", { x: at(value) - 3.5, y: 7.5, width: 7, height: 7, class: "pooled" }) || null);
}
