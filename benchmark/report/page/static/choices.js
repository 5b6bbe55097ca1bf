// The choices above a view; each one is in the address.
function chooser(label, name, options, value) {
  const select = el("select", { name, onchange: () => choose({ [name]: select.value }) },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return el("label", {}, label, select);
}

const kindChooser = (simulated) =>
  (kinds.length > 1 ? chooser("Cohorts ", "cohorts", [["real", "real"], ["simulated", "simulated (not patients)"]], kindName(simulated)) : null);
const protocolChooser = (protocols, protocol) =>
  (protocols.length > 1 ? chooser("Protocol ", "protocol", [["", "all"], ...protocols.map((one) => [one, one])], protocol) : null);
const protocolForm = (protocol) => (protocolsOf().length > 1 ? el("form", { class: "choices", onsubmit: (event) => event.preventDefault() }, protocolChooser(protocolsOf(), protocol)) : null);

// What a chosen protocol leaves out, and how to see all again.
function onlyProtocol(protocol, where = "") {
  const { view, ...chosen } = choices();
  return protocol && el("p", { class: "only" }, "Protocol ", el("strong", {}, protocol), ` alone${where ? `, ${where}` : ""}. `,
    el("a", { href: address(view, { ...chosen, protocol: "" }) }, "Show all protocols"));
}

function matrixChoices(chosen, matrix) {
  const { metric, simulated, conceptSet, cohortSet, within, protocols, protocol, full } = matrix;
  const sizeOf = (set) => boardOf(metric, simulated, set, cohortSet);
  const sets = data.concept_sets.map(({ name }, set) => [set, name, sizeOf(set)])
    .filter(([set, , board]) => board.cohorts.length || set === 0 || set === conceptSet)
    .map(([set, name, board]) => [set ? name : "", `${name} (${data.lists[board.concepts].length})`]);
  const cohortSets = data.cohort_sets.map((name, set) => [set ? name : "", name]);
  const concepts = [["", "macro average"], ...within.map((place) => [data.concepts[place][0], conceptName(place)])];
  const sorts = [["", "rank"], ["model", "model"], ["pooled", pooledName(metric)], ...full.map((cohort) => [String(cohort), cohortName(cohort)])];
  const search = el("input", { type: "search", name: "search", value: chosen.search ?? "", oninput: () => choose({ search: search.value }, { typed: true }) });
  const sort = chooser("Sort by ", "sort", sorts, chosen.sort ?? "");
  sort.className = "narrow";
  return el("form", { class: "choices", role: "search", onsubmit: (event) => event.preventDefault() },
    chooser("Metric ", "metric", Object.entries(METRICS), metric),
    chooser("Rank within ", "set", sets, conceptSet ? data.concept_sets[conceptSet].name : ""),
    chooser("Concept ", "concept", concepts, matrix.concept === "macro" ? "" : data.concepts[matrix.concept][0]),
    kindChooser(simulated),
    cohortSets.length > 1 ? chooser("Rank over ", "cohortset", cohortSets, cohortSet ? data.cohort_sets[cohortSet] : "") : null,
    protocolChooser(protocols, protocol),
    el("label", {}, "Search ", search), sort);
}
