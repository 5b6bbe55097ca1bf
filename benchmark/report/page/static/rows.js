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

// [value, low, high, ends of the prediction interval]: of the next hospital for AUROC, else the mean of the ranking.
function pooledFor(row, concept, metric, simulated) {
  if (metric === "auprc") return concept === "macro" ? row.mean : null;
  const pooled = pooledOf(row.entry, simulated);
  return (concept === "macro" ? pooled?.macro : pooled?.concepts[concept]) ?? (concept === "macro" ? row.mean : null);
}

// By "rank", "model", "pooled" or the place of a cohort; what has no value stands last either way.
function sorted(rows, { sort = "rank", order }) {
  const keys = { rank: (row) => row.rank, model: (row) => row.name, pooled: (row) => row.pooled?.[0] };
  const key = keys[sort] ?? ((row) => valueIn(row, data.cohorts.findIndex(({ id }) => id === sort)));
  const rising = order ? order === "up" : sort === "rank" || sort === "model";
  const none = (value) => value === null || value === undefined;
  return [...rows].sort((a, b) => {
    const [one, other] = [key(a), key(b)];
    if (none(one) || none(other)) return none(one) - none(other);
    return (rising ? 1 : -1) * (typeof one === "string" ? one.localeCompare(other) : one - other);
  });
}
