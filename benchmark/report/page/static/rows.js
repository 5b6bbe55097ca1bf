// Which rows and columns the matrix has under the present choices, and in which order.
function matrixOf(chosen) {
  const metric = METRICS[chosen.metric] ? chosen.metric : data.metric;
  const simulated = kinds.includes(chosen.cohorts === "simulated") && chosen.cohorts ? chosen.cohorts === "simulated" : kinds[0];
  const concept = conceptPlace.get(chosen.concept) ?? "macro";
  const board = boardOf(metric, simulated);
  const all = data.cohorts.map((_, place) => place).filter((place) => data.cohorts[place].simulated === simulated);
  const rows = board.rows.map((row) => ({
    ...row,
    name: entryName(row.entry),
    protocol: data.entries[row.entry].protocol,
    pooled: pooledFor(row, concept, metric, simulated),
    found: new Map(all.map((cohort) => {
      const cell = cellOf(row.entry, cohort);
      return [cohort, cell && { cell, reading: reading(cell, concept, metric) }];
    })),
  }));
  const protocols = [...new Set(rows.map((row) => row.protocol))];
  const searched = (chosen.search ?? "").toLowerCase();
  const shown = rows.filter((row) => (!chosen.protocol || row.protocol === chosen.protocol) && row.name.toLowerCase().includes(searched));
  const full = all.filter((cohort) => rows.some((row) => valueIn(row, cohort) !== null));
  return { metric, simulated, concept, board, protocols, rows: sorted(shown, chosen), full, empty: all.filter((cohort) => !full.includes(cohort)) };
}

const valueIn = (row, cohort) => row.found.get(cohort)?.reading?.estimate[0] ?? null;

// What is to be expected of the next hospital; where that was not estimated, the mean of the ranking, which says so.
function pooledFor(row, concept, metric, simulated) {
  const { macro, concepts } = pooledOf(row.entry, simulated) ?? { concepts: {} };
  const [value, low, high, farLow, farHigh, i2, cohorts, why] = (metric === "auprc" ? null : concept === "macro" ? macro : concepts[concept]) ?? [null];
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
