// The vending machine.
import { act, byId, changed, list, picture, shape, text } from "./parts.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");
let until = 0;
let fallen = -1;
let tray = []; // what is in the flap now

export function showMachine(view) {
  const machine = byId("machine");
  machine.dataset.power = view.power;
  text("lamp", { on: view.network ? "power" : "no network", off: "no power", starting: "starting" }[view.power]);
  text("power", view.power === "on" ? "Cut the power" : "Restore the power");
  byId("power").dataset.on = view.power !== "on";
  for (const slot of view.slots) {
    const button = byId(`slot-${slot.slot}`);
    button.classList.toggle("chosen", slot.chosen && view.power === "on");
    button.classList.toggle("turning", slot.turning);
    button.classList.toggle("few", slot.left === 1);
    button.classList.toggle("out", slot.left === 0);
  }
  const { title, text: words, code, tone } = view.screen;
  byId("screen").dataset.tone = tone;
  text("screen-title", title);
  text("screen-text", words);
  picture("screen-code", code);
  until = view.screen.until;
  countDown();
  text("plate", view.line);
  byId("sticker").hidden = !view.sticker;
  picture("sticker-code", view.sticker);
  byId("reader").hidden = view.door !== "till";
  tray = view.tray;
  if (changed("tray", tray)) showTray();
}

function showTray() {
  const newest = tray.length ? tray[tray.length - 1].n : 0;
  const fall = fallen >= 0 && newest > fallen && tray.length > 0;
  fallen = Math.max(fallen, newest, 0);
  const land = () => {
    list(byId("tray"), tray.map(({ slot }) => shape(slot)));
    byId("flap").classList.toggle("full", tray.length > 0);
  };
  byId("flap").setAttribute("aria-label", tray.length ? `Push the flap: take ${tray.map(({ slot }) => byId(`slot-${slot}`).dataset.name).join(", ")}` : "Push the flap: it is empty");
  if (!fall || still.matches) return land();
  const from = byId(`slot-${tray[tray.length - 1].slot}`).querySelector(".good").getBoundingClientRect();
  const to = byId("flap").getBoundingClientRect();
  const product = shape(tray[tray.length - 1].slot);
  product.classList.add("falling");
  Object.assign(product.style, { left: `${from.left}px`, top: `${from.top}px`, width: `${from.width}px`, height: `${from.height}px` });
  document.body.append(product);
  const down = to.top - from.top;
  const across = to.left + to.width / 2 - from.left - from.width / 2;
  product.animate([
    { transform: "none" },
    { transform: `translate(${across * .2}px, ${down * .25}px) rotate(14deg)`, offset: .35 },
    { transform: `translate(${across}px, ${down}px) rotate(78deg) scale(.75)` },
  ], { duration: 650, easing: "cubic-bezier(.5, 0, .9, .6)" }).finished.then(() => { product.remove(); land(); });
}

// countDown shows how long the machine still waits.
function countDown() {
  const left = Math.ceil((until - Date.now()) / 1000);
  byId("screen-left").hidden = !(left > 0);
  if (left > 0) text("screen-left", `${left} s`);
}
setInterval(countDown, 1000);

let typed = "";
document.addEventListener("click", (event) => {
  const { key } = event.target.dataset ?? {};
  if (!key) return;
  typed = /[A-D]/.test(key) ? key : typed.slice(0, 1) + key;
  text("typed", typed);
  if (typed.length === 2 && /^[A-D]\d$/.test(typed)) {
    act({ do: "press", what: typed });
    typed = "";
    setTimeout(() => { if (!typed) text("typed", ""); }, 900);
  }
});
