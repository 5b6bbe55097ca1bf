// Two models against each other: paired differences on each cohort, and every concept as a dot.
addView("compare", {
  title: "Compare",
  show(place, chosen) {
    const [metric, simulated] = [metricOf(chosen), kindOf(chosen)];
    const protocol = protocolOf(chosen, entriesOf(simulated));
    const entries = entriesOf(simulated).filter((entry) => isOf(protocol, entry));
    if (entries.length < 2) return place.append(el("h2", {}, "Compare"), ...viewChoices(chosen), el("p", {}, `There are no two models${protocol ? ` with ${protocol}` : ""} to compare.`));
    const a = entryAmong(entries, chosen, "a", entries.includes(entryOf(chosen.b)) ? entryOf(chosen.b) : undefined);
    const b = entryAmong(entries, chosen, "b", a);
    const options = entries.map((entry) => [entryKey(entry), entryName(entry)]);
    place.append(
      el("h2", {}, `${entryName(a)} against ${entryName(b)}`),
      ...viewChoices(chosen, chooser("A ", "a", options, entryKey(a)), chooser("B ", "b", options, entryKey(b)),
        el("button", { type: "button", onclick: () => choose({ a: entryKey(b), b: entryKey(a) }) }, "Swap")),
      banner(simulated) ?? "",
      el("p", {}, "A is ", entryLink(a), ", B is ", entryLink(b), "."));
    const pair = a === b ? null : pairOf(a, b, simulated);
    if (!pair) return place.append(el("p", {}, "Choose two different models."));
    place.append(
      el("h3", {}, `Macro ${METRICS[metric]} of A minus B`),
      ...differences(pair, [a, b], metric, simulated),
      el("h3", {}, "Every concept on every cohort"),
      ...scatter(a, b, Object.keys(pair.cohorts).map(Number), metric, simulated));
  },
});

const ACROSS = {
  auroc: "Pooled over the cohorts that are external to both, by a random-effects model.",
  auprc: "AUPRC depends on how frequent the concepts are, so it is not pooled over cohorts; it is compared where both averages are over the same concepts.",
};

// The difference the other way round, which rounds to the same three decimals.
const negated = (units) => (units === null ? null : Math.min(-units, 4 - 10 * Math.floor((units + 5) / 10)));
const turned = ([value, low, high, ...p]) => [negated(value), negated(high), negated(low), ...p];

// Differences of a minus b: as they are written in the data, or turned round.
function pairOf(a, b, simulated) {
  const { pairs } = data.pairs.find((one) => one.simulated === simulated);
  const straight = pairs.find(({ first, second }) => first === a && second === b);
  if (straight) return straight;
  const found = pairs.find(({ first, second }) => first === b && second === a);
  if (!found) return null;
  const all = (cohorts) => Object.fromEntries(Object.entries(cohorts).map(([id, one]) => [id, turned(one)]));
  return { ...found, cohorts: all(found.cohorts), auprc: all(found.auprc), pooled: turned(found.pooled) };
}

// A difference on one scale for all rows of a table; the line in the middle is no difference.
function differenceDrawn([value, low, high], widest, pooled) {
  if ((value ?? null) === null) return el("td", {}, DASH);
  const at = (units) => 64 + (58 * units) / widest;
  return el("td", { class: "pooled" },
    el("span", { class: pooled ? "diamond" : "" }, svg("svg", { class: "forest", viewBox: "0 0 128 22", width: 128, height: 22, "aria-hidden": "true" },
      svg("line", { x1: 64, x2: 64, y1: 1, y2: 21, class: "axis" }),
      low === null ? null : svg("line", { x1: at(low), x2: at(high), y1: 11, y2: 11, class: "interval" }),
      svg("rect", { x: at(value) - 3.5, y: 7.5, width: 7, height: 7, class: "pooled" }))),
    el("span", { class: "value" }, interval([value, low, high], signed)));
}

// Its scale, for the head of a column.
const differenceScale = (widest) => svg("svg", { class: "forest", viewBox: "0 0 128 12", width: 128, height: 12, "aria-hidden": "true" },
  [-1, 0, 1].map((side) => svg("text", { x: 64 + 58 * side, y: 10, "text-anchor": ["start", "middle", "end"][side + 1] }, signed(side * widest))));

// A row for each cohort: difference, p, p after Holm, concepts, why not.
function differencesOn(pair, metric) {
  if (metric === "auroc") return Object.entries(pair.cohorts);
  return Object.entries(pair.cohorts).map(([id, [, , , , , concepts]]) => [id, pair.auprc[id] ? [...pair.auprc[id], concepts]
    : [null, null, null, null, null, concepts, "not the same concepts count for both"]]);
}

function differences(pair, [a, b], metric, simulated) {
  const all = differencesOn(pair, metric);
  const found = all.filter(([, [value]]) => value !== null);
  const pooled = metric === "auroc" && pair.pooled_over.length ? pair.pooled : null;
  const widest = Math.max(1, ...[...found.map(([, one]) => one), pooled ?? []].flatMap((one) => one.slice(0, 3).map((units) => Math.abs(units ?? 0))));
  const populationOn = (id) => data.populations[cellOf(a, id).population];
  const drawn = [...new Set(found.map(([id]) => `${count(populationOn(id).resamples)} resamples, seed ${populationOn(id).seed}`))];
  const scoredOn = (id) => `${count(populationOn(id).scored)} (${selectionOf(populationOn(id))})${drawn.length > 1 ? `, ${count(populationOn(id).resamples)} resamples, seed ${populationOn(id).seed}` : ""}`;
  const relations = (id) => {
    const [one, other] = [a, b].map((entry) => cellOf(entry, id).relation);
    return one === other ? `${one} to both` : `A ${one}, B ${other}`;
  };
  const rows = found.map(([id, one]) => [cohortLink(id), differenceDrawn(one, widest), number(one[3]), number(one[4]), scoredOn(id), String(one[5]), relations(id)]);
  if (pooled) rows.push(["Pooled", differenceDrawn(pooled, widest, true), number(pooled[3]), "", "", "", plural(pair.pooled_over.length, "external cohort")]);
  const without = [...all.filter(([, [value]]) => value === null).map(([id, one]) => [id, one[6]]), ...Object.entries(pair.why_not).filter(([id]) => !pair.cohorts[id])];
  const across = metric === "auroc" && !pooled ? "Not pooled: no cohort is external to both." : ACROSS[metric];
  return [
    rows.length ? tableOf(captioned(simulated, `${METRICS[metric]} of A minus B with 95 % interval`), ["Cohort", scaledHead(differenceScale(widest), "A minus B"), "p", "p (Holm)", "Records", "Concepts", "Relation"], rows, "results")
      : el("p", {}, "They cannot be compared on any cohort."),
    reasons("No difference on", without),
    el("p", { class: "rules" }, `From the same resampled patients for both models${drawn.length === 1 ? ` (${drawn[0]})` : ""}, over the concepts that count for both. p (Holm) is adjusted for all cohorts of this pair. Above 0, A is better. ${across}`),
  ];
}

// Dots of what counts for both models, where both were measured alike.
function scatter(a, b, cohorts, metric, simulated) {
  const dots = cohorts.flatMap((cohort) => data.concepts.map((_, concept) => {
    const [one, other] = [a, b].map((entry) => reading(cellOf(entry, cohort), concept, metric));
    const both = one?.counts && other?.counts && one.estimate[0] !== null && other.estimate[0] !== null;
    return both ? { cohort, concept, x: one.estimate[0], y: other.estimate[0] } : null;
  }).filter(Boolean));
  if (!dots.length) return [el("p", {}, "No concept counts for both models on a cohort where they can be compared.")];
  const from = Math.floor(Math.min(...dots.flatMap(({ x, y }) => [x, y])) / 1000) * 1000;
  const at = (units) => (300 * (units - from)) / (10000 - from);
  const better = dots.filter(({ x, y }) => x > y).length;
  const worse = dots.filter(({ x, y }) => x < y).length;
  const names = [a, b].map(entryName);
  const said = `${plural(dots.length, "pair")} of concept and cohort: A is higher in ${count(better)}, B in ${count(worse)}. These counts have no interval; concepts and cohorts are not independent.`;
  const furthest = [...dots].sort((one, other) => Math.abs(other.x - other.y) - Math.abs(one.x - one.y)).slice(0, 20);
  const tick = (units) => [svg("text", { x: 50 + at(units), y: 328, "text-anchor": "middle" }, number(units)), svg("text", { x: 44, y: 314 - at(units), "text-anchor": "end" }, number(units))];
  return [
    el("p", {}, said),
    el("div", { class: "beside" }, svg("svg", { class: "scatter", viewBox: "-10 0 380 352", role: "img", "aria-label": captioned(simulated, `${METRICS[metric]} of A against B. ${said}`) },
      svg("rect", { x: 50, y: 10, width: 300, height: 300, class: "frame" }), svg("line", { x1: 50, y1: 310, x2: 350, y2: 10, class: "same" }),
      [from, Math.round((from + 10000) / 20) * 10, 10000].map(tick).flat(),
      dots.map(({ cohort, concept, x, y }) => svg("circle", { cx: 50 + at(x), cy: 310 - at(y), r: 3, class: "one" },
        svg("title", {}, `${data.concepts[concept][0]} on ${cohortName(cohort)}: A ${number(x)}, B ${number(y)}`))),
      simulated ? svg("text", { x: 60, y: 28, class: "mark" }, "Simulated, not patients") : null,
      svg("text", { x: 200, y: 346, "text-anchor": "middle" }, `A: ${names[0]}`.slice(0, 50)), svg("text", { x: -160, y: 2, transform: "rotate(-90)", "text-anchor": "middle" }, `B: ${names[1]}`.slice(0, 50))),
    el("details", { open: matchMedia("(min-width: 75rem)").matches }, el("summary", {}, furthest.length < dots.length ? `The ${count(furthest.length)} furthest apart` : "All, furthest apart first"),
      tableOf(captioned(simulated, `${METRICS[metric]} of A and of B`), ["Concept", "Cohort", "A", "B"], furthest.map(({ cohort, concept, x, y }) => [conceptLink(concept), cohortLink(cohort), number(x), number(y)])))),
  ];
}
