// The numbers of the page, and how they are looked up. `data.py` says what is where.
if (document.getElementById("data").type !== "application/json" && !self.DecompressionStream) {
  document.querySelector("header").append(el("p", { class: "banner", role: "alert" },
    "This browser cannot unpack the numbers of this page: Chrome 80, Firefox 113, Safari 16.4 and later can. What needs no unpacking stands below; the files that are named at the end have the rest."));
  for (const table of document.querySelectorAll("details.later")) table.hidden = true;
  return; // the page stays as it is without a script
}
document.getElementById("tables").hidden = true; // until it is known what is asked for
const [data, laterTables] = await Promise.all(["data", "later"].map(contentOf));
for (const cell of data.cells) {
  for (const metric of Object.keys(METRICS)) cell[metric] = unfolded(cell[metric]);
  cell.called.numbers = unfolded(cell.called.numbers);
}

const cells = new Map(data.cells.map((cell) => [`${cell.entry} ${cell.cohort}`, cell]));
const cellOf = (entry, cohort) => cells.get(`${entry} ${cohort}`);
const kinds = [...new Set(data.boards.filter(({ rows }) => rows.length).map((board) => board.simulated))];
const conceptPlace = new Map(data.concepts.map(([id], place) => [id, place]));

// A ranking; sets by their place, those that are shown first if none is named.
const boardOf = (metric, simulated, conceptSet = 0, cohortSet = 0) => data.boards.find((board) =>
  board.metric === metric && board.simulated === simulated && board.concept_set === conceptSet && board.cohort_set === cohortSet);
const pooledOf = (entry, simulated) =>
  data.pooled.find((pooled) => pooled.simulated === simulated).entries[entry];

// Name of an entry: its protocol is in it where the model has several.
const entryName = (entry) => {
  const { model, protocol } = data.entries[entry];
  const several = data.entries.filter((other) => other.model === model).length > 1;
  return several ? `${model} (${protocol})` : model;
};
const cohortName = (cohort) => data.cohorts[cohort].id + (data.cohorts[cohort].simulated ? " (simulated)" : "");
const conceptName = (concept) => {
  const [id, name] = data.concepts[concept];
  return name ? `${id}: ${name}` : id;
};

// Macro average of a cell within a set of concepts: estimate, and the concepts that it is over.
const placesOfKind = new Map([false, true].flatMap((simulated) =>
  data.cells.filter((cell) => data.cohorts[cell.cohort].simulated === simulated).map((cell, place) => [cell, place])));
function macroOf(cell, metric, conceptSet) {
  if (conceptSet === 0) {
    const from = metric === "auroc" ? 0 : 3;
    return { estimate: cell.macro.slice(from, from + 3), over: cell.covers };
  }
  const { simulated } = data.cohorts[cell.cohort];
  const { cells } = data.macros.find((one) => one.simulated === simulated && one.metric === metric && one.concept_set === conceptSet);
  const [value, low, high, list] = cells[placesOfKind.get(cell)];
  return { estimate: [value, low, high], over: data.lists[list] };
}

// What a cell says of one concept, or of "macro" within a set: estimate [value, low, high], counts, whether it counts, notes.
function reading(cell, concept, metric, conceptSet = 0) {
  const population = data.populations[cell.population];
  if (concept === "macro") {
    const { estimate, over } = macroOf(cell, metric, conceptSet);
    return {
      estimate,
      over,
      n: population.scored,
      positives: null,
      prevalence: cell.prevalence,
      counts: over.length > 0,
      notes: conceptSet === 0 ? notesOf(cell, "macro") : [],
    };
  }
  const there = population.concepts.indexOf(concept);
  const at = cell.concepts.indexOf(concept);
  if (there < 0) return null; // nobody annotated it in this cohort
  return {
    estimate: at < 0 ? [null, null, null] : cell[metric].slice(3 * at, 3 * at + 3),
    n: population.n[there],
    positives: population.positives[there],
    prevalence: null,
    counts: population.eligible[there] === 1,
    notes: at < 0 ? ["not an output of this model"] : notesOf(cell, concept),
  };
}
const notesOf = (cell, key) => (cell.notes[key] ?? []).map((place) => data.texts[place]);
