// What the views of one model, one cohort and one concept have in common.
const metricOf = (chosen) => (METRICS[chosen.metric] ? chosen.metric : data.metric);
const kindOf = (chosen) => (chosen.cohorts && kinds.includes(chosen.cohorts === "simulated") ? chosen.cohorts === "simulated" : kinds[0] ?? false);
const kindName = (simulated) => (simulated ? "simulated" : "real");

const entryKey = (entry) => `${data.entries[entry].model}/${data.entries[entry].protocol}`;
const entryOf = (key) => data.entries.findIndex((_, entry) => entryKey(entry) === key);
const entriesOf = (simulated) => boardOf(data.metric, simulated)?.rows.map((row) => row.entry) ?? [];

// Protocols of some entries, and the one that is chosen among them: "" is all.
const protocolsOf = (entries = data.entries.keys()) => [...new Set([...entries].map((entry) => data.entries[entry].protocol))];
const protocolOf = ({ protocol }, entries) => (protocolsOf(entries).length > 1 && protocolsOf(entries).includes(protocol) ? protocol : "");
const isOf = (protocol, entry) => !protocol || data.entries[entry].protocol === protocol;

// The entry that is asked for, or the same model under the chosen protocol, or the first; the address says which.
function entryAmong(entries, chosen, name, other) {
  const first = entries.find((entry) => entry !== other);
  if (chosen[name] === undefined) return first;
  const asked = entryOf(chosen[name]);
  if (entries.includes(asked)) return asked;
  const found = entries.find((entry) => data.entries[entry].model === data.entries[asked]?.model && entry !== other) ?? first;
  if (found !== undefined) restate({ [name]: entryKey(found) });
  return found;
}

const cohortsOf = (simulated) => data.cohorts.map((_, place) => place).filter((place) => data.cohorts[place].simulated === simulated);
const cohortOf = (id, simulated) => data.cohorts.findIndex((cohort) => cohort.id === id && cohort.simulated === simulated);

const entryLink = (entry) => link("model", { entry: entryKey(entry) }, entryName(entry));
const cohortLink = (cohort) => link("cohort", { cohort: data.cohorts[cohort].id, cohorts: kindName(data.cohorts[cohort].simulated) }, cohortName(cohort));
const conceptLink = (concept, text = conceptName(concept)) => link("concept", { concept: data.concepts[concept][0] }, text);

const SIMULATED = "Simulated recordings, not patients.";
const banner = (simulated) => (simulated ? el("p", { class: "banner simulated" }, el("strong", {}, SIMULATED)) : null);
const captioned = (simulated, text) => (simulated ? `Simulated, not patients: ${text}` : text);
const unknown = (what) => el("p", {}, `This page has no such ${what}. `, link("", {}, "To the leaderboard"));
const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
const listed = (nodes) => nodes.flatMap((node, at) => (at ? [", ", node] : [node]));

// Choices of a view: others of its kind, metric, real or simulated, protocol.
function viewChoices(chosen, ...first) {
  const entries = entriesOf(kindOf(chosen));
  const protocol = protocolOf(chosen, entries);
  return [el("form", { class: "choices", onsubmit: (event) => event.preventDefault() }, ...first,
    chooser("Metric ", "metric", Object.entries(METRICS), metricOf(chosen)), kindChooser(kindOf(chosen)), protocolChooser(protocolsOf(entries), protocol)), onlyProtocol(protocol)];
}

const card = (pairs) => el("dl", { class: "card" }, pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined && value.length !== 0)
  .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));

// A table; a row is a list of cells, its first the head. A cell is a node, a text, or made elsewhere.
function tableOf(caption, columns, rows, kind = "") {
  const made = (content, column) => (content instanceof HTMLTableCellElement ? content
    : el(column ? "td" : "th", { scope: column ? null : "row", class: typeof content === "string" && content.length > 40 ? "long" : null }, content ?? ""));
  const table = el("table", { class: kind }, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, columns.map((name) => (name instanceof HTMLTableCellElement ? name : el("th", { scope: "col" }, name))))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map(made)))));
  const grid = kind.startsWith("matrix");
  return el("div", { class: "scroll", tabindex: grid ? null : 0, role: "region", "aria-label": caption }, grid ? oneStop(table) : narrowed(table));
}

// A square with its interval, or the diamond of a pooled value, with the same as text.
const drawnValue = (metric, numbers, dots = null) => ((numbers?.[0] ?? null) === null ? el("td", {}, DASH) : el("td", { class: "pooled" },
  el("span", { class: dots ? "diamond" : "" }, forest(metric, numbers, dots ?? [])), el("span", { class: "value" }, interval(numbers))));

// What is said of pooled numbers: see `pooled_numbers` in data.py.
function pooledWords([value, , , low, high, i2, cohorts, reason]) {
  if (value === null) return `Not pooled: ${reason ?? "no value"}.`;
  const next = low === null ? "" : `; ${ends(low, high)} is expected in one more hospital`;
  return `Over ${plural(cohorts, "cohort")}${next}${i2 === null ? "" : `; I² ${(i2 / 10).toFixed(1)} %`}${reason ? ` (${reason})` : ""}.`;
}

// What has no value is folded into one line that names it.
const folded = (noun, names, table) => (names.length ? el("details", { class: "without" }, el("summary", {}, `${plural(names.length, noun)} without a value: ${names.join(", ")}`), table()) : "");

// Footnotes of a table: each text once beneath it, by a number beside what it is about.
function footnotes() {
  const numbers = new Map();
  const numberOf = (text) => numbers.get(text) ?? numbers.set(text, numbers.size + 1).size;
  return {
    marked(cell, texts) {
      if (texts.length) cell.append(el("sup", {}, texts.map(numberOf).join(",")));
      return cell;
    },
    list: () => (numbers.size ? el("ol", { class: "notes" }, [...numbers.keys()].map((text) => el("li", {}, sentence(text)))) : ""),
  };
}

const selectionOf = (population) => (population.selection === "test" ? "test fold" : "all");
// Best first; what has no value stands last.
const bestFirst = (rows) => [...rows].sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
// The heads of the columns sort by them; beneath each is a link to what its cohort is.
function aboutRow(cohorts) {
  const about = (cohort) => {
    const made = cohortLink(cohort);
    made.setAttribute("aria-label", `about ${cohortName(cohort)}`);
    made.replaceChildren("about");
    return el("td", {}, made);
  };
  return el("tr", { class: "about" }, [0, 1, 2].map(() => el("td")), cohorts.map(about));
}
