// The first screen: models down, cohorts across.
const MARKS = { internal: "i", unknown: "?" };
const MARKED = { i: "internal (trained on this cohort, or its labels are from it)", "?": "training data undisclosed", few: "too few positives or negatives to count" };
const RELATIONS = { internal: "internal: trained on it, or its labels are from it", external: "external", unknown: "unknown: training data undisclosed" };

addView("", {
  title: "Leaderboard",
  show(place, chosen) {
    if (!data.cells.length) return place.append(el("p", {}, "No cell is finished: ", el("a", { href: "#problems" }, "what is planned, and what went wrong"), "."));
    const matrix = matrixOf(chosen);
    const { metric, simulated, board, full } = matrix;
    const header = (key, text) => {
      const now = chosen.sort ?? "rank";
      const rising = chosen.order ? chosen.order === "up" : now === "rank" || now === "model";
      const turn = () => choose({ sort: key, order: now === key ? (rising ? "down" : "up") : "" });
      return el("th", { scope: "col", class: key, "aria-sort": now === key ? (rising ? "ascending" : "descending") : null },
        el("button", { type: "button", name: `sort ${key}`, onclick: turn }, text));
    };
    const cohorts = full.map((cohort) => {
      const head = header(String(cohort), cohortName(cohort));
      head.className = "cohort";
      return head;
    });
    const pooled = header("pooled", pooledName(metric));
    pooled.prepend(forestScale(metric));
    const table = el("table", { class: `${matrixKind(full)} home` },
      el("caption", {}, el("span", {}, captionOf(matrix))),
      el("thead", {}, el("tr", {}, header("rank", "Rank"), header("model", "Model"), pooled, cohorts), aboutRow(full)),
      el("tbody", {}, matrix.rows.map((row) => rowOf(row, matrix))));
    place.append(
      matrixChoices(chosen, matrix),
      onlyProtocol(matrix.protocol),
      banner(simulated) ?? "",
      el("div", { class: "scroll", role: "region", "aria-label": "Models by cohorts" }, oneStop(table)),
      matrix.rows.length ? "" : el("p", { role: "status" }, "No model is like that. ", link("", { search: "", protocol: "" }, "Show all")),
      legend(metric, table),
      keyOf(matrix, table.querySelector(".further")),
      matrix.concept === "macro" ? "" : el("p", { class: "key" }, "What it is, its codes and how often it occurs: ", conceptLink(matrix.concept)),
      el("p", { class: "narrow" }, "Cohorts: ", listed(full.map(cohortLink))),
      matrix.empty.length ? el("details", {}, el("summary", {}, `${plural(matrix.empty.length, "cohort")} without a value here`), el("p", {}, listed(matrix.empty.map(cohortLink)))) : "",
      el("details", {}, el("summary", {}, "How to read this"), el("ul", { class: "rules" }, rankedBy(matrix).rules.map((rule) => el("li", {}, data.texts[rule])))));
  },
});

// The names of many cohorts stand upright, and more yet stand closer.
const matrixKind = (cohorts) => ["matrix", cohorts.length > 6 && "many", cohorts.length > 12 && "crowded"].filter(Boolean).join(" ");

// With room for them the cells have their intervals; without room for all columns each row becomes a strip, so that none is out of sight.
function fit() {
  for (const table of place.querySelectorAll(".matrix")) {
    const tooWide = () => table.parentNode.scrollWidth > table.parentNode.clientWidth + 1;
    table.classList.remove("strip");
    table.classList.add("roomy", "unbroken");
    table.classList.toggle("roomy", !tooWide());
    table.classList.remove("unbroken");
    table.classList.toggle("strip", tooWide());
  }
}
addEventListener("resize", fit);

const rankedBy = ({ board, protocol }) => (protocol ? board.alone[protocol] : board);
const pooledName = (metric) => (metric === "auroc" ? "Pooled over external cohorts" : "Mean of the ranking");
const isSet = (place) => data.concept_sets[place].name !== "all shared";
const setName = (place) => (!isSet(place) ? "all shared concepts" : `'${data.concept_sets[place].name}'`);

// What is shown, and what the ranks are of.
function captionOf({ metric, simulated, concept, conceptSet, cohortSet, board, protocols, protocol, rows }) {
  const kind = simulated ? "Simulated cohorts, not patients: " : "";
  const macro = `acro ${METRICS[metric]} over ${setName(conceptSet)} (${data.lists[board.concepts].length})`;
  const where = board.chosen ? ` of '${data.cohort_sets[cohortSet]}'` : "";
  const among = protocol ? `, of ${protocol} alone` : protocols.length > 1 && rows.length ? ", all protocols together" : "";
  const over = `over ${plural(board.cohorts.length, "external cohort")}${where}${among}`;
  if (board.task) return `${kind}M${macro}; a published task, nothing is ranked`;
  if (!board.cohorts.length) return `${kind}M${macro}; nothing is ranked`;
  if (concept === "macro") return `${kind}M${macro}; ranks are ${over}`;
  return `${kind}${METRICS[metric]} of ${conceptName(concept)}; ranks are those of the m${macro}, ${over}`;
}

function rowOf(row, matrix) {
  const { conceptSet, concept, full } = matrix;
  const absent = concept === "macro" && isSet(conceptSet) && row.rank === null && full.every((cohort) => valueIn(row, cohort) === null);
  return el("tr", { class: absent ? "absent" : null },
    el("td", { class: "rank" }, row.rank ?? DASH),
    el("th", { scope: "row" }, entryLink(row.entry), row.why ? el("span", { class: "why" }, `not ranked: ${row.why}`) : ""),
    absent ? el("td", { class: "pooled lacking" }, `absent from ${setName(conceptSet)}`) : pooledIn(row, matrix),
    full.map((cohort) => cellIn(row, cohort, matrix)));
}

function pooledIn(row, { metric, concept, full, cohortSet }) {
  const external = full.filter((cohort) => row.found.get(cohort)?.cell.relation === "external");
  const dots = external.map((cohort) => valueIn(row, cohort)).filter((value) => value !== null);
  if (!row.pooled) return explained(el("td", { class: "pooled lacking" }, DASH), () => [el("p", {}, whyNotPooled(row, metric, concept, cohortSet))]);
  const { estimate, next, i2, cohorts, why, mean } = row.pooled;
  const second = mean ? (metric === "auroc" ? "mean of the ranking" : "") : next[0] === null ? `${plural(cohorts, "cohort")} only` : `next hospital ${ends(...next)}`;
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

function whyNotPooled(row, metric, concept, cohortSet) {
  if (concept === "macro") return row.why || "No external cohort gives a value.";
  if (metric === "auprc") return "The AUPRC of one concept depends on how frequent it is: it is not averaged over cohorts.";
  if (cohortSet) return `A concept is pooled over '${data.cohort_sets[0]}' alone; 'leadboard report --cohort' pools it over others.`;
  return "Pooled where two external cohorts or more have enough positives and negatives.";
}

function cellIn(row, cohort, { metric, concept }) {
  const found = row.found.get(cohort);
  if (!found?.reading) return el("td", { class: "none", "data-cohort": data.cohorts[cohort].id }, "", spoken(found ? "not annotated here" : "not measured"));
  const { cell, reading: read } = found;
  const population = data.populations[cell.population];
  const value = read.estimate[0];
  const colour = value === null ? "none" : read.counts ? `c${step(metric, value)}` : "few";
  const marks = [MARKS[cell.relation], read.counts ? null : "few"].filter(Boolean);
  const made = el("td", { class: colour, "data-cohort": data.cohorts[cohort].id }, number(value), marks.length ? el("sup", {}, marks.join(" ")) : "",
    value === null || read.estimate[1] === null ? "" : el("span", { class: "range" }, ends(read.estimate[1], read.estimate[2])));
  return explained(made, () => [
    el("strong", {}, `${row.name} on ${cohortName(cohort)}`),
    facts([
      [METRICS[metric], interval(read.estimate)],
      ["records", `${count(read.n)} (${population.selection === "test" ? "test fold" : "all"})`],
      read.positives === null ? ["concepts", `${read.over.length}: ${read.over.map((c) => data.concepts[c][0]).join(", ")}`] : ["positives", `${count(read.positives)} (${percent(read.positives, read.n)})`],
      ["relation", RELATIONS[cell.relation]],
      ["drawn", `${count(population.groups)} ${population.unit}, ${count(population.resamples)} resamples, seed ${population.seed}`],
    ]),
    read.counts ? null : el("p", {}, `fewer than ${data.minimum} positives or negatives: counts for no average`),
    ...read.notes.map((note) => el("p", {}, note)),
  ]);
}

function keyOf(matrix, further) {
  const { metric, board } = matrix;
  const drawn = `■ ${metric === "auroc" ? "pooled" : "mean of the ranking"}, thick line its 95 % interval, ${metric === "auroc" ? "thin line the next hospital, " : ""}○ one external cohort${further ? ", ‹ a line that goes on below the scale" : ""}. `;
  return el("p", { class: "key" }, el("span", { class: "drawn" }, drawn), "In brackets: 95 % interval. ",
    metric === "auroc" ? "Next hospital: where 95 % of further hospitals are expected. " : "",
    board.task || !board.cohorts.length ? "" : `Ranks go by the mean over the cohorts${metric === "auroc" ? ", not by the pooled value" : ""}${rankedBy(matrix).by_groups ? "; models that share a rank do not differ significantly from the best of them" : ""}.`);
}

// The scale, and the marks that the cells of a table have.
function legend(metric, table) {
  const marks = new Set([...table.querySelectorAll("td[data-cohort] sup")].flatMap((mark) => mark.textContent.split(" ")));
  const said = Object.entries(MARKED).filter(([mark]) => marks.has(mark)).map(([mark, meaning]) => ` · ${mark}: ${meaning}`);
  return el("p", { class: "legend" }, `${METRICS[metric]}: `, metric === "auroc" ? el("span", { class: "c0" }, "< 0.500") : "",
    STEPS[metric].map((from, at) => el("span", { class: `c${at + 1}` }, `≥ ${number(from)}`)),
    said, table.querySelector("td[data-cohort]:not(:has(:not(.spoken))):has(.spoken)") ? " · blank: not measured, or not annotated there" : "");
}
