// The first screen: models down, cohorts across.
const MARKS = { internal: "i", unknown: "?" };
const RELATIONS = { internal: "internal: trained on it", external: "external", unknown: "unknown: training data undisclosed" };

addView("", {
  title: "Leaderboard",
  show(place, chosen) {
    const matrix = matrixOf(chosen);
    const { concept, metric, simulated } = matrix;
    const what = concept === "macro" ? `Macro ${METRICS[metric]}` : `${METRICS[metric]} of ${conceptName(concept)}`;
    const header = (key, text) => {
      const now = chosen.sort ?? "rank";
      const rising = chosen.order ? chosen.order === "up" : now === "rank" || now === "model";
      const turn = () => choose({ sort: key, order: now === key ? (rising ? "down" : "up") : "" });
      return el("th", { scope: "col", "aria-sort": now === key ? (rising ? "ascending" : "descending") : null }, el("button", { type: "button", onclick: turn }, text));
    };
    const pooledName = metric === "auroc" ? "Next hospital" : "Mean of the ranking";
    place.append(
      matrixChoices(chosen, matrix),
      simulated ? el("p", { class: "banner simulated" }, el("strong", {}, "Simulated recordings, not patients.")) : "",
      el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${what}, models by cohorts` },
        el("table", { class: "matrix" },
          el("caption", {}, `${simulated ? "Simulated cohorts, not patients: " : ""}${what}`),
          el("thead", {}, el("tr", {}, header("rank", "Rank"), header("model", "Model"), header("pooled", pooledName),
            matrix.full.map((cohort) => header(data.cohorts[cohort].id, data.cohorts[cohort].id)))),
          el("tbody", {}, matrix.rows.map((row) => rowOf(row, matrix))))),
      legend(metric),
      matrix.empty.length ? el("details", {}, el("summary", {}, `${plural(matrix.empty.length, "cohort")} without a value here`), el("p", {}, matrix.empty.map(cohortName).join(", "))) : "",
      el("details", {}, el("summary", {}, "How to read this"), el("ul", { class: "rules" }, matrix.board.rules.map((rule) => el("li", {}, rule)))));
  },
});

function rowOf(row, matrix) {
  const { metric } = matrix;
  const dots = matrix.full.filter((cohort) => row.found.get(cohort)?.cell.relation === "external").map((cohort) => valueIn(row, cohort)).filter((value) => value !== null);
  const [, , , farLow, farHigh] = row.pooled ?? [];
  return el("tr", {},
    el("td", { class: "rank" }, row.rank ?? DASH, row.rank ? "" : spoken(` not ranked: ${row.why}`)),
    el("th", { scope: "row", title: row.why || null }, row.name),
    el("td", { class: "pooled" }, forest(metric, row.pooled, dots), el("span", { class: "value" }, interval(row.pooled ?? [])),
      farLow !== null && farLow !== undefined ? el("span", { class: "next" }, ` next ${ends(farLow, farHigh)}`) : ""),
    matrix.full.map((cohort) => cellIn(row, cohort, matrix)));
}

function cellIn(row, cohort, { metric, concept }) {
  const found = row.found.get(cohort);
  if (!found?.reading) return el("td", { class: "none" }, "", spoken(found ? "not annotated here" : "not measured"));
  const { cell, reading: read } = found;
  const population = data.populations[cell.population];
  const value = read.estimate[0];
  const colour = value === null ? "none" : read.counts ? `c${step(metric, value)}` : "few";
  const marks = [MARKS[cell.relation], read.counts ? null : "few"].filter(Boolean);
  const made = el("td", { class: colour, tabindex: 0 }, number(value), marks.length ? el("sup", {}, marks.join(" ")) : "");
  return explained(made, () => [
    el("strong", {}, `${row.name} on ${cohortName(cohort)}`),
    facts([
      [METRICS[metric], interval(read.estimate)],
      ["records", `${count(read.n)} (${population.selection === "test" ? "test fold" : "all"})`],
      read.positives === null ? ["concepts", `${cell.covers.length}: ${cell.covers.map((c) => data.concepts[c][0]).join(", ")}`] : ["positives", `${count(read.positives)} (${percent(read.positives, read.n)})`],
      ["relation", RELATIONS[cell.relation]],
      ["drawn", `${count(population.groups)} ${population.unit}, ${count(population.resamples)} resamples, seed ${population.seed}`],
    ]),
    read.counts ? null : el("p", {}, `fewer than ${data.minimum} positives or negatives: counts for no average`),
    ...read.notes.map((note) => el("p", {}, note)),
  ]);
}

function legend(metric) {
  return el("p", { class: "legend" }, metric === "auroc" ? el("span", { class: "c0" }, "< 0.500") : "",
    STEPS[metric].map((from, at) => el("span", { class: `c${at + 1}` }, `≥ ${number(from)}`)),
    " i: trained on this cohort · ?: training data undisclosed · few: too few positives or negatives to count");
}
