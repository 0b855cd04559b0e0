"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const data = JSON.parse(at("data").textContent);
  const frame = JSON.parse(at("frame").textContent);
  const slider = at("threshold");
  const start = slider.value;
  const dash = "–";
  const figure = (value, digits) => (value === null ? dash : value.toFixed(digits));

  // The threshold: everything that depends on it.
  const show = () => {
    const threshold = Number(slider.value), place = Math.round(threshold * 100);
    const precision = data.precision[place], recall = data.recall[place];
    const f1 = recall === null ? null : precision * recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
    at("at").textContent = threshold.toFixed(2);
    slider.setAttribute("aria-valuetext",
      `${threshold.toFixed(2)}: precision ${figure(precision, 2)}, recall ${figure(recall, 2)}`);
    at("live-precision").textContent = figure(precision, 3);
    at("live-recall").textContent = figure(recall, 3);
    at("live-f1").textContent = figure(f1, 3);
    const right = data.right[place], wrong = data.found[place] - right;
    at("counts").textContent = `At confidence ${threshold.toFixed(2)}: ${right.toLocaleString("en")} right, ` +
      `${wrong.toLocaleString("en")} wrong, ${(data.ground_truths - right).toLocaleString("en")} missed.`;
    moveMarks(threshold, precision, recall);
    showClasses(place);
    showBoxes(threshold);
  };

  const moveMarks = (threshold, precision, recall) => {
    const across = (x) => frame.left + x * (frame.right - frame.left);
    const down = (y) => frame.bottom - y * (frame.bottom - frame.top);
    at("pr-dot").setAttribute("cx", across(recall));
    at("pr-dot").setAttribute("cy", down(precision ?? 1));
    at("cursor").setAttribute("x1", across(threshold));
    at("cursor").setAttribute("x2", across(threshold));
  };

  const rows = [...document.querySelectorAll("#class-table tbody tr")];
  const showClasses = (place) => {
    for (const row of rows) {
      const [precision, recall] = data.classes[row.dataset.class];
      row.querySelector(".live-p").textContent = figure(precision[place], 2);
      row.querySelector(".live-r").textContent = figure(recall[place], 2);
    }
  };

  // A detection below the threshold is hidden; a ground truth matched only to such a one is missed.
  const boxes = [...document.querySelectorAll("#images [data-c]")];
  const showBoxes = (threshold) => {
    for (const box of boxes) {
      const confidence = Number(box.dataset.c), ground_truth = box.classList.contains("ground_truth");
      box.classList.toggle("missed", ground_truth && (confidence > 1 || confidence < threshold));
      box.classList.toggle("off", !ground_truth && confidence <= 1 && confidence < threshold);
    }
    for (const item of document.querySelectorAll("#images figure")) {
      const count = (kind) => item.querySelectorAll(`.shot ${kind}:not(.off)`).length;
      item.querySelector(".tally").textContent =
        `${count(".right")} right, ${count(".wrong")} wrong, ${count(".missed")} missed`;
      placeLabels(item.querySelector(".shot"));
    }
  };

  // Labels stay inside the image; one that would cover another is hidden until its box is pointed at.
  const placeLabels = (shot) => {
    const taken = [], width = shot.viewBox.baseVal.width;
    for (const text of [...shot.querySelectorAll(".box:not(.off) text")].reverse()) {
      const box = text.parentNode, at = text.getBBox();
      if (!at.width) continue;
      const x = Math.max(0, Math.min(at.x, width - at.width));
      if (x !== at.x) text.setAttribute("x", x);
      const covers = (it) => x < it.x + it.width && it.x < x + at.width && at.y < it.y + it.height && it.y < at.y + at.height;
      const clash = taken.some(covers);
      box.classList.toggle("clash", clash);
      if (!clash) taken.push({ x, y: at.y, width: at.width, height: at.height });
    }
  };

  let waiting = false;
  slider.addEventListener("input", () => {
    if (!waiting) requestAnimationFrame(() => { waiting = false; show(); });
    waiting = true;
  });
  at("reset").addEventListener("click", () => { slider.value = start; show(); });
  slider.disabled = at("reset").disabled = false;
  show();

  const names = at("labels");
  if (names) {
    const name = () => { at("images").classList.toggle("named", names.checked); show(); };
    names.addEventListener("change", name);
    names.disabled = false;
    name();
  }

  // Sorting: figures largest first, names from A; rows without a figure stay last.
  const table = at("class-table"), heads = [...table.tHead.rows[0].cells];
  const sort = (column) => {
    const head = heads[column], numeric = head.classList.contains("n");
    const was = head.getAttribute("aria-sort");
    const rising = was === "none" ? !numeric : was === "descending";
    heads.forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const text = (row) => row.cells[column].textContent;
    const compare = (a, b) => {
      const blank = (text(a) === dash) - (text(b) === dash);
      if (blank) return blank;
      const order = numeric ? Number(text(a)) - Number(text(b)) : text(a).localeCompare(text(b));
      return (rising ? order : -order) || 0;
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  };
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => sort(column)));

  // One class among the curves.
  const curves = [...document.querySelectorAll(".of-class[data-class]")];
  at("pick").addEventListener("change", (event) => {
    for (const curve of curves) {
      const chosen = curve.dataset.class === event.target.value;
      curve.classList.toggle("chosen", chosen);
      if (chosen) curve.parentNode.insertBefore(curve, at("pr-dot"));
    }
  });
})();
