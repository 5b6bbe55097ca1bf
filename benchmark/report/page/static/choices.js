// The choices above a view; each one is in the address.
function chooser(label, name, options, value) {
  const select = el("select", { name, onchange: () => choose({ [name]: select.value }) },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return el("label", {}, label, select);
}

function matrixChoices(chosen, matrix) {
  const concepts = [["", "macro average"], ...data.concepts.map(([id, name]) => [id, name ? `${id}: ${name}` : id])];
  const search = el("input", { type: "search", name: "search", value: chosen.search ?? "", oninput: () => choose({ search: search.value }, { typed: true }) });
  return el("form", { class: "choices", role: "search", onsubmit: (event) => event.preventDefault() },
    chooser("Metric ", "metric", Object.entries(METRICS), matrix.metric),
    chooser("Concept ", "concept", concepts, matrix.concept === "macro" ? "" : data.concepts[matrix.concept][0]),
    chooser("Protocol ", "protocol", [["", "all"], ...matrix.protocols.map((one) => [one, one])], chosen.protocol ?? ""),
    kinds.length > 1 ? chooser("Cohorts ", "cohorts", [["real", "real"], ["simulated", "simulated (not patients)"]], matrix.simulated ? "simulated" : "real") : null,
    el("label", {}, "Search ", search));
}
