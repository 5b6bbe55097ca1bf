// One model: its card, what it has seen, and its results on every cohort and concept.
addView("model", {
  title: "Models",
  show(place, chosen) {
    const [metric, simulated] = [metricOf(chosen), kindOf(chosen)];
    const protocol = protocolOf(chosen, entriesOf(simulated));
    const among = [...data.entries.keys()].filter((other) => isOf(protocol, other));
    if (!among.length || (chosen.entry !== undefined && entryOf(chosen.entry) < 0)) return place.append(unknown("model"));
    const entry = chosen.entry === undefined ? among.find((other) => entriesOf(simulated).includes(other)) ?? among[0] : entryAmong(among, chosen, "entry");
    const cohorts = cohortsOf(simulated).filter((cohort) => cellOf(entry, cohort));
    place.append(
      el("h2", {}, entryName(entry)),
      ...viewChoices(chosen, chooser("Model ", "entry", among.map((other) => [entryKey(other), entryName(other)]), entryKey(entry))),
      banner(simulated) ?? "",
      modelCard(entry),
      el("h3", {}, "Results on each cohort"),
      ...(cohorts.length ? cohortsOfModel(entry, cohorts, metric, simulated) : [el("p", {}, "It was measured on none of these cohorts.")]),
      ...(cohorts.length ? [el("h3", {}, "Concepts"), ...conceptsOfModel(entry, cohorts, chosen, metric, simulated), ...moreOf(entry, cohorts, chosen, metric, simulated)] : []),
      el("h3", {}, "More about it"),
      data.mistakes[entry] ? el("p", {}, el("a", { href: data.mistakes[entry] }, "Its most confident mistakes, as ECG sheets")) : "",
      el("p", {}, "Tables with it: ", listed([...tables.querySelectorAll("section[id][aria-label]")].map((section) => el("a", { href: `#${section.id}` }, section.getAttribute("aria-label"))))));
  },
});

// Curves, calibration and groups of people: of one concept, which is chosen above them.
function moreOf(entry, cohorts, chosen, metric, simulated) {
  const detailed = detailedConcepts(entry, cohorts);
  const wanted = conceptPlace.get(chosen.concept);
  const concept = detailed.includes(wanted) ? wanted : detailed[0] ?? null;
  const choice = concept === null ? "" : el("form", { class: "choices", onsubmit: (event) => event.preventDefault() },
    chooser("Concept ", "concept", detailed.map((one) => [data.concepts[one][0], conceptName(one)]), data.concepts[concept][0]));
  return [
    el("h3", {}, "From its own hospital to others"), ...gapsOf(entry, simulated),
    el("h3", {}, concept === null ? "Curves" : `Curves and calibration: ${conceptName(concept)}`), choice,
    ...(concept === null ? [el("p", {}, "No concept counts on any of these cohorts.")] : curvesOf(entry, cohorts, concept, simulated)),
    el("h3", {}, "Calibration"), ...calibrationOf(entry, cohorts, simulated),
    el("h3", {}, "Groups of people"), ...subgroupsOf(entry, cohorts, concept, simulated),
    ...labelsOf(entry, cohorts, metric, simulated),
  ];
}

function modelCard(entry) {
  const one = data.entries[entry];
  if (one.licence === undefined) return el("p", {}, "None of its cells is finished.");
  return card([
    ["Description", one.description], ["Version", one.version], ["Protocol", one.protocol], ["Licence", one.licence],
    ["Citation", one.citation], ["Input", one.input], ["Trained on", one.trained_on], ["Training here", one.training],
    ["Scores", one.probabilities ? "probabilities, by its card" : "no probabilities, by its card"],
    ["Lower precision", one.lower], ["Control for", one.control_for === "any" ? "any model: one that does not beat it has learnt nothing of use" : one.control_for], ["Weights (SHA-256)", one.weights.join(", ")],
  ]);
}

// How much is chance of the training; no interval holds it.
const betweenFits = ([lowest, highest, deviation], fits) =>
  `mean of ${plural(fits, "fit")}: ${number(lowest)} to ${number(highest)}, standard deviation ${number(deviation)}`;

function cohortsOfModel(entry, cohorts, metric, simulated) {
  const between = new Map(cohorts.map((cohort) => [cohort, data.details.cells[data.cells.indexOf(cellOf(entry, cohort))]])
    .filter(([, { between }]) => between?.[metric]).map(([cohort, { between, fits }]) => [cohort, betweenFits(between[metric], fits)]));
  const fitted = (text) => (between.size ? [text ?? ""] : []);
  const rowOn = (cohort, notes) => {
    const cell = cellOf(entry, cohort);
    const read = reading(cell, "macro", metric);
    return [cohortLink(cohort), notes.marked(drawnValue(metric, read.estimate), read.notes), ...fitted(between.get(cohort)), `${count(read.n)} (${selectionOf(data.populations[cell.population])})`,
      String(cell.covers.length), data.overlap[data.cells.indexOf(cell)]];
  };
  const [full, empty] = [true, false].map((has) => cohorts.filter((cohort) => (reading(cellOf(entry, cohort), "macro", metric).estimate[0] !== null) === has));
  const [notes, whyEmpty] = [footnotes(), footnotes()];
  const rows = full.map((cohort) => rowOn(cohort, notes));
  const pooled = metric === "auroc" ? pooledOf(entry, simulated)?.macro : null;
  if (pooled) {
    const external = cohorts.map((cohort) => cellOf(entry, cohort)).filter((cell) => cell.relation === "external");
    const dots = external.map((cell) => reading(cell, "macro", metric).estimate[0]).filter((value) => value !== null);
    rows.push(["Pooled: the next hospital", drawnValue(metric, pooled, dots), ...fitted(), "", "", pooledWords(pooled)]);
  }
  const table = (caption, some) => tableOf(captioned(simulated, caption), ["Cohort", scaledHead(forestScale(metric), METRICS[metric]), ...fitted("Between fits"), "Records", "Concepts", "Training overlap"], some, "results");
  return [
    rows.length ? table(`Macro ${METRICS[metric]} with 95 % interval`, rows) : "",
    notes.list(),
    folded("cohort", empty.map(cohortName), () => [table(`Cohorts without a macro ${METRICS[metric]}`, empty.map((cohort) => rowOn(cohort, whyEmpty))), whyEmpty.list()]),
  ];
}
