// Which rows and columns the matrix has under the present choices, and in which order.
function matrixOf(chosen) {
  const metric = metricOf(chosen);
  const simulated = kindOf(chosen);
  const [conceptSet, cohortSet] = setsOf(chosen);
  const board = boardOf(metric, simulated, conceptSet, cohortSet);
  const within = data.concept_sets[conceptSet].concepts;
  const place = conceptPlace.get(chosen.concept);
  const concept = within.includes(place) ? place : "macro";
  const all = cohortsOf(simulated).filter((cohort) => board.chosen?.includes(cohort) ?? true);
  const entries = board.rows.map((row) => row.entry);
  const protocols = protocolsOf(entries);
  const protocol = protocolOf(chosen, entries);
  const rows = byMean(board.rows.filter((row) => isOf(protocol, row.entry))).map((row) => ({
    ...row,
    rank: protocol ? row.alone : row.rank,
    name: entryName(row.entry),
    pooled: pooledFor(row, concept, metric, simulated, cohortSet),
    found: new Map(all.map((cohort) => {
      const cell = cellOf(row.entry, cohort);
      return [cohort, cell && { cell, reading: reading(cell, concept, metric, conceptSet) }];
    })),
  }));
  const searched = (chosen.search ?? "").toLowerCase();
  const shown = rows.filter((row) => row.name.toLowerCase().includes(searched));
  const full = all.filter((cohort) => rows.some((row) => valueIn(row, cohort) !== null));
  return { metric, simulated, concept, conceptSet, cohortSet, board, within, protocols, protocol, rows: sorted(shown, chosen), full, empty: all.filter((cohort) => !full.includes(cohort)) };
}

// Those that share a rank stand in the order of their means.
const byMean = (rows) => [...rows].sort((a, b) => (b.mean[0] ?? -1) - (a.mean[0] ?? -1));

// Places of the sets of concepts and of cohorts that are ranked within; those shown first if there is no such name.
const setsOf = ({ set, cohortset }) => [
  Math.max(0, data.concept_sets.findIndex(({ name }) => name === set)),
  Math.max(0, data.cohort_sets.indexOf(cohortset)),
];

const valueIn = (row, cohort) => row.found.get(cohort)?.reading?.estimate[0] ?? null;

// What is to be expected of the next hospital; where that was not estimated, the mean of the ranking, which says so.
function pooledFor(row, concept, metric, simulated, cohortSet) {
  const ofConcept = cohortSet ? null : pooledOf(row.entry, simulated)?.concepts[concept];
  const [value, low, high, farLow, farHigh, i2, cohorts, why] = (metric === "auprc" ? null : concept === "macro" ? row.next : ofConcept) ?? [null];
  if (value !== null) return { estimate: [value, low, high], next: [farLow, farHigh], i2, cohorts, why };
  if (concept !== "macro" || row.mean[0] === null) return null;
  return { estimate: row.mean, next: [null, null], cohorts: row.cohorts, why, mean: true };
}

// By "rank", "model", "pooled" or the place of a cohort in the list of all; what has no value stands last either way.
function sorted(rows, { sort = "rank", order }) {
  const keys = { __proto__: null, rank: (row) => row.rank, model: (row) => row.name, pooled: (row) => row.pooled?.estimate[0] };
  const key = keys[sort] ?? ((row) => valueIn(row, Number(sort)));
  const rising = order ? order === "up" : sort === "rank" || sort === "model";
  const none = (value) => value === null || value === undefined;
  return [...rows].sort((a, b) => {
    const [one, other] = [key(a), key(b)];
    if (none(one) || none(other)) return none(one) - none(other);
    return (rising ? 1 : -1) * (typeof one === "string" ? one.localeCompare(other) : one - other);
  });
}
