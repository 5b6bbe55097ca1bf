// How numbers are written. Values come as whole numbers of 0.0001 that round to the three decimals of the tables.
const DASH = "–";
const METRICS = { __proto__: null, auroc: "AUROC", auprc: "AUPRC" };

function number(units) {
  if (units === null || units === undefined) return DASH;
  const shown = Math.floor((units + 5) / 10);
  if (shown === 0 && units > 0) return "<0.001";
  return (shown < 0 ? "−" : "") + (Math.abs(shown) / 1000).toFixed(3);
}

// Three decimals as the tables round them: where two are equally near, which is so of odd sixteenths, the even one.
function decimals(value) {
  const below = Math.floor(1000 * value);
  return (16 * value) % 2 === 1 ? ((below + (below % 2)) / 1000).toFixed(3) : value.toFixed(3);
}

// A difference: with its sign, and without a negative zero.
function signed(units) {
  if (units === null || units === undefined) return DASH;
  const shown = Math.floor((units + 5) / 10);
  return (shown > 0 ? "+" : shown < 0 ? "−" : "") + (Math.abs(shown) / 1000).toFixed(3);
}

const ends = (low, high, write = number) =>
  low === null || low === undefined ? `[${DASH}]` : `[${write(low)}, ${write(high)}]`;

const interval = ([value, low, high], write = number) =>
  value === null || value === undefined ? DASH : `${write(value)} ${ends(low, high, write)}`;

const count = (value) => value.toLocaleString("en-US");
const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : DASH);

// Steps of the colour scale, by the value in units: finer where models differ. Below the first is less than chance.
const STEPS = {
  auroc: [5000, 6000, 7000, 7500, 8000, 8500, 9000, 9250, 9500, 9750],
  auprc: [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000],
};
const step = (metric, units) => STEPS[metric].filter((from) => units >= from).length;
