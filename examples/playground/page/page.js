// The page shows what the server says, and sends what is pressed. Everything else is decided over there.
import { showMachine } from "./machine.js";
import { showPhone } from "./phone.js";
import { showLedger } from "./ledger.js";
import { act, byId, changed, item, list, text } from "./parts.js";

function show(view) {
  for (const button of document.querySelectorAll("[data-do=door]")) button.setAttribute("aria-pressed", button.dataset.what === view.door);
  for (const button of document.querySelectorAll("[data-do=fault]")) button.setAttribute("aria-pressed", view.armed.includes(button.dataset.what));
  if (changed("armed", view.armed)) {
    const names = view.armed.map((id) => document.getElementById(`fault-${id}`)?.dataset.name).filter(Boolean);
    text("armed", names.length ? `Armed: ${names.join("; ")}. It strikes at the next such moment.` : "");
  }
  for (const box of document.querySelectorAll("[data-setting]")) box.checked = view.settings[box.dataset.setting];
  showMachine(view);
  showPhone(view);
  showLedger(view);
  const books = byId("books");
  books.textContent = view.night.running ? `Night: customer ${view.night.done + 1 > view.night.of ? view.night.of : view.night.done + 1} of ${view.night.of}. ${view.books.words}` : view.books.words;
  books.dataset.tone = view.books.tone;
  if (changed("desk", view.books.desk)) showDesk(view.books.desk);
  document.body.classList.toggle("dark-outside", view.night.running);
  const night = document.getElementById("night");
  if (night) night.disabled = view.night.running;
  guide(view);
}

function showDesk(sales) {
  byId("on-desk").hidden = sales.length === 0;
  text("on-desk-count", `${sales.length} on the desk`);
  list(byId("on-desk-list"), sales.map(({ id, door, words }) => item("li", {}, item("b", {}, `${door}, ${id}: `), words)));
}

function guide(view) {
  if (!changed("guide", [view.guide, view.night.running])) return;
  const { steps, now, hint, target } = view.guide;
  list(byId("steps"), steps.map((step, i) => item("li", { className: i === now ? "now" : now > i ? "done" : "" }, step)));
  byId("hint").textContent = view.night.running ? "The customers come by themselves." : hint;
  for (const before of document.querySelectorAll(".next")) before.classList.remove("next");
  if (!target || view.night.running) return;
  const lit = document.getElementById(target);
  lit?.classList.add("next");
  lit?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  const { do: what, what: which, on } = button.dataset;
  act({ do: what, what: which ?? "", on: on === "true" });
});
document.addEventListener("change", (event) => {
  const { setting } = event.target.dataset;
  if (setting) act({ do: "setting", what: setting, on: event.target.checked });
});
document.getElementById("night-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  act({ do: "night", n: byId("night-n").valueAsNumber || 0 });
});
byId("number-form").addEventListener("submit", (event) => {
  event.preventDefault();
  act({ do: "phone", what: byId("number").value });
});

const events = new EventSource("/events");
events.onmessage = (event) => show(JSON.parse(event.data));
events.onerror = () => { byId("hint").textContent = "Waiting for the playground…"; };
