// One cohort: what it is, who is in it, what is annotated, what could not be read, and the models on it.
addView("cohort", {
  title: "Cohorts",
  show(place, chosen) {
    const [metric, simulated] = [metricOf(chosen), kindOf(chosen)];
    const cohort = chosen.cohort === undefined ? firstMeasured(simulated) : cohortOf(chosen.cohort, simulated);
    if (cohort < 0) return place.append(unknown("cohort"));
    const about = data.about_cohorts[cohort];
    place.append(
      el("h2", {}, `${about.name}${simulated ? " (simulated)" : ""}`),
      ...viewChoices(chosen, chooser("Cohort ", "cohort", cohortsOf(simulated).map((other) => [data.cohorts[other].id, cohortName(other)]), data.cohorts[cohort].id)),
      banner(simulated) ?? "",
      cohortCard(cohort, about),
      about.states > 1 ? el("p", { class: "banner" }, `It was measured in ${about.states} states, which cannot be compared with each other; the facts are of the one with the most records.`) : "",
      el("h3", {}, "Models, best first"),
      modelsOnCohort(cohort, metric, "macro", protocolOf(chosen, entriesOf(simulated))),
      el("h3", {}, "What is annotated"),
      ...annotatedHere(cohort, about),
      el("h3", {}, "People"),
      ...peopleOf(about, simulated),
      el("h3", {}, "Records that could not be used"),
      quarantinedOf(about, simulated));
  },
});

// The first on which somebody has a macro average, or the first.
const firstMeasured = (simulated) => cohortsOf(simulated).find((cohort) => data.cells.some((cell) => cell.cohort === cohort && cell.covers.length)) ?? cohortsOf(simulated)[0] ?? -1;

const cohortCard = (cohort, about) => card([
  ["Id", data.cohorts[cohort].id], ["Version", about.version], ["Records", about.records], ["Licence", about.licence],
  ["Access", about.access], ["Country", about.country], ["Source", about.url && /^https?:\/\//.test(about.url) ? el("a", { href: about.url }, about.url) : about.url],
  ["Citation", about.citation], ["Note", about.note], ["Owner", about.private ? "a hospital's own, not published" : ""],
]);

// Cells of a cohort in order of their value for a concept, or for "macro".
function modelsOnCohort(cohort, metric, concept, protocol) {
  const { simulated } = data.cohorts[cohort];
  const cells = data.cells.filter((cell) => cell.cohort === cohort && isOf(protocol, cell.entry));
  const by = protocol ? ` by ${protocol}` : "";
  const rows = cells.map((cell) => ({ cell, read: reading(cell, concept, metric) })).filter(({ read }) => read)
    .map((row) => ({ ...row, value: row.read.estimate[0] }));
  const what = concept === "macro" ? `Macro ${METRICS[metric]}` : `${METRICS[metric]} of ${data.concepts[concept][0]}`;
  if (rows.every(({ value }) => value === null)) return el("p", {}, rows.length ? `No model has a value here: ${[...new Set(rows.flatMap(({ read }) => read.notes))].join("; ") || "no concept counts"}.` : `No model was measured here${by}.`);
  const covered = new Set(rows.map(({ cell }) => cell.covers.join()));
  const macro = concept === "macro";
  const notes = footnotes();
  return el("div", {},
    tableOf(captioned(simulated, `${what} on ${cohortName(cohort)}${by} with 95 % interval`), ["Model", scaledHead(forestScale(metric), METRICS[metric]), "Records", macro ? "Concepts" : "Positives", macro ? "Training overlap" : "Relation"],
      bestFirst(rows).map(({ cell, read }) => [entryLink(cell.entry), notes.marked(drawnValue(metric, read.estimate), read.notes),
        `${count(read.n)} (${selectionOf(data.populations[cell.population])})`,
        macro ? String(cell.covers.length) : `${count(read.positives)}${read.counts ? "" : " (too few to count)"}`,
        macro ? data.overlap[data.cells.indexOf(cell)] : cell.relation]), "results"),
    notes.list(),
    macro && covered.size > 1 ? el("p", { class: "rules" }, "Not all of these averages are over the same concepts: only those over the same ones can be compared.") : "");
}

// The set of its records in which most were scored: counts of every concept.
function populationOf(cohort) {
  const own = data.populations.filter((population) => population.cohort === cohort);
  return own.reduce((most, one) => (one.scored > most.scored ? one : most));
}

function annotatedHere(cohort, about) {
  const population = populationOf(cohort);
  const rows = population.concepts.map((concept, at) => [conceptLink(concept), count(population.positives[at]), count(population.n[at]),
    percent(population.positives[at], population.n[at]), population.eligible[at] ? "yes" : "too few", (about.annotated[data.concepts[concept][0]] ?? []).filter(Boolean).map(sentence).join(" ")]);
  const absent = Object.entries(about.annotated).filter(([concept]) => !population.concepts.includes(conceptPlace.get(concept)));
  return [
    tableOf(captioned(data.cohorts[cohort].simulated, `Concepts of ${cohortName(cohort)} in ${count(population.scored)} scored records (${selectionOf(population)})`),
      ["Concept", "Positives", "Annotated records", "Prevalence", "Enough to count", data.cohorts[cohort].simulated ? "Simulated as" : "In the release"], rows),
    absent.length ? el("details", {}, el("summary", {}, `${plural(absent.length, "concept")} of this board that no model was scored on here`),
      el("ul", {}, absent.map(([concept, [state, reason]]) => el("li", {}, `${concept}: ${state}${reason ? ` (${reason})` : ""}`)))) : "",
  ];
}

function peopleOf(about, simulated) {
  const groupings = Object.entries(about.people);
  if (!groupings.length) return [el("p", {}, "No group of people here was large enough to be compared, or none is known.")];
  return groupings.map(([grouping, groups]) => {
    const all = Object.values(groups).reduce((sum, records) => sum + records, 0);
    return tableOf(captioned(simulated, `Records by ${grouping}`), [sentence(grouping).slice(0, -1), "Records", "Share"],
      inOrder(Object.keys(groups)).map((group) => [group, count(groups[group]), percent(groups[group], all)]), "small");
  });
}

function quarantinedOf(about, simulated) {
  const reasons = Object.entries(about.quarantined);
  if (!reasons.length) return el("p", {}, "None: every record could be used.");
  return tableOf(captioned(simulated, "Quarantined records"), ["Reason", "Records", "Record ids"], reasons.map(([reason, { count: records, ids }]) =>
    [reason, count(records), el("td", { class: "long" }, ids.length ? `${ids.join(", ")}${records > ids.length ? ` and ${count(records - ids.length)} more` : ""}` : "not shown: a hospital's own")]));
}
