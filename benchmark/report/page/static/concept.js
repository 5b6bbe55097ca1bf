// One concept: what it means, its codes, how often it occurs, and how well each model finds it on each cohort.
addView("concept", {
  title: "Concepts",
  show(place, chosen) {
    const concept = chosen.concept === undefined ? data.concepts.length ? 0 : undefined : conceptPlace.get(chosen.concept);
    if (concept === undefined) return place.append(unknown("concept"));
    const [metric, simulated] = [metricOf(chosen), kindOf(chosen)];
    const [id] = data.concepts[concept];
    const about = data.about_concepts[id];
    const cohorts = cohortsOf(simulated).filter((cohort) => countsOf(cohort, concept));
    const protocol = protocolOf(chosen, entriesOf(simulated));
    const open = cohorts.find((cohort) => countsOf(cohort, concept)[2]) ?? cohorts[0];
    place.append(
      el("h2", {}, conceptName(concept)),
      ...viewChoices(chosen, chooser("Concept ", "concept", data.concepts.map(([other], at) => [other, conceptName(at)]), id)),
      banner(simulated) ?? "",
      about ? conceptCard(about) : el("p", {}, "The ontology here does not have it."),
      ...(about && Object.keys(about.codes).length ? [el("h3", {}, "Codes that mean it, or something like it"), el("div", { class: "codes" }, codesOf(about))] : []),
      el("h3", {}, "How often it occurs"),
      cohorts.length ? positivesOf(cohorts, concept, simulated) : el("p", {}, "It is annotated in none of these cohorts."),
      cohorts.length ? el("h3", {}, "Models, best first on each cohort") : "",
      ...(metric === "auroc" ? [pooledOnConcept(concept, simulated, protocol)] : []),
      cohorts.length ? el("p", { class: "rules" }, "External: the model was not trained on the cohort, nor on one that is known to share recordings with it; the page of a model says what that was.") : "",
      el("div", { class: "each" }, cohorts.map((cohort) => el("details", { open: cohort === open }, el("summary", {}, `${cohortName(cohort)}: ${positivesText(cohort, concept)}`), modelsOnCohort(cohort, metric, concept, protocol)))));
  },
});

// Concepts by their ids: those of this board are links.
const conceptLinks = (ids) => listed(ids.map((id) => (conceptPlace.has(id) ? conceptLink(conceptPlace.get(id), id) : id)));

const conceptCard = (about) => card([
  ["Category", about.category], ["SNOMED CT", about.snomed], ["Is a kind of", conceptLinks(about.parents)],
  ["Kinds of it", conceptLinks(about.children)], ["Any of", conceptLinks(about.parts)], ["In words, as models that read text are asked", about.prompts.join("; ")],
]);

const VOCABULARIES = {
  __proto__: null, "12sl": "GE 12SL", aha: "AHA/ACC/HRS", brugada: "Brugada cohort", code: "CODE", cpsc2018: "CPSC 2018", echonext: "EchoNext", echonext_publisher: "EchoNext, its publisher",
  hefei: "Hefei", icd10: "ICD-10", incart: "INCART", ludb: "LUDB", mimic: "MIMIC-IV-ECG statements", ptbdb: "PTB Diagnostic", scp: "SCP-ECG", snomed: "SNOMED CT", zzu: "ZZU-pECG",
};
const codesOf = (about) => Object.entries(about.codes).map(([vocabulary, { count: all, first }]) => el("details", {},
  el("summary", {}, `${VOCABULARIES[vocabulary] ?? vocabulary}: ${all > first.length ? `${count(first.length)} of ${count(all)}` : count(all)}`),
  tableOf(`Codes in ${vocabulary}`, ...withoutEmpty(["Code", "Name", "Relation", "Cohort"], first))));

// Columns in which a row says something.
function withoutEmpty(heads, rows) {
  const kept = heads.map((_, at) => rows.some((row) => row[at]));
  const [columns, ...others] = [heads, ...rows].map((row) => row.filter((_, at) => kept[at]));
  return [columns, others];
}

// [records, positives, whether it counts, set of records], of the largest set in which somebody was scored on it.
function countsOf(cohort, concept) {
  const own = data.populations.filter((population) => population.cohort === cohort && population.concepts.includes(concept));
  if (!own.length) return null;
  const population = own.reduce((most, one) => (one.scored > most.scored ? one : most));
  const at = population.concepts.indexOf(concept);
  return [population.n[at], population.positives[at], population.eligible[at] === 1, population];
}

function positivesText(cohort, concept) {
  const [n, positives] = countsOf(cohort, concept);
  return `${count(positives)} positive of ${plural(n, "record")}`;
}

function positivesOf(cohorts, concept, simulated) {
  const rows = cohorts.map((cohort) => {
    const [n, positives, counts, population] = countsOf(cohort, concept);
    return [cohortLink(cohort), count(positives), `${count(n)} (${selectionOf(population)})`, percent(positives, n), counts ? "yes" : "too few"];
  });
  return tableOf(captioned(simulated, "Positive records"), ["Cohort", "Positives", "Annotated records", "Prevalence", "Enough to count"], rows);
}

function pooledOnConcept(concept, simulated, protocol) {
  const rows = entriesOf(simulated).filter((entry) => isOf(protocol, entry)).map((entry) => ({ entry, pooled: pooledOf(entry, simulated)?.concepts[concept] }))
    .filter(({ pooled }) => pooled).map((row) => ({ ...row, value: row.pooled[0] }));
  if (!rows.length) return el("p", {}, `It is not pooled for any model${protocol ? ` by ${protocol}` : ""}: that needs two external cohorts in which it counts.`);
  return tableOf(captioned(simulated, `Pooled over external cohorts${protocol ? `, ${protocol} alone` : ""}: the next hospital`), ["Model", scaledHead(forestScale("auroc"), "AUROC"), "Pooled over"],
    bestFirst(rows).map(({ entry, pooled }) => [entryLink(entry), drawnValue("auroc", pooled, []), pooledWords(pooled)]), "results");
}
