// From the own hospital to others, and from few labels to all.
function gapsOf(entry, simulated) {
  const found = data.gaps.find((one) => one.simulated === simulated)?.entries[entry];
  if (!found) return [el("p", {}, "There is no gap to be told: that needs a cohort that it was trained on and one that it was not, with concepts that count in both.")];
  const widest = Math.max(1, ...[...found.pairs.map((pair) => pair.slice(5)), found.mean].flat().map((units) => Math.abs(units ?? 0)));
  const rows = found.pairs.map(([home, away, concepts, here, there, ...gap]) => [el("th", { scope: "row" }, cohortLink(home), " to ", cohortLink(away)),
    differenceDrawn(gap, widest), number(here), number(there), String(concepts)]);
  rows.push([found.pairs.length > 1 ? "Mean of these" : "Mean", differenceDrawn(found.mean, widest, true), "", "", ""]);
  return [tableOf(captioned(simulated, "AUROC at home minus elsewhere, with 95 % interval"), ["From home to", scaledHead(differenceScale(widest), "At home minus elsewhere"), "At home", "Elsewhere", "Concepts in both"], rows, "results"),
    el("p", { class: "rules" }, "Mean AUROC over the concepts that count in both cohorts, from resamples of both. Above 0, it does worse in the other hospital. At home it is scored on records that it was not trained on.")];
}

const KINDS = { __proto__: null, "zero-shot": "zero-shot", "linear-probe": "linear probe", "fine-tune": "fine-tuned", "as-is": "all labels" };

// Results of a model by the share of the labels that it was given; nothing where there are fewer than two shares.
function labelsOf(entry, cohorts, metric, simulated) {
  const { model } = data.entries[entry];
  const own = Object.keys(data.shares).map(Number).filter((other) => data.entries[other].model === model);
  const panels = cohorts.map((cohort) => {
    const found = own.map((other) => ({ other, cell: cellOf(other, cohort) })).filter(({ cell }) => cell?.relation === "external")
      .map(({ other, cell }) => ({ kind: data.shares[other][0], percent: data.shares[other][1], read: reading(cell, "macro", metric), covers: cell.covers.length }))
      .filter(({ read }) => read.estimate[0] !== null).sort((a, b) => a.percent - b.percent);
    return new Set(found.filter(({ percent }) => percent).map(({ percent }) => percent)).size > 1 ? labelPanel(cohort, found, metric, simulated) : null;
  }).filter(Boolean);
  if (!panels.length) return [];
  return [el("h3", {}, "Label efficiency"), el("div", { class: "panels" }, panels),
    el("p", { class: "rules" }, "Against the percentage of the source's patients whose labels were given: each line is a way of learning from them. Below 100 % each point is the mean of several nested subsets.")];
}

function labelPanel(cohort, found, metric, simulated) {
  const shares = [...new Set(found.map(({ percent }) => percent))].sort((a, b) => a - b);
  const kindsHere = [...new Set(found.map(({ kind }) => kind))];
  const from = metric === "auroc" ? 5000 : 0;
  const up = (units) => upward(Math.max(0, (units - from) / (10000 - from)));
  const at = (percent, kind) => across((shares.indexOf(percent) + 0.5) / shares.length) + 5 * (kindsHere.indexOf(kind) - (kindsHere.length - 1) / 2);
  const said = captioned(simulated, `Macro ${METRICS[metric]} on ${cohortName(cohort)} by the share of the labels`);
  const marks = found.map(({ kind, percent, read: { estimate: [value, low, high] } }) => [
    low === null ? null : svg("line", { x1: at(percent, kind), x2: at(percent, kind), y1: up(low), y2: up(high), class: "ends" }),
    svg("circle", { cx: at(percent, kind), cy: up(value), r: 3.5, class: `kind${Object.keys(KINDS).indexOf(kind)}` }, svg("title", {}, `${KINDS[kind]}, ${percent} %: ${interval([value, low, high])}`))]);
  const lines = kindsHere.map((kind) => svg("polyline", { class: `line kind${Object.keys(KINDS).indexOf(kind)}`, points: found.filter((one) => one.kind === kind).map((one) => `${at(one.percent, kind).toFixed(1)},${up(one.read.estimate[0]).toFixed(1)}`).join(" ") }));
  const drawn = svg("svg", { class: "plot", viewBox: `0 0 ${LEFT + SIDE + 10} ${TOP + SIDE + 32}`, role: "img", "aria-label": `${said}. The numbers are in the table.` },
    svg("rect", { x: LEFT, y: TOP, width: SIDE, height: SIDE, class: "frame" }),
    [from, 5000 + from / 2, 10000].map((units) => svg("text", { x: LEFT - 4, y: up(units) + 4, "text-anchor": "end" }, String(units / 10000))),
    shares.map((percent, place) => svg("text", { x: across((place + 0.5) / shares.length), y: TOP + SIDE + 13, "text-anchor": "middle" }, `${percent} %`)),
    svg("text", { x: across(0.5), y: TOP + SIDE + 28, "text-anchor": "middle" }, "of the source's labels"), lines, marks);
  const rows = found.map(({ kind, percent, read, covers }) => [`${KINDS[kind]}, ${percent} %`, interval(read.estimate), count(read.n), String(covers)]);
  return figureOf(said, [drawn], tableOf(said, ["Labels", METRICS[metric], "Records", "Concepts"], rows));
}
