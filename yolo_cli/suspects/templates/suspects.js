"use strict";
(() => {
  const { content_hash: hash, cards } = JSON.parse(document.getElementById("data").textContent);
  if (!cards.length) return;
  const $ = (id) => document.getElementById(id), key = `yolo-cli-suspects-${hash}`;
  const name = ({ correction: c }) => [c.split, c.image, c.row ?? "", c.action, ...(c.box ?? []), c.class_name ?? ""].join("|");
  // Decisions survive closing the page, where the browser allows it; they belong to this state of the data.
  const load = () => { try { return JSON.parse(localStorage.getItem(key)) ?? {}; } catch { return {}; } };
  const keep = () => { try { localStorage.setItem(key, JSON.stringify(decided)); } catch { /* a file may not */ } };
  const decided = load(), history = [];
  let shown = cards.map((_, at) => at), at = 0;

  const accepted = () => cards.filter((card) => decided[name(card)] === "accepted").map((card) => card.correction);
  const count = (word) => cards.filter((card) => decided[name(card)] === word).length;
  const element = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    return made;
  };
  const box = ([x, y, width, height], kind) => (kind === "other" ? [kind] : ["edge", kind])
    .map((name) => element("rect", { x, y, width, height, class: name }));
  const view = (svg, card, boxes, words) => {
    svg.setAttribute("viewBox", `0 0 ${card.width} ${card.height}`);
    svg.setAttribute("aria-label", words);
    svg.replaceChildren(element("image", { href: card.href, width: card.width, height: card.height }), ...boxes.flat());
  };
  const draw = () => {
    const card = cards[shown[at]], verdict = decided[name(card)];
    $("title").textContent = `${at + 1} of ${shown.length}: ${card.kind}, score ${card.score.toFixed(2)}`;
    $("where").textContent = card.where;
    $("labelled").textContent = card.labelled;
    $("seen").textContent = card.seen;
    $("proposal").textContent = `Accept: ${card.proposal}.`;
    view($("left"), card, [...card.others.map((other) => box(other, "other")), card.label_box ? box(card.label_box, "label") : []], `labelled: ${card.labelled}`);
    view($("right"), card, card.seen_box ? [box(card.seen_box, "seen")] : [], `the model sees: ${card.seen}`);
    $("accept").setAttribute("aria-pressed", verdict === "accepted");
    $("reject").setAttribute("aria-pressed", verdict === "rejected");
    $("previous").disabled = at === 0;
    $("next").disabled = at === shown.length - 1;
    $("undo").disabled = !history.length;
    const yes = count("accepted"), no = count("rejected");
    $("status").textContent = `${verdict ? `This one is ${verdict}. ` : ""}${yes} accepted, ${no} rejected, ${cards.length - yes - no} left.`;
    $("save").disabled = !yes;
    for (const item of $("list").querySelectorAll("button")) {
      const own = cards[item.dataset.at];
      item.className = decided[name(own)] ?? "";
      item.parentElement.hidden = !shown.includes(Number(item.dataset.at));
      if (own === card) item.setAttribute("aria-current", "true"); else item.removeAttribute("aria-current");
    }
  };
  const go = (step) => { at = Math.min(Math.max(at + step, 0), shown.length - 1); draw(); };
  const decide = (word) => {
    const card = cards[shown[at]];
    history.push([shown[at], decided[name(card)]]);
    decided[name(card)] = word;
    keep();
    const later = shown.findIndex((index, place) => place > at && !decided[name(cards[index])]);
    if (later >= 0) at = later;
    draw();
  };
  const undo = () => {
    const last = history.pop();
    if (!last) return;
    const [index, before] = last;
    if (before) decided[name(cards[index])] = before; else delete decided[name(cards[index])];
    keep();
    if (!shown.includes(index)) filter("");
    at = shown.indexOf(index);
    draw();
  };
  const filter = (kind) => {
    $("kind").value = kind;
    shown = cards.map((_, index) => index).filter((index) => !kind || cards[index].kind === kind);
    at = 0;
  };
  const save = () => {
    const text = JSON.stringify({ content_hash: hash, corrections: accepted() }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "corrections.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    $("saved").textContent = `${accepted().length} corrections saved by your browser as corrections.json.`;
  };
  const actions = { accept: () => decide("accepted"), reject: () => decide("rejected"), previous: () => go(-1), next: () => go(1), undo, save };
  const keys = { a: "accept", r: "reject", p: "previous", arrowleft: "previous", n: "next", arrowright: "next", u: "undo", s: "save" };
  for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", action);
  document.addEventListener("keydown", (event) => {
    const id = keys[event.key.toLowerCase()];
    if (!id || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select")) return;
    event.preventDefault();
    if (!$(id).disabled) actions[id]();
  });
  $("kind").addEventListener("change", () => { filter($("kind").value); draw(); });
  cards.forEach((card, index) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.dataset.at = index;
    for (const text of [card.score.toFixed(2), card.kind, card.where]) button.append(Object.assign(document.createElement("span"), { textContent: text }));
    button.addEventListener("click", () => { at = shown.indexOf(index); draw(); $("viewer").scrollIntoView(); });
    item.append(button);
    $("list").append(item);
  });
  for (const id of ["viewer", "saving", "overview"]) $(id).hidden = false;
  const first = shown.findIndex((index) => !decided[name(cards[index])]);
  at = Math.max(first, 0);
  draw();
})();
