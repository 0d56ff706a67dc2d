// Draws the run that is chosen at the epoch that is chosen; called whenever a control changes. Its arguments are those
// of explorer.py: the controls, the sources of what is drawn, and every run's numbers.
const close = (a, b) => Math.abs(a - b) < 1e-6;
const at = epochs.findLastIndex((each) => each <= epoch.value);
if (!close(lams[at], lam.value)) {
  if (cb_obj === lam) {  // go to the end of the last step up to this lam
    epoch.value = epochs[lams.findLastIndex((each) => each < lam.value + 1e-6)];
    return;  // the change of the epoch has drawn it
  }
  lam.value = lams[at];
}

const omega = omegas[omega_choice.active];
const method = methods[method_choice.active];
const rank = rank_choice.labels[rank_choice.active];
const of = (name) => keys.indexOf(`${omega}/${name}/${rank}`);
const run = of(method);

const fine = Array.from({length: 2001}, (_, i) => i / 2000);
const mixed = (share) => fine.map((each) => (1 - share) * Math.sin(source_omega * each) + share * Math.sin(omega * each));
target.data = {x: fine, y: mixed(1)};
objective.data = method === "homotopy" && lams[at] < 1 ? {x: fine, y: mixed(lams[at])} : {x: [], y: []};

if (run >= 0) {
  const output = outputs[run].slice(at * x.length, (at + 1) * x.length);
  network.data = {x: x, y: Array.from(output, (hundredths) => hundredths / 100)};
} else {
  network.data = {x: [], y: []};
}
line.line_color = colours[method_choice.active];

methods.forEach((name, i) => {
  const each = of(name);
  curves[i].data = each < 0 ? {x: [], y: []} : {x: Array.from(recorded[each]), y: Array.from(losses[each])};
  lines[i].line_width = name === method ? 2.5 : 1;
});
now.location = epochs[at];

if (run >= 0) {
  const last = Math.max(0, recorded[run].findLastIndex((each) => each <= epochs[at]));
  said.text = `Seed ${seeds[run]}: a loss of <b>${losses[run][last].toPrecision(2)}</b> on the target at epoch ${epochs[at]}.`;
} else {
  said.text = "No snapshots were taken of this run.";
}
