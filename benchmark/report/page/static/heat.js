// Concepts of a model by cohorts, in an order and with a search; in words the highest and the lowest.
const ORDERS = { __proto__: null, "": "as listed", low: "lowest first", high: "highest first" };
const MANY = 12;

function conceptsOfModel(entry, cohorts, chosen, metric, simulated) {
  const pooled = metric === "auroc" ? pooledOf(entry, simulated)?.concepts ?? {} : {};
  const found = data.concepts.map((_, concept) => concept).filter((concept) => cohorts.some((cohort) => cellOf(entry, cohort).concepts.includes(concept)))
    .map((concept) => {
      const own = new Map(cohorts.map((cohort) => [cohort, { cell: cellOf(entry, cohort), reading: reading(cellOf(entry, cohort), concept, metric) }]));
      return { concept, found: own, pooled: pooled[concept], name: `${entryName(entry)}, ${data.concepts[concept][0]}`, value: pooled[concept]?.[0] ?? meanOver([...own.values()]) };
    });
  const order = ORDERS[chosen.order] ? chosen.order : "";
  const searched = (chosen.search ?? "").toLowerCase();
  const shown = ordered(found, order).filter(({ concept }) => conceptName(concept).toLowerCase().includes(searched));
  const withPooled = found.some((row) => row.pooled);
  const rows = shown.map((row) => [conceptLink(row.concept), ...(withPooled ? [el("td", { class: row.pooled ? "pooled" : "pooled lacking" }, interval(row.pooled ?? []))] : []),
    ...cohorts.map((cohort) => cellIn(row, cohort, { metric, concept: row.concept }))]);
  const caption = captioned(simulated, `${METRICS[metric]} of each concept on each cohort (${plural(rows.length, "concept")})${order ? `, ${ORDERS[order]}` : ""}`);
  return [
    ...(found.length > MANY ? [bestAndWorst(found), conceptChoices(chosen, order)] : []),
    ...(shown.length ? withLegend(metric, tableOf(caption, ["Concept", ...(withPooled ? ["Pooled"] : []), ...cohorts.map((cohort) => el("th", { scope: "col", class: "cohort" }, cohortLink(cohort)))], rows, matrixKind(cohorts))) : [el("p", { role: "status" }, "No concept is like that.")]),
  ];
}

const withLegend = (metric, table) => [table, legend(metric, table)];

// By what a concept is put in order where it is not pooled: its mean over the external cohorts where it counts, or over all.
function meanOver(cells) {
  const counting = cells.filter(({ reading: read }) => read?.counts && read.estimate[0] !== null);
  const external = counting.filter(({ cell }) => cell.relation === "external");
  const values = (external.length ? external : counting).map(({ reading: read }) => read.estimate[0]);
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

// What has no value stands last either way.
function ordered(rows, order) {
  if (!order) return rows;
  const sign = order === "low" ? 1 : -1;
  return [...rows].sort((a, b) => (a.value === null) - (b.value === null) || sign * (a.value - b.value));
}

function bestAndWorst(rows) {
  const known = ordered(rows.filter(({ value }) => value !== null), "high");
  const said = (some) => listed(some.map(({ concept, value }) => el("span", {}, conceptLink(concept, data.concepts[concept][0]), ` ${number(Math.round(value))}`)));
  if (known.length < 6) return "";
  return el("p", {}, "Highest: ", said(known.slice(0, 3)), "; lowest: ", said(known.slice(-3).reverse()), ". Pooled, or the mean over its cohorts where a concept is not pooled.");
}

function conceptChoices(chosen, order) {
  const search = el("input", { type: "search", name: "search", value: chosen.search ?? "", oninput: () => choose({ search: search.value }, { typed: true }) });
  return el("form", { class: "choices", role: "search", onsubmit: (event) => event.preventDefault() }, el("label", {}, "Search concepts ", search), chooser("Order ", "order", Object.entries(ORDERS), order));
}
