(() => {
  "use strict";
  // The server is asked once for all boxes above a low threshold; the slider chooses among them here.
  const $ = (id) => document.getElementById(id);
  const LOWEST = 0.05, SIDE = 1600; // the longer side at which an image is shown, in pixels, at most
  const COLOURS = ["#e6194b", "#1f8a3b", "#3d6bff", "#c75300", "#911eb4", "#00808a", "#d01fb0", "#7a6a00", "#a0522d", "#2f7fb5"];
  const state = { models: [], shown: null, stream: null, token: sessionStorage.getItem("yolo-serve-token") };
  const colour = (box) => COLOURS[box.class_id % COLOURS.length];
  const above = (found) => found.detections.filter((box) => box.confidence > $("conf").valueAsNumber);
  const make = (name, text = "", parent = null) => {
    const element = document.createElement(name);
    element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };

  function tell(text, bad = false) {
    $("status").textContent = text;
    $("status").classList.toggle("bad", bad);
  }

  async function ask(path, options = {}) {
    const headers = state.token ? { Authorization: `Bearer ${state.token}` } : {};
    const response = await fetch(path, { ...options, headers });
    if (response.status === 401) $("entry").hidden = false;
    const answer = await response.json();
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  async function detect(model, blob, name) {
    const query = new URLSearchParams({ model, conf: LOWEST, name });
    const answer = await ask(`detect?${query}`, { method: "POST", body: blob }), found = answer.images[0];
    if (found.error) throw new Error(found.error);
    return { ...found, skeleton: answer.model.skeleton ?? [] };
  }

  const chosen = () => [...$("models").querySelectorAll("input:checked")].map((box) => box.value);

  // One image through every chosen model, one after the other, so that their times can be compared.
  async function run(image, blob, name) {
    const found = new Map();
    for (const model of chosen()) found.set(model, await detect(model, blob, name));
    state.shown = { image, found, blob, name };
    draw();
  }

  function draw() {
    if (!state.shown) return;
    const old = new Map([...$("results").children].map((panel) => [panel.dataset.model, panel]));
    const panels = [...state.shown.found].map(([model, found]) => {
      const panel = old.get(model) ?? newPanel(model);
      fill(panel, found);
      return panel;
    });
    $("results").replaceChildren(...panels);
  }

  function newPanel(model) {
    const panel = make("section");
    panel.dataset.model = model;
    make("h2", model, panel);
    make("p", "", panel).className = "sub";
    make("canvas", "", panel).setAttribute("role", "img");
    const table = make("table", "", make("div", "", panel));
    table.parentElement.className = "counts scroll";
    make("tbody", "", table);
    return panel;
  }

  function fill(panel, found) {
    const boxes = above(found);
    const spent = Object.values(found.time_ms).reduce((sum, ms) => sum + ms, 0);
    const objects = `${boxes.length} object${boxes.length === 1 ? "" : "s"}`;
    panel.querySelector(".sub").textContent = `${objects}, ${spent.toFixed(0)} ms, ${found.width} × ${found.height} pixels`;
    const counts = new Map();
    for (const box of boxes) counts.set(box.class_name, [...(counts.get(box.class_name) ?? []), box]);
    panel.querySelector("canvas").setAttribute("aria-label", `The image with ${objects}`);
    paint(panel.querySelector("canvas"), found, boxes);
    panel.querySelector("tbody").replaceChildren(...[...counts].map(([name, same]) => {
      const row = make("tr");
      make("td", name, row).style.setProperty("--c", colour(same[0]));
      make("td", `${same.length} ×`, row).className = "n";
      make("td", `confidence ${same.map((box) => box.confidence.toFixed(2)).slice(0, 6).join(", ")}${same.length > 6 ? ", …" : ""}`, row);
      return row;
    }));
  }

  // Key points that are probably visible, and the lines between them.
  function paintPoints(pen, points, skeleton, scale) {
    const seen = (point) => point[2] >= 0.5;
    for (const [a, b] of skeleton.filter((pair) => pair.every((at) => seen(points[at])))) {
      pen.beginPath();
      pen.moveTo(points[a][0] * scale, points[a][1] * scale);
      pen.lineTo(points[b][0] * scale, points[b][1] * scale);
      pen.stroke();
    }
    for (const [x, y] of points.filter(seen)) {
      pen.beginPath();
      pen.arc(x * scale, y * scale, 1.5 * pen.lineWidth, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  function paint(canvas, found, boxes) {
    const scale = Math.min(1, SIDE / Math.max(found.width, found.height));
    canvas.width = Math.max(1, Math.round(found.width * scale));
    canvas.height = Math.max(1, Math.round(found.height * scale));
    const pen = canvas.getContext("2d");
    if (state.shown.image) pen.drawImage(state.shown.image, 0, 0, canvas.width, canvas.height);
    const unit = Math.max(canvas.width, canvas.height) / 100, size = Math.max(12, 2.4 * unit);
    pen.lineWidth = Math.max(2, unit / 3);
    pen.font = `600 ${size}px system-ui, sans-serif`;
    pen.textBaseline = "top";
    const labels = [];
    for (const box of boxes) {
      const text = `${box.class_name} ${box.confidence.toFixed(2)}`, wide = pen.measureText(text).width + size / 2;
      const place = freePlace(box.box.map((edge) => edge * scale), wide, 1.3 * size, canvas, labels);
      labels.push({ ...place, text, colour: colour(box) });
    }
    for (const box of [...boxes].reverse()) {
      const [x1, y1, x2, y2] = box.box.map((edge) => edge * scale);
      pen.strokeStyle = pen.fillStyle = colour(box);
      pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
      paintPoints(pen, box.keypoints ?? [], found.skeleton, scale);
    }
    for (const label of labels.reverse()) {
      pen.fillStyle = label.colour;
      pen.fillRect(label.left, label.top, label.right - label.left, label.bottom - label.top);
      pen.fillStyle = "#fff";
      pen.fillText(label.text, label.left + size / 4, label.top + size * 0.15);
    }
  }

  // As in the images of the command line: above the box, else inside its top, below it, or inside its bottom, on
  // the left or right; the first place that covers no other label, else the one that covers the smallest area.
  function freePlace([x1, y1, x2, y2], wide, high, canvas, taken) {
    const within = (at, length, most) => Math.max(0, Math.min(at, most - length));
    const place = (x, y) => {
      const left = within(x, wide, canvas.width), top = within(y, high, canvas.height);
      return { left, top, right: left + wide, bottom: top + high };
    };
    const covered = (one) => taken.reduce((sum, other) => sum + overlap(one, other), 0);
    const places = [y1 - high, y1, y2, y2 - high].flatMap((y) => [place(x1, y), place(x2 - wide, y)]);
    return places.reduce((best, one) => (covered(one) < covered(best) ? one : best));
  }

  function overlap(one, other) {
    const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    return Math.max(0, wide) * Math.max(0, high);
  }

  async function open(file) {
    stopCamera();
    tell(`Looking at ${file.name}…`);
    try {
      const image = await createImageBitmap(file).catch(() => null);
      await run(image, file, file.name || "pasted");
      tell(image ? "" : "This browser cannot show images of this format; the boxes are right.");
    } catch (fault) {
      tell(fault.message, true);
    }
  }

  // Frames go one at a time: the next is taken when the boxes of the last are drawn.
  async function useCamera() {
    if (state.stream) { stopCamera(); return; }
    const video = make("video");
    video.muted = video.playsInline = true;
    try {
      state.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
      video.srcObject = state.stream;
      await video.play();
    } catch (fault) {
      stopCamera();
      tell(navigator.mediaDevices ? `The camera cannot be used: ${fault.message}` : "Browsers give the camera only to https and to this machine itself.", true);
      return;
    }
    $("camera").setAttribute("aria-pressed", "true");
    $("camera").textContent = "Stop the camera";
    const stream = state.stream;
    try {
      while (state.stream === stream) await frame(video);
    } catch (fault) {
      stopCamera();
      tell(fault.message, true);
    }
  }

  async function frame(video) {
    const start = performance.now(), canvas = make("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    await run(canvas, blob, "camera");
    tell(`${(1000 / (performance.now() - start)).toFixed(1)} frames a second`);
  }

  function stopCamera() {
    for (const track of state.stream?.getTracks() ?? []) track.stop();
    state.stream = null;
    $("camera").setAttribute("aria-pressed", "false");
    $("camera").textContent = "Use the camera";
    tell("");
  }

  async function start() {
    const { version } = await ask("health");
    $("about").textContent = `yolo-cli ${version}`;
    state.models = (await ask("models")).models;
    $("entry").hidden = true;
    $("conf").value = state.models[0].conf;
    showThreshold();
    const rows = state.models.map(({ name }, index) => {
      const label = make("label"), box = make("input", "", label);
      Object.assign(box, { type: "checkbox", value: name, checked: index < 2 });
      label.append(` ${name}`);
      return label;
    });
    $("models").replaceChildren($("models").firstElementChild, ...rows);
    tell("");
  }

  function showThreshold() {
    $("conf-value").textContent = $("conf").valueAsNumber.toFixed(2);
  }

  $("conf").addEventListener("input", () => { showThreshold(); draw(); });
  $("models").addEventListener("change", () => {
    const { shown } = state;
    if (shown && !state.stream) run(shown.image, shown.blob, shown.name).catch((fault) => tell(fault.message, true));
  });
  $("choose").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => { if ($("file").files[0]) open($("file").files[0]); $("file").value = ""; });
  $("camera").addEventListener("click", useCamera);
  $("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    state.token = $("token").value;
    sessionStorage.setItem("yolo-serve-token", state.token);
    start().catch((fault) => tell(fault.message, true));
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      $("drop").classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
    });
  }
  document.addEventListener("paste", (event) => { if (event.clipboardData.files[0]) open(event.clipboardData.files[0]); });
  start().catch((fault) => tell(fault.message, true));
})();
