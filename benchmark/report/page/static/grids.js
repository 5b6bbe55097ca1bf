// Tables of concepts by model, made of the numbers of the page. `later.py` says of which cells.
const wholeTable = (table) => (table.grid ? GRIDS[table.grid](table.caption, table.cells.map((place) => data.cells[place]).filter((cell) => isOf(tablesAreOf, cell.entry))) : table);

// Counts of a concept among the records of a cell, null where the cell has no result for it.
function countsOfCell(cell, concept) {
  if (!cell.concepts.includes(concept)) return null;
  const population = data.populations[cell.population];
  const at = population.concepts.indexOf(concept);
  return { n: population.n[at], positives: population.positives[at], eligible: population.eligible[at] === 1, prevalence: population.prevalence[at] };
}

// A table as `later.py` writes one: a row is made of concept, cells and a function that numbers the notes.
function gridTable(caption, cells, conceptsOf, first, each, rowOf) {
  const notes = new Map();
  const marks = (texts) => texts.map((text) => notes.get(text) ?? notes.set(text, notes.size).size - 1);
  const concepts = [...new Set(cells.flatMap(conceptsOf))];
  const rows = concepts.map((concept) => rowOf(concept, marks).map(([text, sort = null, muted = false, said = []]) => [text, sort, muted, said]));
  const groups = [["", first.length], ...cells.map((cell) => [`${entryName(cell.entry)} (${cell.relation})`, each.length])];
  return { caption, columns: [...first, ...cells.flatMap(() => each)], groups, rows, notes: [...notes.keys()] };
}

const GRIDS = {
  __proto__: null,
  concepts: (caption, cells) => gridTable(caption, cells, (cell) => cell.concepts, ["Concept", "n", "Positives", "Prevalence"], ["AUROC [interval]", "AUPRC [interval]"], (concept, marks) => {
    const counts = cells.map((cell) => countsOfCell(cell, concept));
    const { n, positives, eligible, prevalence } = counts.find(Boolean);
    return [
      [data.concepts[concept][0], null, !eligible, marks(eligible ? [] : ["too few positives or negatives for the macro average and the ranking"])],
      [count(n), n, !eligible], [count(positives), positives, !eligible], [number(prevalence), prevalence, !eligible],
      ...cells.flatMap((cell, column) => {
        const own = counts[column];
        if (!own) return ["auroc", "auprc"].map(() => [DASH, null, true, marks(["not an output of this model"])]);
        const differs = own.n === n && own.positives === positives ? [] : [`on ${count(own.n)} annotated records, ${count(own.positives)} positive`];
        return ["auroc", "auprc"].map((metric) => {
          const at = 3 * cell.concepts.indexOf(concept);
          const estimate = cell[metric].slice(at, at + 3);
          const said = notesOf(cell, metric === "auroc" ? concept : `auprc ${concept}`);
          return [interval(estimate), estimate[0], !own.eligible || estimate[0] === null, marks([...said, ...differs])];
        });
      }),
    ];
  }),
  called: (caption, cells) => gridTable(caption, cells, (cell) => cell.called.concepts, ["Concept", "n", "Positives"], ["Sensitivity [interval]", "Specificity [interval]", "PPV", "NPV"], (concept, marks) => {
    const { n, positives } = cells.map((cell) => countsOfCell(cell, concept)).find(Boolean);
    return [
      [data.concepts[concept][0]], [count(n), n], [count(positives), positives],
      ...cells.flatMap((cell) => {
        const at = cell.called.concepts.indexOf(concept);
        if (at < 0) return Array(4).fill([DASH, null, true]);
        const own = cell.called.numbers.slice(8 * at, 8 * at + 8);
        const estimates = ["sensitivity", "specificity"].map((what, which) => {
          const estimate = own.slice(3 * which, 3 * which + 3);
          const low = which === 0 && cell.called.below.includes(concept);
          return [interval(estimate), estimate[0], low || estimate[0] === null, marks(notesOf(cell, `${what} ${concept}`))];
        });
        return [...estimates, ...own.slice(6).map((value) => [number(value), value, value === null])];
      }),
    ];
  }),
};
