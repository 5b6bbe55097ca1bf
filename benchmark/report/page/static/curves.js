// ROC, precision-recall and reliability of one concept on each cohort.
const CURVES = ["curve", "calls", "bins", "calibration"];

// Concepts that have details for a model on cohorts, those of most cohorts first.
function detailedConcepts(entry, cohorts) {
  const places = cohorts.map((cohort) => data.cells.indexOf(cellOf(entry, cohort)));
  return Object.entries(data.details.concepts).map(([concept, { cells: there }]) => [Number(concept), places.filter((place) => there.includes(place)).length])
    .filter(([, there]) => there).sort(([, one], [, other]) => other - one).map(([concept]) => concept);
}
const unfoldedDetails = new Map();
function detailOfCell(cell, concept) {
  const folded = data.details.concepts[concept];
  if (folded && !unfoldedDetails.has(concept)) unfoldedDetails.set(concept, ofCells(folded));
  return unfoldedDetails.get(concept)?.[data.cells.indexOf(cell)];
}
const detailOf = (entry, cohort, concept) => detailOfCell(cellOf(entry, cohort), concept);

// Points of a curve: [threshold, true positives, false positives], from nothing called to everything.
function pointsOf(steps) {
  const points = [];
  let [tp, fp] = [0, 0];
  for (let at = 0; at < steps.length; at += 3) points.push([steps[at], (tp += steps[at + 1]), (fp += steps[at + 2])]);
  return { points, positives: tp, negatives: fp };
}

// Those who gave calls, not scores, for the same records: people who read them, mostly.
function readersOf(cell, concept) {
  const same = (other) => other !== cell && other.cohort === cell.cohort && other.population === cell.population;
  return data.cells.filter(same).map((other) => ({ entry: other.entry, call: detailOfCell(other, concept)?.calls?.["as called"] })).filter(({ call }) => call);
}

function curvesOf(entry, cohorts, concept, simulated) {
  const panels = cohorts.map((cohort) => curvePanel(entry, cohort, concept, simulated)).filter(Boolean);
  const why = reasons("No curves on", cohorts.map((cohort) => [cohort, whyNoCurve(cohort, data.cells.indexOf(cellOf(entry, cohort)))]));
  const left = data.details.left_out.map((one) => data.concepts[one][0]);
  return [
    panels.length ? el("div", { class: cohorts.some((cohort) => detailOf(entry, cohort, concept)?.bins) ? "panels three" : "panels" }, panels) : el("p", {}, "No curve of this concept can be drawn here."),
    why,
    el("p", { class: "rules" }, "A square is the model at a threshold chosen on its source's validation fold, a diamond one that gave calls in place of scores for the same records, such as a reader. With the band and every threshold: ",
      el("code", {}, ["leadboard report RUN ", "--figure roc ", `--model ${data.entries[entry].model} `, "--cohort COHORT ", `--concept ${data.concepts[concept][0]}`].map((part) => el("span", {}, part)))),
    left.length ? behindIt(`${plural(left.length, "concept")} left out of this page for its size`, el("p", {}, `Those measured on fewest cohorts have no curves, calls or subgroups here: ${left.join(", ")}. The command above draws them, and the tables have their numbers.`)) : "",
  ];
}

// Why something is missing on cohorts: each reason once, with all cohorts that it holds for.
function reasons(what, pairs) {
  const found = new Map();
  for (const [cohort, said] of pairs) if (said) found.set(said, [...(found.get(said) ?? []), cohortName(cohort)]);
  return found.size ? el("p", { class: "rules" }, [...found].map(([said, names]) => `${what} ${names.join(", ")}: ${said}.`).join(" ")) : "";
}

// Why a cell has no curves; a reason that begins with the name of its cohort is said without, for all of them at once.
function whyNoCurve(cohort, cell) {
  const [said] = Object.entries(data.details.no_curves).find(([, cells]) => cells.includes(cell)) ?? [];
  const name = `${data.cohorts[cohort].id} is `;
  return said?.startsWith(name) ? said.slice(name.length) : said;
}

function curvePanel(entry, cohort, concept, simulated) {
  const cell = cellOf(entry, cohort);
  const detail = detailOf(entry, cohort, concept);
  if (!detail || !CURVES.some((part) => detail[part])) return null;
  const [auroc, auprc] = ["auroc", "auprc"].map((metric) => reading(cell, concept, metric));
  const population = data.populations[cell.population];
  const several = data.details.cells[data.cells.indexOf(cell)].fits > 1;
  const head = `${cohortName(cohort)}: ${plural(auroc.n, "record")} (${selectionOf(population)}), ${count(auroc.positives)} positive; AUROC ${interval(auroc.estimate)}, AUPRC ${interval(auprc.estimate)}; ${count(population.resamples)} resamples of ${count(population.groups)} ${population.unit}, seed ${population.seed}.`;
  const said = captioned(simulated, `${data.concepts[concept][0]} on ${cohortName(cohort)}. `);
  const readers = readersOf(cell, concept);
  const drawn = [
    ...(detail.curve ? rocAndPr(detail, readers, auroc, said) : []),
    ...(detail.bins ? [reliability(detail.bins, said)] : []),
  ];
  const error = detail.errors ? ` Drawn through some of the thresholds: at most ${number(detail.errors[0])} (ROC) and ${number(detail.errors[1])} (precision) from the full curves.` : "";
  const who = readers.length && detail.curve ? ` Diamonds: ${readers.map(({ entry: other }, at) => `(${letterOf(at)}) ${entryName(other)}`).join(", ")}.` : "";
  const fits = several ? " Curve, calls and bins are of the first fit, the areas means of all." : "";
  return figureOf(captioned(simulated, head + error + who + fits), drawn, behindIt(`Numbers on ${cohortName(cohort)}`,
    detail.curve ? pointTable(detail.curve, said) : "", callTable(entry, detail, readers, auroc, said), detail.bins ? binTable(detail.bins, said) : "",
    detail.calibration ? calibrationTable(detail.calibration, auroc, said) : ""));
}

function rocAndPr({ curve, calls = {} }, readers, { n, positives: m }, said) {
  const { points, positives, negatives } = pointsOf(curve);
  const marks = [...Object.entries(calls).map(([rule, call]) => ["own", rule, call, ""]),
    ...readers.map(({ entry, call }, at) => ["reader", entryName(entry), call, letterOf(at)])];
  const told = (name, [, tp, fp]) => `${name}: sensitivity ${ratio(tp, m)}, specificity ${ratio(n - m - fp, n - m)}, precision ${ratio(tp, tp + fp)}`;
  const drawn = (some, placeOf) => [some.map(([form, name, call]) => markAt(...placeOf(call), form, told(name, call))), lettered(some.filter(([, , , letter]) => letter).map(([, , call, letter]) => [...placeOf(call), letter]))];
  return [
    squarePlot(`${said}ROC curve. ${marks.map(([, name, call]) => told(name, call)).join("; ")}`, "1 − specificity", "Sensitivity",
      straight(0, 0, 1, 1, "chance"), lineOf([[0, 0], ...points.map(([, tp, fp]) => [fp / negatives, tp / positives])], "curve"),
      drawn(marks, ([, tp, fp]) => [fp / (n - m), tp / m])),
    squarePlot(`${said}Precision-recall curve; the prevalence is ${ratio(m, n)}`, "Recall", "Precision", straight(0, m / n, 1, m / n, "chance"),
      lineOf(points.map(([, tp, fp]) => [tp / positives, tp / (tp + fp)]), "curve"),
      drawn(marks.filter(([, , [, tp, fp]]) => tp + fp), ([, tp, fp]) => [tp / m, tp / (tp + fp)])),
  ];
}
const letterOf = (at) => String.fromCharCode(97 + (at % 26));
const ratio = (part, whole) => (whole ? decimals(part / whole) : DASH);

const inBins = (bins) => Array.from({ length: bins.length / 3 }, (_, at) => bins.slice(3 * at, 3 * at + 3));
function reliability(bins, said) {
  const all = inBins(bins);
  const most = Math.max(...all.map(([n]) => n));
  return squarePlot(`${said}Reliability: the share of positives in ${plural(all.length, "bin")} of predicted probability`, "Predicted probability", "Share of positives",
    straight(0, 0, 1, 1, "chance"), all.map(([n, , at]) => straight(share(at), 0, share(at), 0.12 * (n / most), "mass")),
    all.map(([n, positives, at]) => {
      const [low, high] = wilson(positives, n);
      return [straight(share(at), low, share(at), high, "ends"), markAt(share(at), positives / n, "bin", `${number(at)} predicted, ${ratio(positives, n)} positive: ${count(positives)} of ${count(n)}`)];
    }));
}

// Wilson's 95 % interval of a proportion (Journal of the American Statistical Association 22:209, 1927).
function wilson(part, whole) {
  const z = 1.959963984540054;
  const p = part / whole;
  const middle = (p + z ** 2 / (2 * whole)) / (1 + z ** 2 / whole);
  const half = (z * Math.sqrt((p * (1 - p)) / whole + z ** 2 / (4 * whole ** 2))) / (1 + z ** 2 / whole);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function pointTable(curve, said) {
  const { points, positives, negatives } = pointsOf(curve);
  return tableOf(`${said}Points of the curves`, ["Called at or above", "Called", "True positives", "Sensitivity", "Specificity", "Precision"],
    points.map(([threshold, tp, fp]) => [String(threshold), count(tp + fp), count(tp), ratio(tp, positives), ratio(negatives - fp, negatives), ratio(tp, tp + fp)]));
}

function callTable(entry, { calls = {} }, readers, { n, positives }, said) {
  const row = (name, [threshold, tp, fp, ...rates]) => [name, name === "as called" || threshold === "" ? "" : String(threshold), interval(rates.slice(0, 3)), interval(rates.slice(3)), ratio(tp, tp + fp), `${count(tp)} of ${count(positives)}`, `${count(fp)} of ${count(n - positives)}`];
  const rows = [...Object.entries(calls).map(([rule, call]) => row(rule, call)),
    ...readers.map(({ entry: other, call }, at) => row(`${letterOf(at)}: ${entryName(other)}`, ["", ...call.slice(1)]))];
  return rows.length ? tableOf(`${said}Operating points with 95 % interval`, ["Rule or reader", "Threshold", "Sensitivity", "Specificity", "Precision", "True positives", "False positives"], rows) : "";
}

const binTable = (bins, said) => tableOf(`${said}Bins of equal width`, ["Mean prediction", "Records", "Positives", "Share of positives", "95 % interval (Wilson)"],
  inBins(bins).map(([n, positives, at]) => [number(at), count(n), count(positives), ratio(positives, n), `[${wilson(positives, n).map((end) => end.toFixed(3)).join(", ")}]`]));

const calibrationTable = (numbers, { n, positives }, said) => tableOf(`${said}Calibration with 95 % interval`,
  ["Brier", "Mean prediction", "Prevalence", "Slope", "Intercept", "Error, bins of equal width", "Error, bins of equal mass"],
  [[interval(numbers.slice(0, 3)), number(numbers[3]), ratio(positives, n), interval(numbers.slice(4, 7), signed), interval(numbers.slice(7, 10), signed), number(numbers[10]), number(numbers[11])]]);

// Calibration of a model on each cohort, over the concepts that count there; and why there is none.
function calibrationOf(entry, cohorts, simulated) {
  const found = cohorts.map((cohort) => [cohort, data.details.cells[data.cells.indexOf(cellOf(entry, cohort))]]);
  const rows = found.filter(([, cell]) => cell.calibration).map(([cohort, { calibration: [value, low, high, slope, intercept, width, mass, concepts] }]) =>
    [cohortLink(cohort), count(data.populations[cellOf(entry, cohort).population].scored), String(concepts), interval([value, low, high]), signed(slope), signed(intercept), number(width), number(mass)]);
  return [
    rows.length ? tableOf(captioned(simulated, "Calibration over the concepts that count"), ["Cohort", "Records", "Concepts", "Brier, mean", "Slope, median", "Intercept, median", "Error, bins of equal width", "Error, bins of equal mass"], rows) : "",
    reasons("Not measured on", found.filter(([, cell]) => !cell.calibration).map(([cohort, cell]) => [cohort, cell.why_no_calibration])),
  ];
}
