// Groups of people: macro AUROC over the concepts that every group has enough of, and the AUROC of one concept.
function subgroupsOf(entry, cohorts, concept, simulated) {
  const found = cohorts.map((cohort) => ({ cohort, of: data.details.cells[data.cells.indexOf(cellOf(entry, cohort))].subgroups ?? {}, one: concept === null ? {} : detailOf(entry, cohort, concept)?.groups ?? {} }));
  const names = [...new Set(found.flatMap(({ of }) => Object.keys(of)))];
  if (!names.length) return [el("p", {}, "Sex and age are not known here, or no concept counts.")];
  const id = concept === null ? null : data.concepts[concept][0];
  return [...names.map((name, at) => el("details", { open: at === 0 }, el("summary", {}, `By ${name}`),
    tableOf(captioned(simulated, `Groups by ${name}, with 95 % interval`),
      ["Cohort and group", scaledHead(forestScale("auroc"), "Macro AUROC"), "Concepts", "Records", ...(id === null ? [] : [scaledHead(forestScale("auroc"), `AUROC of ${id}`), "Annotated", "Positives"])],
      found.flatMap((cohort) => groupRows(cohort, name, id !== null)), "results"))),
  el("p", { class: "rules" }, `Macro AUROC is over the concepts with at least ${data.minimum} positives and negatives in every group that has one. Of many groups, some gap is always the largest. Of a model with several fits it is that of the first.`)];
}

// Youngest first, unknown last.
function inOrder(groups) {
  const place = (group) => (group.startsWith("under") ? -1 : group === "unknown" ? Infinity : parseInt(group, 10) || 0);
  return [...groups].sort((one, other) => (place(one) === place(other) ? 0 : place(one) - place(other)));
}

function groupRows({ cohort, of, one }, name, withConcept) {
  if (!of[name]) return [];
  const { gap, common } = of[name];
  const known = new Map(of[name].groups.map((group) => [group[0], group]));
  const groups = inOrder([...known.keys()]).map((group) => known.get(group));
  const rows = groups.map(([group, records, ...macro]) => {
    const [value, low, high, n, positives] = one[name]?.[group] ?? [];
    return [`${cohortName(cohort)}, ${group}`, drawnValue("auroc", macro), macro[0] === null ? "" : count(common), count(records),
      ...(!withConcept ? [] : value === undefined ? ["", "", ""] : [drawnValue("auroc", [value, low, high]), count(n), count(positives)])];
  });
  if (gap) rows.push([`${cohortName(cohort)}, largest gap`, el("td", { class: "pooled" }, el("span", { class: "value" }, `${interval(gap.slice(0, 3), signed)} ${gap[3]} minus ${gap[4]}`)), "", "", ...(withConcept ? ["", "", ""] : [])]);
  return rows.map((row, at) => (at ? row : [el("th", { scope: "row" }, cohortLink(cohort), `, ${groups[0]?.[0] ?? ""}`), ...row.slice(1)]));
}
