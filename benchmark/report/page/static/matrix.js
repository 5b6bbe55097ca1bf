// The first screen: models down, cohorts across.
const MARKS = { internal: "i", unknown: "?" };
const RELATIONS = { internal: "internal: trained on it", external: "external", unknown: "unknown: training data undisclosed" };

addView("", {
  title: "Leaderboard",
  show(place, chosen) {
    if (!data.cells.length) return place.append(el("p", {}, "No cell is finished: what is planned, and what went wrong, is among all tables."));
    const matrix = matrixOf(chosen);
    const { concept, metric, simulated } = matrix;
    const what = concept === "macro" ? `Macro ${METRICS[metric]}` : `${METRICS[metric]} of ${conceptName(concept)}`;
    const header = (key, text) => {
      const now = chosen.sort ?? "rank";
      const rising = chosen.order ? chosen.order === "up" : now === "rank" || now === "model";
      const turn = () => choose({ sort: key, order: now === key ? (rising ? "down" : "up") : "" });
      return el("th", { scope: "col", class: key, "aria-sort": now === key ? (rising ? "ascending" : "descending") : null },
        el("button", { type: "button", name: `sort ${key}`, onclick: turn }, text));
    };
    const cohorts = matrix.full.map((cohort) => {
      const head = header(String(cohort), cohortName(cohort));
      head.className = "cohort";
      return head;
    });
    const pooledName = metric === "auroc" ? "Next hospital" : "Mean of the ranking";
    const table = el("table", { class: matrix.full.length > 6 ? "matrix many" : "matrix" },
      el("caption", {}, el("span", {}, `${simulated ? "Simulated cohorts, not patients: " : ""}${what}${concept === "macro" ? "" : "; ranks are those of the macro average"}`)),
      el("thead", {}, el("tr", {}, header("rank", "Rank"), header("model", "Model"), header("pooled", pooledName), cohorts), aboutRow(matrix.full)),
      el("tbody", {}, matrix.rows.map((row) => rowOf(row, matrix))));
    place.append(
      matrixChoices(chosen, matrix),
      simulated ? el("p", { class: "banner simulated" }, el("strong", {}, "Simulated recordings, not patients.")) : "",
      el("div", { class: "scroll", role: "region", "aria-label": `${what}, models by cohorts` }, oneStop(table)),
      matrix.rows.length ? "" : el("p", { role: "status" }, "No model is like that."),
      legend(metric),
      matrix.empty.length ? el("details", {}, el("summary", {}, `${plural(matrix.empty.length, "cohort")} without a value here`), el("p", {}, matrix.empty.map(cohortName).join(", "))) : "",
      el("details", {}, el("summary", {}, "How to read this"), el("ul", { class: "rules" }, matrix.board.rules.map((rule) => el("li", {}, rule)))));
  },
});

function rowOf(row, matrix) {
  return el("tr", {},
    el("td", { class: "rank" }, row.rank ?? DASH, row.rank ? "" : spoken(` not ranked: ${row.why}`)),
    el("th", { scope: "row", title: row.why || null }, entryLink(row.entry)),
    pooledIn(row, matrix),
    matrix.full.map((cohort) => cellIn(row, cohort, matrix)));
}

function pooledIn(row, { metric, concept, full }) {
  const external = full.filter((cohort) => row.found.get(cohort)?.cell.relation === "external");
  const dots = external.map((cohort) => valueIn(row, cohort)).filter((value) => value !== null);
  if (!row.pooled) return explained(el("td", { class: "pooled" }, DASH), () => [el("p", {}, whyNotPooled(row, metric, concept))]);
  const { estimate, next, i2, cohorts, why, mean } = row.pooled;
  const second = mean ? "mean of the ranking" : next[0] === null ? `${plural(cohorts, "cohort")} only` : `next ${ends(...next)}`;
  const made = el("td", { class: "pooled" }, el("div", {}, forest(metric, [...estimate, ...next], dots),
    el("span", {}, el("span", { class: "value" }, interval(estimate)), second ? el("span", { class: "next" }, ` ${second}`) : "")));
  return explained(made, () => [
    el("strong", {}, `${row.name}: ${mean ? "mean of the ranking" : "the next hospital"}`),
    facts([
      [METRICS[metric], interval(estimate)],
      next[0] === null ? null : ["expected in the next", ends(...next)],
      i2 === null || i2 === undefined ? null : ["I²", `${(i2 / 10).toFixed(1)} %`],
      ["external cohorts", count(cohorts)],
    ]),
    mean && metric === "auroc" ? el("p", {}, `No value for the next hospital${why ? `: ${why}` : ""}`) : why ? el("p", {}, why) : null,
  ]);
}

function whyNotPooled(row, metric, concept) {
  if (concept === "macro") return row.why || "No external cohort gives a value.";
  if (metric === "auprc") return "The AUPRC of one concept depends on how frequent it is: it is not averaged over cohorts.";
  return "Pooled where two external cohorts or more have enough positives and negatives.";
}

function cellIn(row, cohort, { metric, concept }) {
  const found = row.found.get(cohort);
  if (!found?.reading) return el("td", { class: "none" }, "", spoken(found ? "not annotated here" : "not measured"));
  const { cell, reading: read } = found;
  const population = data.populations[cell.population];
  const value = read.estimate[0];
  const colour = value === null ? "none" : read.counts ? `c${step(metric, value)}` : "few";
  const marks = [MARKS[cell.relation], read.counts ? null : "few"].filter(Boolean);
  const made = el("td", { class: colour }, number(value), marks.length ? el("sup", {}, marks.join(" ")) : "");
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
